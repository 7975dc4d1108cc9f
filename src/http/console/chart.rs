//! The chart of the last 30 nights: bars of people new, changed and gone, a mark for how the day's runs ended. Drawn on the
//! server as SVG, so that it needs no script; every bar says its numbers as text.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use serde::Serialize;

use crate::model::RunState;
use crate::store::RunMark;
use crate::text::{Args, Language, message};
use crate::time::Instant;

/// Days in the chart.
pub const DAYS: u64 = 30;
/// Measures of the drawing.
const SLOT: f64 = 24.0;
const BAR: f64 = 16.0;
const HIGHEST: f64 = 120.0;
const HEIGHT: f64 = 144.0;
const MARKS: f64 = 132.0;

/// A piece of a bar.
#[derive(Debug, Serialize)]
struct Part {
    kind: &'static str,
    y: String,
    height: String,
}

/// One day.
#[derive(Debug, Serialize)]
struct Night {
    title: String,
    x: String,
    state: &'static str,
    parts: Vec<Part>,
}

/// The drawing.
#[derive(Debug, Serialize)]
pub struct Chart {
    width: String,
    height: String,
    base: String,
    bar: String,
    marks: String,
    nights: Vec<Night>,
    runs: usize,
    held: usize,
    failed: usize,
    /// People on the day with the most.
    most: i64,
    first: String,
    last: String,
}

/// What happened on a day: new, changed, gone, and the worst end of a run.
#[derive(Clone, Copy, Default)]
struct Day {
    counts: [i64; 3],
    runs: usize,
    rank: u8,
}

const STATES: [&str; 4] = ["none", "good", "warn", "bad"];

const fn rank(state: RunState) -> u8 {
    match state {
        RunState::Failed => 3,
        RunState::Held => 2,
        _ => 1,
    }
}

/// Draws; none where nothing ran.
pub fn draw(language: Language, zone: Tz, now: Instant, marks: &[RunMark]) -> Option<Chart> {
    if marks.is_empty() {
        return None;
    }
    let today = now.with_timezone(&zone).date_naive();
    let mut days: BTreeMap<NaiveDate, Day> =
        (0..DAYS).rev().filter_map(|back| Some((today.checked_sub_days(Days::new(back))?, Day::default()))).collect();
    for mark in marks {
        let Some(day) = days.get_mut(&mark.started_at.with_timezone(&zone).date_naive()) else { continue };
        day.runs += 1;
        day.rank = day.rank.max(rank(mark.state));
        // What was only planned or held has not happened.
        if mark.state == RunState::Applied {
            day.counts.iter_mut().zip([mark.created, mark.changed, mark.absent]).for_each(|(sum, n)| *sum += n);
        }
    }
    // A first import dwarfs every night: the root keeps the others to be seen.
    let most = days.values().map(|day| root(day.counts.iter().sum())).fold(1.0, f64::max);
    let short = |day: NaiveDate| day.format("%m-%d").to_string();
    let (first, last) = (days.keys().next().copied().map(short), days.keys().next_back().copied().map(short));
    let count = |state: RunState| marks.iter().filter(|mark| mark.state == state).count();
    Some(Chart {
        width: number(SLOT * 30.0),
        height: number(HEIGHT),
        base: number(HIGHEST + 4.0),
        bar: number(BAR),
        marks: number(MARKS),
        most: days.values().map(|day| day.counts.iter().sum::<i64>()).max().unwrap_or(0),
        runs: marks.len(),
        held: count(RunState::Held),
        failed: count(RunState::Failed),
        nights: days.iter().zip(0_u8..).map(|((date, day), at)| night(language, (*date, *day), at, most)).collect(),
        first: first.unwrap_or_default(),
        last: last.unwrap_or_default(),
    })
}

fn night(language: Language, (date, day): (NaiveDate, Day), at: u8, most: f64) -> Night {
    let x = f64::from(at).mul_add(SLOT, (SLOT - BAR) / 2.0);
    let total: i64 = day.counts.iter().sum();
    let whole = root(total) / most * HIGHEST;
    let (mut y, mut parts) = (HIGHEST + 4.0, Vec::new());
    for (kind, count) in ["created", "changed", "absent"].into_iter().zip(day.counts).filter(|(_, count)| *count > 0) {
        let height = (whole * real(count) / real(total)).max(2.0);
        y -= height;
        parts.push(Part { kind, y: number(y), height: number(height) });
    }
    let mut args = Args::new();
    args.set("day", date.format("%Y-%m-%d").to_string());
    args.set("runs", i64::try_from(day.runs).unwrap_or(i64::MAX));
    for (name, count) in ["created", "changed", "absent"].into_iter().zip(day.counts) {
        args.set(name, count.to_string());
    }
    Night {
        title: message(language, "chart-night", &args),
        x: number(x),
        state: STATES.get(usize::from(day.rank)).copied().unwrap_or("none"),
        parts,
    }
}

fn root(count: i64) -> f64 {
    real(count).sqrt()
}

#[expect(clippy::cast_precision_loss, reason = "counts of people are small")]
fn real(count: i64) -> f64 {
    count as f64
}

fn number(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::{DAYS, draw};
    use crate::model::{RunId, RunState};
    use crate::store::RunMark;
    use crate::text::Language;

    fn mark(started_at: &str, state: RunState, created: i64) -> RunMark {
        let started_at = started_at.parse().unwrap();
        RunMark { id: RunId(uuid::Uuid::nil()), state, started_at, created, changed: 0, absent: 0 }
    }

    #[test]
    fn a_night_is_a_day_of_the_zone_and_shows_its_worst_run() {
        let now = "2026-11-22T01:00:00Z".parse().unwrap();
        let marks = [
            mark("2026-11-21T18:00:00Z", RunState::Applied, 4),
            mark("2026-11-21T19:00:00Z", RunState::Failed, 9),
            mark("2026-11-20T18:00:00Z", RunState::Applied, 100),
        ];
        let chart = draw(Language::En, chrono_tz::Asia::Shanghai, now, &marks).unwrap();
        assert_eq!(chart.nights.len(), usize::try_from(DAYS).unwrap());
        let [before, last] = [&chart.nights[28], &chart.nights[29]];
        assert_eq!((last.state, before.state, chart.nights[0].state), ("bad", "good", "none"));
        assert!(last.title.contains("2026-11-22") && last.title.contains('4'), "{}", last.title);
        assert_eq!((before.parts[0].height.as_str(), last.parts[0].height.as_str()), ("120.0", "24.0"));
        assert!(draw(Language::En, chrono_tz::UTC, now, &[]).is_none());
    }
}
