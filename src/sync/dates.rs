//! Dates: what begins or ends at midnight takes effect without reading the source, as a plan of its own.
//!
//! First and last days of employment, of concurrent assignments and of those who act for others. The zone is the source's.
//! The plan is applied in one transaction like any other: people who may no longer sign in lose sessions and grants, roles
//! follow, change log and audit tell it. The guard's numbers do not hold it: the dates came with plans that were judged.

use crate::access::RoleRules;
use crate::broker::Broker;
use crate::config::SourceConfig;
use crate::model::{NewFinding, Plan, PlanId, PlanState, RunState};
use crate::store::Json;
use crate::time::date_in;

use super::apply::{Approval, apply_prepared};
use super::diff::{Means, State, draft_of_dates};
use super::merge::Sharing;
use super::ownership::configured;
use super::plan::{current_ground, digest, store};
use super::report::RunReport;
use super::run::begin;
use super::{SyncError, settled};

/// Who starts these runs.
pub const BY_DATES: &str = "dates";

/// Brings the source's people up to today; none when no date has come. Cheap then: one query.
///
/// # Errors
/// [`SyncError::Busy`] while a run of the source is under way: its turn comes again; otherwise nothing was changed.
pub async fn keep_dates(broker: &Broker, source: &str) -> Result<Option<RunReport>, SyncError> {
    let config = configured(broker, source).await?;
    let today = date_in(broker.clock.now(), config.time_zone);
    if !broker.db.read().await?.assignments().is_due(source, today).await? {
        return Ok(None);
    }
    let begun = begin(broker, source, BY_DATES).await?;
    let result = bring_up(broker, config, begun.report.clone()).await;
    begun.end(broker, result).await.map(Some)
}

async fn bring_up(broker: &Broker, config: &SourceConfig, mut report: RunReport) -> Result<RunReport, SyncError> {
    let now = broker.clock.now();
    let rules = RoleRules::load(&broker.config.resolve(&broker.config.policies.folder))?;
    let mut tx = broker.db.read().await?;
    let last = tx.source_states().find(&config.name).await?;
    let ground = current_ground(broker, config, &mut tx, last.as_ref()).await?;
    let are_rules_new = last.as_ref().is_none_or(|last| last.roles_digest != rules.digest);
    let sharing = Sharing::of(&broker.config, config);
    let mut state = State::load(&mut tx, &config.name).await?;
    if sharing.is_some() {
        state.widen(&mut tx, &config.name, &[]).await?;
    }
    let known = tx.findings().list_by_source(&config.name).await?;
    drop(tx);
    let means = Means { config, rules: &rules, are_rules_new, sharing: sharing.as_ref(), rng: &broker.rng, now };
    let (draft, found) = draft_of_dates(&means, &state);
    report.users = draft.counts.values().copied().next().unwrap_or_default();
    report.roles.clone_from(&draft.roles);
    report.state = RunState::Planned;
    // The entries were not read again: what was found about them still holds.
    let kept = known.into_iter().map(|of| NewFinding {
        code: of.code,
        external_id: of.external_id,
        dn: of.dn,
        arguments: of.arguments.0,
        details: of.details,
        quarantined: of.quarantined,
    });
    let mut findings: Vec<NewFinding> = kept.collect();
    findings.retain(|old| !found.iter().any(|new| new.code == old.code && new.external_id == old.external_id));
    for finding in &found {
        *report.findings.entry(finding.code.clone()).or_default() += 1;
    }
    report.finding_list.clone_from(&found);
    let is_withheld = !found.is_empty();
    findings.extend(found);
    let settled_ground = settled::ground(&ground);
    let plan = Plan {
        id: PlanId::new(&broker.rng, now),
        source: config.name.clone(),
        run_id: report.run_id,
        state: PlanState::Planned,
        digest: digest(&draft.changes),
        ground: ground.fingerprint(),
        guard: Json(serde_json::Value::Array(Vec::new())),
        summary: Json(serde_json::Value::Null),
        findings: Json(findings),
        undoes: None,
        created_at: now,
        expires_at: now + config.guard.approval_expires.0,
        decided_at: None,
        decided_by: None,
        applied_at: None,
        // What the source said last is still in effect, and with today's dates.
        settles: last
            .filter(|last| !is_withheld && last.settled_ground.as_ref() == Some(&settled_ground))
            .and_then(|last| last.settled_content),
        approved_by: None,
        approved_at: None,
        reason: None,
    };
    let prepared = store(broker, plan, draft.changes, (&draft.links, &draft.contributions), report).await?;
    apply_prepared(broker, prepared, Approval { by: BY_DATES, is_given: false }).await
}
