//! Deciding about a waiting plan: the first of two approvals, and a rejection with its reason.

use serde_json::json;

use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::model::{Plan, PlanId, PlanState};

use super::SyncError;
use super::report::RunReport;

/// Characters of a reason at the most.
const LONGEST_REASON: usize = 500;

/// Whose approval it is, where two people have to agree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// The first one.
    First,
    /// Another one than the first.
    Second,
    /// The first one again.
    Again(String),
}

/// Whose approval `by` gives: who started the run by hand is the first to agree. The command line is one operator,
/// whoever sits at it.
pub(super) fn second_person(plan: &Plan, started_by: &str, by: &str) -> Said {
    let is_operator = |who: &str| who == "cli" || who.starts_with("user:") || who.starts_with("operator:");
    let first = plan.approved_by.as_deref().or(Some(started_by).filter(|who| is_operator(who)));
    match first {
        None => Said::First,
        Some(first) if first == by => Said::Again(first.to_owned()),
        Some(_) => Said::Second,
    }
}

/// Notes the first approval; nothing is applied yet.
pub(super) async fn approve_first(
    broker: &Broker,
    plan: Plan,
    mut report: RunReport,
    by: &str,
) -> Result<RunReport, SyncError> {
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    if !tx.plans().approve_first(plan.id, by, now).await? {
        // Somebody else was faster: theirs is the first, this one may be the second.
        return Err(SyncError::PlanGone { plan: plan.id, state: plan.state });
    }
    let details = json!({ "run": plan.run_id, "plan": plan.id, "digest": plan.digest, "approval": "first" });
    let event = Event::new(Action::PlanDecision, Outcome::Success, by, format!("source:{}", plan.source));
    audit::append(&mut tx, now, &[event.with(details)]).await?;
    tx.commit().await?;
    report.first_approved_by = Some(by.to_owned());
    Ok(report)
}

/// Rejects a waiting plan, planned or held: it can no longer be applied.
///
/// # Errors
/// [`SyncError::NoReason`], [`SyncError::NoSuchPlan`], [`SyncError::PlanGone`] when it had its turn.
pub async fn reject(broker: &Broker, plan: PlanId, by: &str, reason: &str) -> Result<Plan, SyncError> {
    let reason: String = reason.trim().chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect();
    if reason.is_empty() {
        return Err(SyncError::NoReason);
    }
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    let Some(found) = tx.plans().find(plan).await? else {
        return Err(SyncError::NoSuchPlan { source_name: String::new(), plan });
    };
    if !tx.plans().reject(plan, by, &reason, now).await? {
        return Err(SyncError::PlanGone { plan, state: found.state });
    }
    let details = json!({ "run": found.run_id, "plan": plan, "digest": found.digest, "reason": reason });
    let event = Event::new(Action::PlanDecision, Outcome::Denied, by, format!("source:{}", found.source));
    audit::append(&mut tx, now, &[event.with(details)]).await?;
    tx.commit().await?;
    Ok(Plan {
        state: PlanState::Rejected,
        decided_by: Some(by.to_owned()),
        decided_at: Some(now),
        reason: Some(reason),
        ..found
    })
}

#[cfg(test)]
mod tests {
    use super::{Said, second_person};
    use crate::model::{Plan, PlanId, PlanState, RunId};
    use crate::store::Json;

    fn plan(approved_by: Option<&str>) -> Plan {
        let nil = uuid::Uuid::nil();
        Plan {
            id: PlanId(nil),
            source: "hr".into(),
            run_id: RunId(nil),
            state: PlanState::Held,
            digest: String::new(),
            ground: String::new(),
            guard: Json(serde_json::Value::Null),
            summary: Json(serde_json::Value::Null),
            findings: Json(Vec::new()),
            undoes: None,
            created_at: crate::time::Instant::default(),
            expires_at: crate::time::Instant::default(),
            decided_at: None,
            decided_by: None,
            applied_at: None,
            settles: None,
            approved_by: approved_by.map(str::to_owned),
            approved_at: None,
            reason: None,
        }
    }

    /// LDAP-029
    #[test]
    fn two_different_operators_have_to_agree() {
        assert_eq!(second_person(&plan(None), "schedule", "user:1"), Said::First);
        assert_eq!(second_person(&plan(Some("user:1")), "schedule", "user:1"), Said::Again("user:1".into()));
        assert_eq!(second_person(&plan(Some("user:1")), "schedule", "user:2"), Said::Second);
        // Who started the run agrees with it.
        assert_eq!(second_person(&plan(None), "cli", "cli"), Said::Again("cli".into()));
        assert_eq!(second_person(&plan(None), "cli", "user:2"), Said::Second);
    }
}
