//! `GET /console/runs`: the last runs of every source, and the plans that wait for somebody.

use axum::response::Response;
use chrono::Duration;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::chart::{self, Chart};
use super::report::{started_by, state_tone};
use crate::http::extract::{Administrator, SignedIn};
use crate::http::paths;
use crate::http::ui::words;
use crate::model::{PlanState, Run};
use crate::store::StoreError;
use crate::sync::RunReport;

/// Runs in the chart at the most.
const MARKS: i64 = 5_000;

/// Runs on the page.
const SHOWN: i64 = 50;

/// A run in the list.
#[derive(Debug, Serialize)]
struct Row {
    url: String,
    source: String,
    state: &'static str,
    tone: &'static str,
    started: String,
    by: String,
    read: u64,
    created: u64,
    changed: u64,
    absent: u64,
    findings: u64,
}

/// A plan that waits.
#[derive(Debug, Serialize)]
struct Waiting {
    url: String,
    source: String,
    is_held: bool,
    until: String,
}

/// Shows the list.
pub async fn list(Administrator(signed_in): Administrator) -> Response {
    match read(&signed_in).await {
        Ok((rows, waiting, chart)) => {
            let values = context! {
                rows => Value::from(Serde(rows)),
                waiting => Value::from(Serde(waiting)),
                chart => Value::from(Serde(chart)),
            };
            signed_in.page("runs.html", "console", values)
        }
        Err(error) => signed_in.failed(&error),
    }
}

async fn read(signed_in: &SignedIn) -> Result<(Vec<Row>, Vec<Waiting>, Option<Chart>), StoreError> {
    let broker = &signed_in.visit.app.broker;
    let mut tx = broker.db.read().await?;
    let rows = tx.runs().list(SHOWN).await?.into_iter().map(|run| row(signed_in, run)).collect();
    let mut waiting = Vec::new();
    for source in &broker.config.sources {
        let Some(plan) = tx.plans().find_waiting(&source.name, broker.clock.now()).await? else { continue };
        waiting.push(Waiting {
            url: paths::PLAN.replace("{id}", &plan.id.to_string()),
            is_held: plan.state == PlanState::Held,
            until: words::moment(signed_in.visit.language, broker.config.server.time_zone, plan.expires_at),
            source: plan.source,
        });
    }
    let (now, zone) = (broker.clock.now(), broker.config.server.time_zone);
    let marks = tx.runs().list_since(now - Duration::days(chart::DAYS.cast_signed() + 1), MARKS).await?;
    Ok((rows, waiting, chart::draw(signed_in.visit.language, zone, now, &marks)))
}

fn row(signed_in: &SignedIn, run: Run) -> Row {
    let (language, zone) = (signed_in.visit.language, signed_in.visit.app.broker.config.server.time_zone);
    // A run that died before its report was written has none to show.
    let report = serde_json::from_value::<RunReport>(run.report.0).ok();
    let users = report.as_ref().map(|report| report.users).unwrap_or_default();
    Row {
        url: paths::RUN.replace("{id}", &run.id.to_string()),
        state: run.state.as_str(),
        tone: state_tone(run.state),
        started: words::moment(language, zone, run.started_at),
        by: started_by(language, &run.started_by, None),
        read: users.read,
        created: users.created,
        changed: users.changed,
        absent: users.absent,
        findings: report.map_or(0, |report| report.findings.values().sum()),
        source: run.source,
    }
}
