//! `GET /console/plans/{id}`: a stored plan in a person's words, and the button that approves a held one.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::report::{values, who};
use crate::http::extract::{Administrator, SignedIn};
use crate::http::paths;
use crate::http::ui::words;
use crate::model::{Plan, PlanId, PlanState};
use crate::store::StoreError;
use crate::sync::{Outlined, RunReport, outline};
use crate::text::{Args, Language, message};

/// Steps of a group that are shown at once, and on demand besides.
const NAMED: usize = 8;
const FURTHER: usize = 500;

/// The steps of one group, as the page shows them.
#[derive(Debug, Serialize)]
struct Group {
    title: String,
    count: u64,
    /// The first of them.
    named: Vec<String>,
    /// Those that are shown on demand.
    further: Vec<String>,
    /// Those that are only counted.
    hidden: u64,
}

/// Shows the plan.
pub async fn show(Path(id): Path<String>, Administrator(signed_in): Administrator) -> Response {
    let found = match id.parse::<PlanId>() {
        Ok(id) => find(&signed_in, id).await,
        Err(_) => Ok(None),
    };
    match found {
        Ok(Some((plan, steps, by))) => page(&signed_in, &plan, steps, by),
        Ok(None) => signed_in.visit.refuse(StatusCode::NOT_FOUND, "error-not-found"),
        Err(error) => signed_in.failed(&error),
    }
}

type Found = (Plan, Vec<Outlined>, Option<String>);

async fn find(signed_in: &SignedIn, id: PlanId) -> Result<Option<Found>, StoreError> {
    let mut tx = signed_in.visit.app.broker.db.read().await?;
    let Some(plan) = tx.plans().find(id).await? else { return Ok(None) };
    let steps = outline(&mut tx, id, NAMED + FURTHER).await?;
    drop(tx);
    let by = match &plan.decided_by {
        Some(by) => Some(who(signed_in, by).await?),
        None => None,
    };
    Ok(Some((plan, steps, by)))
}

fn group(language: Language, mut outlined: Outlined) -> Group {
    let hidden = outlined.count.saturating_sub(u64::try_from(outlined.named.len()).unwrap_or(0));
    let further = outlined.named.split_off(outlined.named.len().min(NAMED));
    Group {
        title: message(language, &format!("sync-step-{}", outlined.group), &Args::new()),
        count: outlined.count,
        named: outlined.named,
        further,
        hidden,
    }
}

fn page(signed_in: &SignedIn, plan: &Plan, steps: Vec<Outlined>, decided_by: Option<String>) -> Response {
    let broker = &signed_in.visit.app.broker;
    let (language, zone) = (signed_in.visit.language, broker.config.server.time_zone);
    let now = broker.clock.now();
    let report = serde_json::from_value::<RunReport>(plan.summary.0.clone())
        .unwrap_or_else(|_| RunReport::new(plan.run_id, &plan.source, "", plan.created_at));
    let is_waiting = matches!(plan.state, PlanState::Planned | PlanState::Held) && now < plan.expires_at;
    let steps: Vec<Group> = steps.into_iter().map(|outlined| group(language, outlined)).collect();
    let own = context! {
        plan_state => plan.state.as_str(),
        is_held => plan.state == PlanState::Held,
        is_waiting,
        decided_by,
        steps => Value::from(Serde(steps)),
        made => words::moment(language, zone, plan.created_at),
        until => words::moment(language, zone, plan.expires_at),
        digest => plan.digest.chars().take(16).collect::<String>(),
        approve => paths::PLAN_APPROVE.replace("{id}", &plan.id.to_string()),
        run_url => paths::RUN.replace("{id}", &plan.run_id.to_string()),
        runs_url => paths::RUNS,
    };
    let all = minijinja::value::merge_maps([values(signed_in, &report), own]);
    signed_in.page("plan.html", "console", all)
}
