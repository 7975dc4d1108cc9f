//! The report of a run as text.

use std::fmt::Write as _;

use super::{Telling, aligned, by_text, field_text, kind_lines, lockout_text, seconds};
use crate::model::RunState;
use crate::sync::report::{Counts, RunReport};
use crate::text::finding_words;

/// Departments that are named; the rest is counted.
const DEPARTMENTS: usize = 10;
/// Findings of a kind that are told in full; the rest is counted.
const FINDINGS: usize = 3;

/// The report as text, next to what the run before had found.
#[must_use]
pub fn report_text(report: &RunReport, last: Option<&RunReport>, telling: Telling) -> String {
    let mut text = String::new();
    let state = telling.say(&format!("sync-state-{}", report.state), &[]);
    let state = match report.state {
        RunState::Applied | RunState::Unchanged => telling.paint.good(&state),
        RunState::Held | RunState::Planned => telling.paint.warn(&state),
        RunState::Failed => telling.paint.bad(&state),
        RunState::Running => state,
    };
    let head = [
        ("source", report.source.as_str().into()),
        ("state", state.into()),
        ("run", report.run_id.to_string().into()),
        ("duration", seconds(telling.language, report.duration_ms).into()),
    ];
    let _ = writeln!(text, "{}", telling.say("sync-head", &head));
    let facts = [
        ("kind", telling.say(&format!("sync-kind-{}", report.kind), &[]).into()),
        ("started", telling.moment(report.started_at).into()),
        ("by", by_text(telling.language, &report.started_by, None).into()),
    ];
    let mut line = |words: String| {
        let _ = writeln!(text, "  {words}");
    };
    line(telling.paint.soft(&telling.say("sync-facts", &facts)));
    kind_lines(report, telling.language).into_iter().for_each(&mut line);
    if let Some(error) = report.error_in(telling.language) {
        line(telling.say("sync-error", &[("error", error.into())]));
        return text;
    }
    if let Some(plan) = report.undoes {
        line(telling.say("sync-undoes", &[("plan", plan.to_string().into())]));
    }
    if let Some(who) = &report.approved_by {
        line(telling.say("sync-approved-by", &[("who", who.as_str().into())]));
    } else if let Some(who) = &report.first_approved_by {
        line(telling.say("sync-approved-first", &[("who", who.as_str().into())]));
    }
    if report.is_partial {
        line(telling.say("sync-partly", &[]));
    }
    table(report, last, telling, &mut text);
    details(report, telling, &mut text);
    text
}

/// Counts by kind: columns that add up; below the people what the run before had found.
fn table(report: &RunReport, last: Option<&RunReport>, telling: Telling, text: &mut String) {
    let columns = ["read", "created", "changed", "unchanged", "quarantined", "absent"];
    let mut titles = vec![String::new()];
    titles.extend(columns.iter().map(|column| telling.say(&format!("sync-column-{column}"), &[])));
    let row = |title: String, c: Counts| {
        let mut cells = vec![title];
        cells.extend(
            [c.read, c.created, c.changed, c.unchanged, c.quarantined, c.absent].map(|count| count.to_string()),
        );
        cells
    };
    let mut rows = vec![(titles, true)];
    let kinds = [
        ("user", report.users),
        ("department", report.departments),
        ("position", report.positions),
        ("group", report.groups),
    ];
    for (kind, counts) in kinds.into_iter().filter(|(_, counts)| *counts != Counts::default()) {
        rows.push((row(telling.say(&format!("sync-row-{kind}"), &[]), counts), false));
        if let Some(last) = last.filter(|_| kind == "user") {
            let at = telling.say("sync-versus", &[("at", telling.moment(last.started_at).into())]);
            rows.push((row(at, last.users), true));
        }
    }
    text.push_str(&aligned("  ", &rows, telling.paint));
    let _ = writeln!(text, "  {}", telling.paint.soft(&telling.say("sync-sum", &[])));
}

fn details(report: &RunReport, telling: Telling, text: &mut String) {
    let mut line = |words: String| {
        let _ = writeln!(text, "  {words}");
    };
    let users = report.users;
    if users.moved + users.locked_out + users.enabled > 0 {
        let counts =
            [("moved", users.moved.into()), ("locked", users.locked_out.into()), ("enabled", users.enabled.into())];
        line(telling.say("sync-of-changed", &counts));
    }
    for (key, count) in
        [("sync-moved-out", report.moved_out), ("sync-rehired", report.rehired), ("sync-deleted", report.deleted)]
    {
        if count > 0 {
            line(telling.say(key, &[("count", count.into())]));
        }
    }
    let members = report.members;
    if members.added + members.removed + members.skipped > 0 {
        let counts =
            [("added", members.added.into()), ("removed", members.removed.into()), ("skipped", members.skipped.into())];
        line(telling.say("sync-members", &counts));
    }
    for (role, counts) in &report.roles {
        let named =
            [("role", role.as_str().into()), ("granted", counts.granted.into()), ("revoked", counts.revoked.into())];
        line(telling.say("sync-role", &named));
    }
    if report.sessions_ended + report.grants_ended > 0 {
        let named = [("sessions", report.sessions_ended.into()), ("grants", report.grants_ended.into())];
        line(telling.say("sync-ended", &named));
    }
    if let Some(times) = &report.lockout {
        line(lockout_text(times, telling.language));
    }
    departments(report, telling, text);
    masters(report, telling, text);
    findings(report, telling, text);
}

/// Who joined and left, by department; those with the most first.
fn departments(report: &RunReport, telling: Telling, text: &mut String) {
    let title = |column: &str| telling.say(&format!("sync-column-{column}"), &[]);
    let called = |name: String| if name.is_empty() { telling.say("sync-no-department", &[]) } else { name };
    let number = |count: u64| if count == 0 { "·".to_owned() } else { count.to_string() };
    let mut rows = vec![(vec![telling.say("sync-by-department", &[])], false)];
    let mut all = report.traffic();
    let hidden = if all.is_empty() {
        // A report of earlier days knows only who is gone.
        let gone = report.gone_from();
        for (titles, _) in &mut rows {
            titles.push(title("absent"));
        }
        let shown = gone.iter().take(DEPARTMENTS);
        rows.extend(shown.map(|(name, count)| (vec![called(format!("  {name}")), count.to_string()], false)));
        gone.len().saturating_sub(DEPARTMENTS)
    } else {
        let titles = ["joined", "left", "moved_in", "moved_out"];
        for (row, _) in &mut rows {
            row.extend(titles.map(title));
        }
        let hidden = all.len().saturating_sub(DEPARTMENTS);
        all.truncate(DEPARTMENTS);
        rows.extend(all.into_iter().map(|(name, of)| {
            let counts = [of.joined, of.left, of.moved_in, of.moved_out].map(number);
            let mut cells = vec![format!("  {}", called(name))];
            cells.extend(counts);
            (cells, false)
        }));
        hidden
    };
    if rows.len() == 1 {
        return;
    }
    text.push_str(&aligned("  ", &rows, telling.paint));
    if hidden > 0 {
        let _ =
            writeln!(text, "    {}", telling.paint.soft(&telling.say("sync-gone-more", &[("count", hidden.into())])));
    }
}

/// Who is master of which field.
fn masters(report: &RunReport, telling: Telling, text: &mut String) {
    if report.masters.is_empty() {
        return;
    }
    let _ = writeln!(text, "  {}", telling.say("report-masters", &[]));
    let row = |(field, counts): (&String, &std::collections::BTreeMap<String, u64>)| {
        let counts: Vec<String> = counts.iter().map(|(source, people)| format!("{source} {people}")).collect();
        (vec![field_text(field, telling.language), counts.join(", ")], false)
    };
    let rows: Vec<_> = report.masters.iter().map(row).collect();
    text.push_str(&aligned("    ", &rows, telling.paint));
}

/// What could not be read, mapped or settled: each kind once, with what to do about it and its first entries.
fn findings(report: &RunReport, telling: Telling, text: &mut String) {
    let total: u64 = report.findings.values().sum();
    if total == 0 {
        return;
    }
    let _ = writeln!(text, "  {}", telling.paint.strong(&telling.say("sync-findings", &[("count", total.into())])));
    for (code, count) in &report.findings {
        let mut of_kind = report.finding_list.iter().filter(|finding| finding.code == *code).peekable();
        let Some(first) = of_kind.peek() else { continue };
        let words = finding_words(code, &first.arguments, telling.language);
        let _ = writeln!(text, "    {} {count}  {}", telling.paint.warn(&words.kind), telling.paint.soft(code));
        let _ = writeln!(text, "      {}", telling.paint.soft(&words.remedy));
        for finding in of_kind.take(FINDINGS) {
            let entry = if finding.dn.is_empty() { &finding.external_id } else { &finding.dn };
            let words = finding_words(code, &finding.arguments, telling.language);
            let _ = writeln!(text, "      - {entry}\n        {}", words.details);
        }
        let rest = count.saturating_sub(u64::try_from(FINDINGS).unwrap_or(0));
        if rest > 0 {
            let _ = writeln!(
                text,
                "      {}",
                telling.paint.soft(&telling.say("sync-finding-more", &[("count", rest.into())]))
            );
        }
    }
    let command = format!("yaopai sync findings --source {}", report.source);
    let _ = writeln!(text, "    {}", telling.say("sync-all-findings", &[("command", command.into())]));
}

#[cfg(test)]
mod tests {
    use super::{Telling, report_text};
    use crate::model::{RunId, RunKind};
    use crate::sync::{FullReason, LockoutTimes, Paint, RunReport, Traffic};
    use crate::text::Language;

    fn telling(language: Language) -> Telling {
        Telling { language, paint: Paint::Plain, zone: chrono_tz::UTC }
    }

    fn report() -> RunReport {
        RunReport::new(RunId(uuid::Uuid::nil()), "hr", "cli", crate::time::Instant::default())
    }

    #[test]
    fn ten_departments_are_named_the_most_first() {
        let mut report = report();
        for number in 1..=13 {
            let traffic = Traffic { left: number, ..Traffic::default() };
            report.by_department.insert(format!("D{number:02}"), traffic);
        }
        report.department_names.insert("D13".to_owned(), "Sales".to_owned());
        let text = report_text(&report, None, telling(Language::En));
        let named: Vec<&str> = text.lines().map(str::trim).filter(|line| line.starts_with('D')).collect();
        assert_eq!(named.len(), 10, "{text}");
        assert!(named.first().is_some_and(|line| line.starts_with("D13 Sales") && line.contains("13")), "{text}");
        assert!(text.contains("… and 3 more departments"), "{text}");
    }

    #[test]
    fn a_run_says_what_kind_it_is_and_how_soon_leavers_were_out() {
        let mut report = report();
        (report.kind, report.because) = (RunKind::Full, Some(FullReason::SettingsChanged));
        report.lockout = Some(LockoutTimes { people: 2, timed: 0, max_ms: 900, median_ms: 400 });
        let text = report_text(&report, None, telling(Language::En));
        assert!(text.contains("full run") && text.contains("base, filter, mapping"), "{text}");
        assert!(text.contains("0.4 s") && text.contains("0.9 s"), "{text}");
        (report.kind, report.because) = (RunKind::Incremental, None);
        report.full_follows = vec![FullReason::Duplicate];
        let text = report_text(&report, None, telling(Language::Zh));
        assert!(text.contains("增量") && text.contains("随后"), "{text}");
    }
}
