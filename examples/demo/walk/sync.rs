//! Steps 1 and 2: people in.

use anyhow::ensure;

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
    let run = walk.yaopai.report(&["sync", "run", "--source", "company"]).await?;
    command(&run.line, &run.output);
    let again = walk.yaopai.run(&["sync", "run", "--source", "company", "--json"]).await?;
    let report: serde_json::Value = serde_json::from_str(&again.output)?;
    ensure!(is_unchanged(&report), "expected a second run without changes: {report:#}");
    walk.tell.held(
        format_args!("the same again in {}: nothing to do", took(again.took)),
        format_args!("再次运行用时 {}：没有变化", took(again.took)),
    );
    Ok(())
}

/// Whether a run's report says that nothing changed.
fn is_unchanged(report: &serde_json::Value) -> bool {
    report.to_string().contains("unchanged")
}
