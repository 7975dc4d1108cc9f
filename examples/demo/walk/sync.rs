//! Steps 1 and 2: people in.

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::Walk;
use crate::tell::{command, took};

/// What would happen.
pub async fn plan(walk: &Walk<'_>) -> anyhow::Result<()> {
    let plan = walk.yaopai.report(&["sync", "plan", "--source", "company"]).await?;
    command(&plan.line, &plan.output);
    walk.tell.held(
        format_args!("planned in {}; nothing is changed yet", took(plan.took)),
        format_args!("计划用时 {}；尚未改动任何数据", took(plan.took)),
    );
    Ok(())
}

/// It happens, once.
pub async fn apply(walk: &Walk<'_>) -> anyhow::Result<()> {
    let plan = Report::last(walk).await?.plan_id.context("the run that planned names no plan")?;
    let applied = walk.yaopai.report(&["sync", "apply", "--source", "company", "--plan", &plan]).await?;
    command(&applied.line, &applied.output);
    let done = Report::last(walk).await?;
    ensure!(done.users.created > 1_000, "expected over 1,000 people created, got {}", done.users.created);
    walk.tell.held(
        format_args!("exactly that plan, applied in {}", took(applied.took)),
        format_args!("执行的正是该计划，用时 {}", took(applied.took)),
    );
    let again = walk.yaopai.run(&["sync", "run", "--source", "company", "--json"]).await?;
    let report: Report = serde_json::from_str(&again.output).context("the JSON report")?;
    ensure!(report.changes == 0, "expected a second run without changes, got {}", report.changes);
    ensure!(report.users.unchanged > 1_000, "expected over 1,000 people, got {}", report.users.unchanged);
    walk.tell.held(
        format_args!("a run of the same in {}: nothing to do", took(again.took)),
        format_args!("再次同步用时 {}：没有变化", took(again.took)),
    );
    Ok(())
}

/// What the walk reads of a run's report.
#[derive(Debug, Deserialize)]
pub struct Report {
    /// The plan it made or applied.
    pub plan_id: Option<String>,
    /// Steps of the plan.
    pub changes: u64,
    /// Sessions that ended with it.
    pub sessions_ended: u64,
    /// Grants (with their tokens) that ended with it.
    pub grants_ended: u64,
    /// People.
    pub users: Users,
}

/// What the walk reads of its numbers of people.
#[derive(Debug, Deserialize)]
pub struct Users {
    /// New people.
    pub created: u64,
    /// Known people that do not differ.
    pub unchanged: u64,
    /// Known people that the source no longer returns.
    pub absent: u64,
}

impl Report {
    /// The report of the last run.
    pub async fn last(walk: &Walk<'_>) -> anyhow::Result<Self> {
        let printed = walk.yaopai.run(&["sync", "report", "--source", "company", "--json"]).await?;
        serde_json::from_str(&printed.output).context("the JSON report")
    }
}
