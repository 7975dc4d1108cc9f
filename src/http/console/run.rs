//! `GET /console/runs/{id}`: the report of one run: numbers that add up, findings, what the guard says.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use minijinja::context;

use super::report::{values, who};
use crate::http::extract::{Administrator, SignedIn};
use crate::http::paths;
use crate::model::{Run, RunId};
use crate::store::StoreError;
use crate::sync::RunReport;

/// Shows the report.
pub async fn show(Path(id): Path<String>, Administrator(signed_in): Administrator) -> Response {
    let run = match id.parse::<RunId>() {
        Ok(id) => find(&signed_in, id).await,
        Err(_) => Ok(None),
    };
    match run {
        Ok(Some(found)) => page(&signed_in, found),
        Ok(None) => signed_in.visit.refuse(StatusCode::NOT_FOUND, "error-not-found"),
        Err(error) => signed_in.failed(&error),
    }
}

/// A run, who started it, and the one before.
struct Found {
    run: Run,
    by: String,
    last: Option<RunReport>,
}

async fn find(signed_in: &SignedIn, id: RunId) -> Result<Option<Found>, StoreError> {
    let mut tx = signed_in.visit.app.broker.db.read().await?;
    let Some(run) = tx.runs().find(id).await? else { return Ok(None) };
    let last = tx.runs().find_before(&run.source, run.started_at).await?;
    drop(tx);
    let by = who(signed_in, &run.started_by).await?;
    let last = last.and_then(|last| serde_json::from_value::<RunReport>(last.report.0).ok());
    Ok(Some(Found { run, by, last }))
}

fn page(signed_in: &SignedIn, Found { run, by, last }: Found) -> Response {
    let (id, state, plan) = (run.id, run.state, run.plan_id);
    let mut report = match serde_json::from_value::<RunReport>(run.report.0) {
        Ok(report) => report,
        // A run that is under way, or died, has written no report yet.
        Err(_) => RunReport::new(id, &run.source, &run.started_by, run.started_at),
    };
    report.state = state;
    let plan_url = plan.map(|plan| paths::PLAN.replace("{id}", &plan.to_string()));
    let own = context! { by, plan_url, runs_url => paths::RUNS };
    let all = minijinja::value::merge_maps([values(signed_in, &report, last.as_ref()), own]);
    signed_in.page("run.html", "console", all)
}
