//! `GET /console/runs`: the last runs of every source, and the plans that wait for somebody.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use chrono::Duration;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::chart::{self, Chart};
use super::report::state_tone;
use crate::http::extract::{Administrator, SignedIn};
use crate::http::paths;
use crate::http::ui::words;
use crate::model::{PlanState, Run};
use crate::store::{StoreError, Tx};
use crate::sync::{RunReport, by_text};

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
    kind: Option<&'static str>,
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
    let runs = tx.runs().list(SHOWN).await?;
    let names = starters(&mut tx, &runs).await?;
    let rows = runs.into_iter().map(|run| row(signed_in, run, &names)).collect();
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

/// Names of the people who started runs, by the code of who started one.
async fn starters(tx: &mut Tx, runs: &[Run]) -> Result<BTreeMap<String, String>, StoreError> {
    let id = |run: &Run| run.started_by.strip_prefix("user:")?.parse::<uuid::Uuid>().ok();
    let ids: BTreeSet<uuid::Uuid> = runs.iter().filter_map(id).collect();
    let ids: Vec<uuid::Uuid> = ids.into_iter().collect();
    Ok(tx.names().of(&ids).await?.into_iter().map(|(id, _, name)| (format!("user:{id}"), name)).collect())
}

fn row(signed_in: &SignedIn, run: Run, names: &BTreeMap<String, String>) -> Row {
    let (language, zone) = (signed_in.visit.language, signed_in.visit.app.broker.config.server.time_zone);
    // A run that died before its report was written has none to show.
    let report = serde_json::from_value::<RunReport>(run.report.0).ok();
    let users = report.as_ref().map(|report| report.users).unwrap_or_default();
    Row {
        url: paths::RUN.replace("{id}", &run.id.to_string()),
        state: run.state.as_str(),
        tone: state_tone(run.state),
        started: words::moment(language, zone, run.started_at),
        kind: report.as_ref().map(|report| report.kind.as_str()),
        by: by_text(language, &run.started_by, names.get(&run.started_by).map(String::as_str)),
        read: users.read,
        created: users.created,
        changed: users.changed,
        absent: users.absent,
        findings: report.map_or(0, |report| report.findings.values().sum()),
        source: run.source,
    }
}
