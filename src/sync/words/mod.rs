//! Runs and plans in a person's words, in zh-CN and en: for the terminal, for mails, and for the pages of the console.

mod plan;
mod report;

use std::fmt::Write as _;

use chrono_tz::Tz;

use super::dates::BY_DATES;
use super::paint::Paint;
use super::report::{HeldReason, LockoutTimes, RunReport};
use crate::text::{Language, say, width};
use crate::time::Instant;

pub use plan::{outline_text, steps_text, ways_on};
pub use report::report_text;

/// How something is told.
#[derive(Clone, Copy, Debug)]
pub struct Telling {
    /// In which language.
    pub language: Language,
    /// With colours or without.
    pub paint: Paint,
    /// Zone in which times are said.
    pub zone: Tz,
}

impl Telling {
    fn say(self, key: &str, named: &[(&str, crate::text::Value<'_>)]) -> String {
        say(self.language, key, named)
    }

    /// `2026-12-01 02:00`.
    fn moment(self, at: Instant) -> String {
        at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M").to_string()
    }
}

/// What the guard says, a line a reason.
#[must_use]
pub fn verdict_text(held: &[HeldReason], language: Language, paint: Paint) -> String {
    if held.is_empty() {
        return format!("{}\n", paint.good(&say(language, "sync-guard-clear", &[])));
    }
    let mut text = format!("{}\n", paint.warn(&say(language, "sync-guard-held", &[])));
    for reason in held {
        let _ = writeln!(text, "  - {}", held_text(reason, language));
    }
    text
}

/// One reason of the guard: what was counted, what is allowed, and which key of `[source.guard]` says so.
#[must_use]
pub fn held_text(reason: &HeldReason, language: Language) -> String {
    let about = match reason.code.as_str() {
        "attribute_changed_percent" | "attribute_emptied_percent" => field_text(&reason.about, language),
        _ => reason.about.clone(),
    };
    let named = [("actual", reason.actual.into()), ("limit", reason.limit.into()), ("about", about.into())];
    let text = say(language, &format!("sync-held-{}", reason.code), &named);
    if reason.key.is_empty() {
        return text;
    }
    say(language, "sync-held-key", &[("text", text.into()), ("key", reason.key.as_str().into())])
}

/// A field of a person, department, position or group, in words; further attributes that are usual have words too, others
/// are called as they are.
#[must_use]
pub fn field_text(field: &str, language: Language) -> String {
    let name = field.strip_prefix("attributes.").unwrap_or(field);
    let key = format!("sync-field-{}", name.replace("center", "centre"));
    let text = say(language, &key, &[]);
    if text == key { name.to_owned() } else { text }
}

/// Who or what began or approved something: the code of [`RunReport::started_by`], or the person's name where it is known.
#[must_use]
pub fn by_text(language: Language, code: &str, name: Option<&str>) -> String {
    let key = match (code, name) {
        (_, Some(name)) => return name.to_owned(),
        ("cli", None) => "by-cli",
        ("schedule", None) => "by-schedule",
        (BY_DATES, None) => "by-dates",
        _ => "by-administrator",
    };
    say(language, key, &[])
}

/// Why the run read everything, and what follows it, a line each; nothing for a full run that was meant to be one.
#[must_use]
pub fn kind_lines(report: &RunReport, language: Language) -> Vec<String> {
    let reason = |reason: &super::FullReason| say(language, &format!("sync-full-{reason}"), &[]);
    let mut lines = Vec::new();
    if let Some(because) = &report.because {
        let mut why = reason(because);
        if let Some(refused) = &report.refused {
            why = say(language, "sync-refused", &[("why", why.into()), ("said", refused.words(language).into())]);
        }
        lines.push(say(language, "sync-because", &[("why", why.into())]));
    }
    if !report.full_follows.is_empty() {
        let why: Vec<String> = report.full_follows.iter().map(reason).collect();
        let why = why.join(&say(language, "list-separator", &[]));
        lines.push(say(language, "sync-follows", &[("why", why.into())]));
    }
    lines
}

/// How soon who was locked out could no longer get in.
#[must_use]
pub fn lockout_text(times: &LockoutTimes, language: Language) -> String {
    let named = [
        ("people", times.people.into()),
        ("timed", times.timed.into()),
        ("median", seconds(language, times.median_ms).into()),
        ("longest", seconds(language, times.max_ms).into()),
    ];
    say(language, "sync-lockout", &named)
}

/// `2.1 s`, `1 min 5 s`.
#[must_use]
pub fn seconds(language: Language, millis: i64) -> String {
    let whole = millis / 1_000;
    if whole < 60 {
        let seconds = format!("{whole}.{}", millis % 1_000 / 100);
        return say(language, "sync-seconds", &[("seconds", seconds.into())]);
    }
    say(language, "sync-minutes", &[("minutes", (whole / 60).into()), ("seconds", (whole % 60).into())])
}

/// A table of numbers: first the titles, right-aligned over their columns; the first cell of a row stands left.
fn aligned(indent: &str, rows: &[(Vec<String>, bool)], paint: Paint) -> String {
    let columns = rows.iter().map(|(cells, _)| cells.len()).max().unwrap_or(0);
    let widest = |at: usize| rows.iter().filter_map(|(cells, _)| cells.get(at)).map(|cell| width(cell)).max();
    let widths: Vec<usize> = (0..columns).map(|at| widest(at).unwrap_or(0)).collect();
    let mut text = String::new();
    for (cells, is_soft) in rows {
        let mut line = String::new();
        for (at, (cell, columns)) in cells.iter().zip(&widths).enumerate() {
            let blanks = " ".repeat(columns.saturating_sub(width(cell)));
            let parts = if at == 0 { [cell.as_str(), &blanks, ""] } else { ["  ", &blanks, cell.as_str()] };
            line.extend(parts);
        }
        let line = line.trim_end();
        let line = if *is_soft { paint.soft(line) } else { line.to_owned() };
        let _ = writeln!(text, "{indent}{line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Paint, aligned, field_text, seconds};
    use crate::text::Language::{En, Zh};

    #[test]
    fn numbers_stand_below_their_titles_in_both_scripts() {
        let row = |cells: [&str; 3], is_soft| (cells.map(str::to_owned).to_vec(), is_soft);
        let rows = [row(["", "新增", "x"], false), row(["人员", "1", "22"], false), row(["c", "100", ""], true)];
        assert_eq!(aligned("  ", &rows, Paint::Plain), "        新增   x\n  人员     1  22\n  c      100\n");
    }

    #[test]
    fn fields_and_times_are_said_in_words() {
        assert_eq!(field_text("attributes.cost_center", Zh), "成本中心");
        assert_eq!((field_text("mail", En), field_text("attributes.shoe", En)), ("mail".into(), "shoe".into()));
        assert_eq!((seconds(En, 2_140), seconds(En, 65_000)), ("2.1 s".into(), "1 min 5 s".into()));
    }
}
