//! The report of a run and the outline of a plan as text, in zh-CN and en.

use std::fmt::Write as _;

use crate::text::{Args, Language, finding_words, message};

use super::outline::Outlined;
use super::report::{Counts, HeldReason, RunReport};

/// Departments that are named with the people gone from them; the rest is counted.
const DEPARTMENTS: usize = 10;

/// The report as text.
#[must_use]
pub fn report_text(report: &RunReport, language: Language) -> String {
    let say = |key: &str, args: &[(&str, String)]| say(language, key, args);
    let mut text = String::new();
    let seconds = format!("{}.{:01}", report.duration_ms / 1_000, report.duration_ms % 1_000 / 100);
    let state = say(&format!("sync-state-{}", report.state), &[]);
    let head = [
        ("source", report.source.clone()),
        ("run", report.run_id.to_string()),
        ("state", state),
        ("duration", say("sync-seconds", &[("seconds", seconds)])),
    ];
    let _ = writeln!(text, "{}", say("sync-head", &head));
    if let Some(error) = report.error_in(language) {
        let _ = writeln!(text, "  {}", say("sync-error", &[("error", error)]));
        return text;
    }
    if let Some(plan) = report.undoes {
        let _ = writeln!(text, "  {}", say("sync-undoes", &[("plan", plan.to_string())]));
    }
    if let Some(who) = &report.approved_by {
        let _ = writeln!(text, "  {}", say("sync-approved-by", &[("who", who.clone())]));
    }
    table(report, language, &mut text);
    details(report, language, &mut text);
    text
}

/// What the guard says, a line a reason.
#[must_use]
pub fn verdict_text(held: &[HeldReason], language: Language) -> String {
    if held.is_empty() {
        return format!("{}\n", say(language, "sync-guard-clear", &[]));
    }
    let mut text = format!("{}\n", say(language, "sync-guard-held", &[]));
    for reason in held {
        let args = [
            ("actual", reason.actual.to_string()),
            ("limit", reason.limit.to_string()),
            ("about", reason.about.clone()),
        ];
        let _ = writeln!(text, "  - {}", say(language, &format!("sync-held-{}", reason.code), &args));
    }
    text
}

/// The steps of a plan, grouped, with the first of each group named.
#[must_use]
pub fn outline_text(report: &RunReport, outline: &[Outlined], language: Language) -> String {
    let mut text = String::new();
    if let Some(plan) = report.plan_id {
        let digest: String = report.plan_digest.iter().flat_map(|digest| digest.chars().take(16)).collect();
        let args = [("plan", plan.to_string()), ("changes", report.changes.to_string()), ("digest", digest)];
        let _ = writeln!(text, "{}", say(language, "sync-plan-head", &args));
    }
    for outlined in outline {
        let name = say(language, &format!("sync-step-{}", outlined.group), &[]);
        let mut named = outlined.named.join(", ");
        let rest = outlined.count.saturating_sub(u64::try_from(outlined.named.len()).unwrap_or(0));
        if rest > 0 {
            let _ = write!(named, ", {}", say(language, "sync-more", &[("count", rest.to_string())]));
        }
        let _ = writeln!(text, "  {}{:>7}  {named}", padded(&name, 14), outlined.count);
    }
    text
}

/// The next command, as a line.
#[must_use]
pub fn next_text(command: &str, language: Language) -> String {
    format!("{}\n", say(language, "sync-next", &[("command", command.to_owned())]))
}

/// Counts by kind: columns that add up.
fn table(report: &RunReport, language: Language, text: &mut String) {
    let columns = ["read", "created", "changed", "unchanged", "quarantined", "absent"];
    let _ = write!(text, "  {}", padded("", 14));
    for column in columns {
        let title = say(language, &format!("sync-column-{column}"), &[]);
        let _ = write!(text, "{}{title}", " ".repeat(11usize.saturating_sub(width(&title))));
    }
    text.push('\n');
    let rows = [
        ("user", report.users),
        ("department", report.departments),
        ("position", report.positions),
        ("group", report.groups),
    ];
    for (kind, c) in rows.into_iter().filter(|(_, counts)| *counts != Counts::default()) {
        let _ = write!(text, "  {}", padded(&say(language, &format!("sync-row-{kind}"), &[]), 14));
        for number in [c.read, c.created, c.changed, c.unchanged, c.quarantined, c.absent] {
            let _ = write!(text, "{number:>11}");
        }
        text.push('\n');
    }
    let _ = writeln!(text, "  {}", say(language, "sync-sum", &[]));
}

fn details(report: &RunReport, language: Language, text: &mut String) {
    let mut line = |key: &str, args: &[(&str, String)]| {
        let _ = writeln!(text, "  {}", say(language, key, args));
    };
    let users = report.users;
    if users.moved + users.locked_out + users.enabled > 0 {
        let counts = [("moved", users.moved), ("locked", users.locked_out), ("enabled", users.enabled)];
        line("sync-of-changed", &counts.map(|(name, count)| (name, count.to_string())));
    }
    for (key, count) in
        [("sync-moved-out", report.moved_out), ("sync-rehired", report.rehired), ("sync-deleted", report.deleted)]
    {
        if count > 0 {
            line(key, &[("count", count.to_string())]);
        }
    }
    let gone = report.gone_from();
    for (department, count) in gone.iter().take(DEPARTMENTS) {
        let none = say(language, "sync-no-department", &[]);
        let department = if department.is_empty() { none } else { department.clone() };
        line("sync-gone-from", &[("department", department), ("count", count.to_string())]);
    }
    if let Some(rest) = gone.len().checked_sub(DEPARTMENTS).filter(|rest| *rest > 0) {
        line("sync-gone-more", &[("count", rest.to_string())]);
    }
    let members = report.members;
    if members.added + members.removed + members.skipped > 0 {
        let counts = [("added", members.added), ("removed", members.removed), ("skipped", members.skipped)];
        line("sync-members", &counts.map(|(name, count)| (name, count.to_string())));
    }
    for (role, counts) in &report.roles {
        let args =
            [("role", role.clone()), ("granted", counts.granted.to_string()), ("revoked", counts.revoked.to_string())];
        line("sync-role", &args);
    }
    if report.sessions_ended + report.grants_ended > 0 {
        let args = [("sessions", report.sessions_ended.to_string()), ("grants", report.grants_ended.to_string())];
        line("sync-ended", &args);
    }
    masters(report, language, text);
    findings(report, language, text);
}

/// Who is master of which field.
fn masters(report: &RunReport, language: Language, text: &mut String) {
    if report.masters.is_empty() {
        return;
    }
    let _ = writeln!(text, "  {}", say(language, "report-masters", &[]));
    for (field, counts) in &report.masters {
        let counts: Vec<String> = counts.iter().map(|(source, people)| format!("{source} {people}")).collect();
        let _ = writeln!(text, "    {}{}", padded(field, 26), counts.join(", "));
    }
}

fn findings(report: &RunReport, language: Language, text: &mut String) {
    let total: u64 = report.findings.values().sum();
    if total == 0 {
        return;
    }
    let _ = writeln!(text, "  {}", say(language, "sync-findings", &[("count", total.to_string())]));
    let shown = report.finding_list.iter().take(20);
    for finding in shown.clone() {
        let words = finding_words(&finding.code, &finding.arguments, language);
        let _ = writeln!(text, "    {} ({})  {}", words.kind, finding.code, finding.dn);
        let _ = writeln!(text, "      {} {}", words.details, words.remedy);
    }
    let rest = total.saturating_sub(u64::try_from(shown.count()).unwrap_or(0));
    if rest > 0 {
        let _ = writeln!(text, "    {}", say(language, "sync-finding-more", &[("count", rest.to_string())]));
    }
}

fn say(language: Language, key: &str, args: &[(&str, String)]) -> String {
    let mut all = Args::new();
    for (name, value) in args {
        all.set(*name, value.clone());
    }
    message(language, key, &all)
}

/// Text filled up with blanks to so many columns of a terminal.
fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text)).max(1)))
}

/// Columns on a terminal: Chinese characters take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{1100}' { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::report_text;
    use crate::model::RunId;
    use crate::sync::RunReport;
    use crate::text::Language;

    #[test]
    fn ten_departments_are_named_the_most_first() {
        let mut report = RunReport::new(RunId(uuid::Uuid::nil()), "hr", "cli", crate::time::Instant::default());
        for number in 1..=13 {
            report.absent_by_department.insert(format!("D{number:02}"), number);
        }
        report.department_names.insert("D13".to_owned(), "Sales".to_owned());
        let text = report_text(&report, Language::En);
        let gone: Vec<&str> = text.lines().filter(|line| line.contains("gone from")).map(str::trim).collect();
        assert_eq!((gone.len(), gone.first().copied()), (10, Some("gone from D13 Sales: 13")));
        assert!(text.contains("… and 3 more departments"), "{text}");
    }
}
