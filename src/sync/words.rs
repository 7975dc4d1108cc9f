//! The report of a run and the outline of a plan as text, in zh-CN and en.

use std::fmt::Write as _;

use chrono_tz::Tz;

use crate::model::StepGroup;
use crate::text::{Language, finding_words};

use super::manner::{lockout_text, manner_text, say};
use super::outline::{Outlined, Step};
use super::paint::Paint;
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
    } else if let Some(who) = &report.first_approved_by {
        let _ = writeln!(text, "  {}", say("sync-approved-first", &[("who", who.clone())]));
    }
    if report.is_partial {
        let _ = writeln!(text, "  {}", say("sync-partly", &[]));
    }
    for manner in manner_text(report, language) {
        let _ = writeln!(text, "  {manner}");
    }
    table(report, language, &mut text);
    details(report, language, &mut text);
    text
}

/// What the run before had found: what a report is compared with.
#[must_use]
pub fn versus_text(last: &RunReport, zone: Tz, language: Language) -> String {
    let args = [
        ("at", last.started_at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()),
        ("read", last.users.read.to_string()),
        ("created", last.users.created.to_string()),
        ("changed", last.users.changed.to_string()),
        ("absent", last.users.absent.to_string()),
    ];
    format!("  {}\n", say(language, "sync-versus", &args))
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
    let args = [("actual", reason.actual.to_string()), ("limit", reason.limit.to_string()), ("about", about)];
    let text = say(language, &format!("sync-held-{}", reason.code), &args);
    if reason.key.is_empty() {
        return text;
    }
    format!("{text} {}", say(language, "sync-held-key", &[("key", reason.key.clone())]))
}

/// A field of a person, department, position or group, in words; further attributes are called as they are.
#[must_use]
pub fn field_text(field: &str, language: Language) -> String {
    let key = format!("sync-field-{}", field.replace('.', "-"));
    let text = say(language, &key, &[]);
    if text == key { field.strip_prefix("attributes.").unwrap_or(field).to_owned() } else { text }
}

/// The steps of a plan, grouped and counted, with the first of each group.
#[must_use]
pub fn outline_text(report: &RunReport, outline: &[Outlined], language: Language, paint: Paint) -> String {
    let mut text = String::new();
    if let Some(plan) = report.plan_id {
        let digest: String = report.plan_digest.iter().flat_map(|digest| digest.chars().take(16)).collect();
        let args = [("plan", plan.to_string()), ("changes", report.changes.to_string()), ("digest", digest)];
        let _ = writeln!(text, "\n{}", paint.strong(&say(language, "sync-plan-head", &args)));
    }
    for outlined in outline {
        let name = say(language, &format!("sync-step-{}", outlined.group), &[]);
        let _ = writeln!(text, "\n  {}", paint.strong(&format!("{name} ({})", outlined.count)));
        text.push_str(&steps_text(&outlined.steps, language, paint));
        let rest = outlined.count.saturating_sub(u64::try_from(outlined.steps.len()).unwrap_or(0));
        if rest > 0 {
            let _ = writeln!(text, "      {}", paint.soft(&say(language, "sync-more", &[("count", rest.to_string())])));
        }
    }
    if !outline.is_empty() {
        let sum = sum(outline);
        let args = sum.map(|(name, count)| (name, count.to_string()));
        let _ = writeln!(text, "\n{}\n", paint.strong(&say(language, "sync-plan-sum", &args)));
    }
    text
}

/// How many come, go and differ, over people, organisation and roles.
fn sum(outline: &[Outlined]) -> [(&'static str, u64); 6] {
    use StepGroup as G;
    let count = |groups: &[G]| outline.iter().filter(|one| groups.contains(&one.group)).map(|one| one.count).sum();
    [
        ("joined", count(&[G::Joined, G::Returned])),
        ("left", count(&[G::Left, G::LockedOut])),
        ("changed", count(&[G::Moved, G::Renamed, G::Changed])),
        ("organisation", count(&[G::DepartmentsMoved, G::Departments, G::Positions, G::Groups, G::Memberships])),
        ("gained", count(&[G::RoleGained])),
        ("lost", count(&[G::RoleLost])),
    ]
}

/// Steps, a line each, and what differs below.
#[must_use]
pub fn steps_text(steps: &[Step], language: Language, paint: Paint) -> String {
    let mut text = String::new();
    for step in steps {
        let detail = if step.detail.is_empty() { String::new() } else { format!("  {}", paint.soft(&step.detail)) };
        let _ = writeln!(text, "    {} {}{detail}", paint.sign(step.sign), step.name);
        for field in &step.fields {
            let name = padded(&field_text(&field.field, language), 16);
            let none = say(language, "sync-nothing", &[]);
            let (before, after) = (field.before.as_ref().unwrap_or(&none), field.after.as_ref().unwrap_or(&none));
            let _ = writeln!(text, "        {name} {} → {}", paint.soft(before), after);
        }
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
    for (code, traffic) in report.by_department.iter().take(DEPARTMENTS) {
        let name = report.department_names.get(code).filter(|name| *name != code);
        let none = say(language, "sync-no-department", &[]);
        let called = name.map_or_else(|| code.clone(), |name| format!("{code} {name}"));
        let args = [
            ("department", if code.is_empty() { none } else { called }),
            ("joined", traffic.joined.to_string()),
            ("left", traffic.left.to_string()),
            ("in", traffic.moved_in.to_string()),
            ("out", traffic.moved_out.to_string()),
        ];
        line("sync-department-traffic", &args);
    }
    if let Some(rest) = report.by_department.len().checked_sub(DEPARTMENTS).filter(|rest| *rest > 0) {
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
    if let Some(times) = lockout_text(report, language) {
        let _ = writeln!(text, "  {times}");
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
