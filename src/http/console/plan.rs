//! `GET /console/plans/{id}`: a stored plan in a person's words, grouped, a page at a time, with what differs in each
//! step; and the buttons that approve or reject one that waits.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};

use super::report::{values, who};
use crate::http::extract::{Administrator, SignedIn};
use crate::http::paths;
use crate::http::ui::words;
use crate::model::{Plan, PlanId, PlanState, StepGroup};
use crate::store::StoreError;
use crate::sync::{Outlined, RunReport, Step, field_text, outline, steps_of_group};
use crate::text::{Args, Language, message};

/// Steps of a group that are shown in the overview.
const NAMED: usize = 8;
/// Steps on a page of one group.
const PAGE: i64 = 100;

/// Which steps are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    group: Option<String>,
    page: Option<String>,
}

/// A field that differs, in words.
#[derive(Debug, Serialize)]
struct Field {
    name: String,
    before: Option<String>,
    after: Option<String>,
}

/// A step, as the page shows it.
#[derive(Debug, Serialize)]
struct Line {
    sign: &'static str,
    tone: &'static str,
    name: String,
    detail: String,
    fields: Vec<Field>,
}

/// The steps of one group, as the page shows them.
#[derive(Debug, Serialize)]
struct Group {
    code: &'static str,
    title: String,
    count: u64,
    lines: Vec<Line>,
    /// Those that are on pages of their own.
    hidden: u64,
    url: String,
}

/// What of the plan is on this page.
struct Shown {
    plan: Plan,
    groups: Vec<Outlined>,
    /// The one group that is paged through, with the number of the page.
    one: Option<(StepGroup, i64)>,
    decided_by: Option<String>,
    approved_by: Option<String>,
}

/// Shows the plan.
pub async fn show(
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    Administrator(signed_in): Administrator,
) -> Response {
    let found = match id.parse::<PlanId>() {
        Ok(id) => find(&signed_in, id, &asked).await,
        Err(_) => Ok(None),
    };
    match found {
        Ok(Some(shown)) => page(&signed_in, shown),
        Ok(None) => signed_in.visit.refuse(StatusCode::NOT_FOUND, "error-not-found"),
        Err(error) => signed_in.failed(&error),
    }
}

async fn find(signed_in: &SignedIn, id: PlanId, asked: &Asked) -> Result<Option<Shown>, StoreError> {
    let mut tx = signed_in.visit.app.broker.db.read().await?;
    let Some(plan) = tx.plans().find(id).await? else { return Ok(None) };
    let wanted = asked.group.as_deref().and_then(|group| group.parse::<StepGroup>().ok());
    let number = asked.page.as_deref().and_then(|page| page.parse::<i64>().ok()).unwrap_or(1).clamp(1, 1_000_000);
    let groups = match wanted {
        None => outline(&mut tx, id, NAMED).await?,
        Some(group) => {
            let counts = tx.plans().count_steps(id).await?;
            let count = counts.iter().find(|(of, _)| *of == group).map_or(0, |(_, count)| *count);
            let steps = steps_of_group(&mut tx, id, group, (PAGE, (number - 1) * PAGE)).await?;
            vec![Outlined { group, count: u64::try_from(count).unwrap_or(0), steps }]
        }
    };
    drop(tx);
    let decided_by = named(signed_in, plan.decided_by.as_deref()).await?;
    let approved_by = named(signed_in, plan.approved_by.as_deref()).await?;
    Ok(Some(Shown { plan, groups, one: wanted.map(|group| (group, number)), decided_by, approved_by }))
}

async fn named(signed_in: &SignedIn, code: Option<&str>) -> Result<Option<String>, StoreError> {
    Ok(match code {
        Some(code) => Some(who(signed_in, code).await?),
        None => None,
    })
}

fn line(language: Language, step: Step) -> Line {
    let (sign, tone) = match step.sign {
        '+' => ("+", "good"),
        '-' => ("−", "bad"),
        _ => ("~", "warn"),
    };
    let field = |field: crate::sync::FieldDiff| Field {
        name: field_text(&field.field, language),
        before: field.before,
        after: field.after,
    };
    Line { sign, tone, name: step.name, detail: step.detail, fields: step.fields.into_iter().map(field).collect() }
}

fn group(language: Language, plan: PlanId, outlined: Outlined) -> Group {
    Group {
        code: outlined.group.as_str(),
        title: message(language, &format!("sync-step-{}", outlined.group), &Args::new()),
        count: outlined.count,
        hidden: outlined.count.saturating_sub(u64::try_from(outlined.steps.len()).unwrap_or(0)),
        lines: outlined.steps.into_iter().map(|step| line(language, step)).collect(),
        url: group_url(plan, outlined.group, 1),
    }
}

fn group_url(plan: PlanId, group: StepGroup, page: i64) -> String {
    format!("{}?group={group}&page={page}", paths::PLAN.replace("{id}", &plan.to_string()))
}

/// Links to the pages before and after, and how many there are.
fn pages(shown: &Shown) -> Value {
    let Some((group, number)) = shown.one else { return Value::from(()) };
    let count = shown.groups.first().map_or(0, |group| i64::try_from(group.count).unwrap_or(i64::MAX));
    let last = count.saturating_add(PAGE - 1).div_euclid(PAGE).max(1);
    let url = |page: i64| (1..=last).contains(&page).then(|| group_url(shown.plan.id, group, page));
    context! { number, last, before => url(number - 1), after => url(number + 1) }
}

fn page(signed_in: &SignedIn, shown: Shown) -> Response {
    let broker = &signed_in.visit.app.broker;
    let (language, zone) = (signed_in.visit.language, broker.config.server.time_zone);
    let now = broker.clock.now();
    let pages = pages(&shown);
    let Shown { plan, groups, one, decided_by, approved_by } = shown;
    let report = serde_json::from_value::<RunReport>(plan.summary.0.clone())
        .unwrap_or_else(|_| RunReport::new(plan.run_id, &plan.source, "", plan.created_at));
    let is_waiting = matches!(plan.state, PlanState::Planned | PlanState::Held) && now < plan.expires_at;
    let id = plan.id.to_string();
    let groups: Vec<Group> = groups.into_iter().map(|outlined| group(language, plan.id, outlined)).collect();
    let needs_two = broker.config.source(&plan.source).is_some_and(|source| source.guard.second_person);
    let own = context! {
        plan_state => plan.state.as_str(),
        is_held => plan.state == PlanState::Held,
        is_rejected => plan.state == PlanState::Rejected,
        is_waiting,
        needs_two => needs_two && plan.state == PlanState::Held,
        decided_by,
        approved_by,
        reason => plan.reason.clone(),
        groups => Value::from(Serde(groups)),
        is_one => one.is_some(),
        pages,
        made => words::moment(language, zone, plan.created_at),
        until => words::moment(language, zone, plan.expires_at),
        digest => plan.digest.chars().take(16).collect::<String>(),
        approve => paths::PLAN_APPROVE.replace("{id}", &id),
        reject => paths::PLAN_REJECT.replace("{id}", &id),
        plan_url => paths::PLAN.replace("{id}", &id),
        run_url => paths::RUN.replace("{id}", &plan.run_id.to_string()),
        runs_url => paths::RUNS,
    };
    let all = minijinja::value::merge_maps([values(signed_in, &report, None), own]);
    signed_in.page("plan.html", "console", all)
}
