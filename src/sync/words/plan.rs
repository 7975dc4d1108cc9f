//! A plan as text: what would happen, grouped and counted, what the guard says, and how to go on.

use std::fmt::Write as _;

use super::{Paint, Telling, field_text, verdict_text};
use crate::model::{PlanId, StepGroup};
use crate::sync::outline::{Outlined, Step};
use crate::sync::report::RunReport;
use crate::text::{Language, padded, say};

/// The steps of a plan, grouped and counted, with the first of each group.
#[must_use]
pub fn outline_text(report: &RunReport, outline: &[Outlined], language: Language, paint: Paint) -> String {
    let mut text = String::new();
    if let Some(plan) = report.plan_id {
        let digest: String = report.plan_digest.iter().flat_map(|digest| digest.chars().take(16)).collect();
        let named = [("plan", plan.to_string().into()), ("changes", report.changes.into()), ("digest", digest.into())];
        let _ = writeln!(text, "\n{}", paint.strong(&say(language, "sync-plan-head", &named)));
    }
    for outlined in outline {
        let name = say(language, &format!("sync-step-{}", outlined.group), &[]);
        let _ = writeln!(text, "\n  {}", paint.strong(&format!("{name} ({})", outlined.count)));
        text.push_str(&steps_text(&outlined.steps, language, paint));
        let rest = outlined.count.saturating_sub(u64::try_from(outlined.steps.len()).unwrap_or(0));
        if rest > 0 {
            let _ = writeln!(text, "      {}", paint.soft(&say(language, "sync-more", &[("count", rest.into())])));
        }
    }
    text.push_str(&plan_sum(outline, language, paint));
    text
}

/// How many come, go and differ, over people, organisation and roles: green, red and yellow where there are any.
fn plan_sum(outline: &[Outlined], language: Language, paint: Paint) -> String {
    use StepGroup as G;
    if outline.is_empty() {
        return String::new();
    }
    let count =
        |groups: &[G]| -> u64 { outline.iter().filter(|of| groups.contains(&of.group)).map(|of| of.count).sum() };
    let number = |groups: &[G], colour: fn(Paint, &str) -> String| {
        let count = count(groups);
        let text = count.to_string();
        if count == 0 { text } else { colour(paint, &text) }
    };
    let named = [
        ("joined", number(&[G::Joined, G::Returned], Paint::good).into()),
        ("left", number(&[G::Left, G::LockedOut], Paint::bad).into()),
        ("changed", number(&[G::Moved, G::Renamed, G::Changed], Paint::warn).into()),
        (
            "organisation",
            number(&[G::DepartmentsMoved, G::Departments, G::Positions, G::Groups, G::Memberships], Paint::warn).into(),
        ),
        ("gained", number(&[G::RoleGained], Paint::good).into()),
        ("lost", number(&[G::RoleLost], Paint::bad).into()),
    ];
    format!("\n{}\n\n", say(language, "sync-plan-sum", &named))
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

/// What the guard says of a plan that waits, and the exact commands to go on: apply or approve, reject, look closer.
#[must_use]
pub fn ways_on(report: &RunReport, plan: PlanId, telling: Telling) -> String {
    let Telling { language, paint, .. } = telling;
    let mut text = verdict_text(&report.held, language, paint);
    let of = format!("--source {} --plan {plan}", report.source);
    let is_held = !report.held.is_empty();
    let approve = if is_held { " --approve" } else { "" };
    let mut line = |key: &str, command: String| {
        let _ = writeln!(text, "{}", say(language, key, &[("command", command.into())]));
    };
    line("sync-next", format!("yaopai sync apply {of}{approve}"));
    line("sync-or-reject", format!("yaopai sync reject {of} --reason \"…\""));
    line("sync-look-closer", format!("yaopai sync show {of}"));
    text
}
