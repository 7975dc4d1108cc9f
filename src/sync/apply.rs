//! Applying a plan: state, links, roles, change log, audit, revocation and report in one transaction.

use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::config::crash_point;
use crate::model::{
    Change, ChangeKind, EndReason, FindingCode, ObjectKind, Plan, PlanId, PlanState, RunKind, RunState,
};
use crate::store::{PORTION, StoreError, Tx};
use crate::time::{Instant, date_in};

use super::SyncError;
use super::confirm::confirm;
use super::dates::BY_DATES;
use super::decide::{Said, second_person};
use super::delta::Carry;
use super::guard::{AFTER_UNDO, Tally};
use super::merge::Sharing;
use super::plan::{self, Ground, Prepared, digest, finish, write_report};
use super::report::RunReport;
use super::rows::{Rows, Stamp};
use super::settled;

/// Who applies a plan, and whether they approve it.
#[derive(Clone, Copy, Debug)]
pub struct Approval<'a> {
    /// Who: `cli`, `schedule`, `user:ID`.
    pub by: &'a str,
    /// Whether a held plan is approved.
    pub is_given: bool,
}

/// Applies a stored plan: exactly its changes, or nothing.
///
/// # Errors
/// [`SyncError`]: the plan is held, expired, had its turn, was changed, or its ground has moved.
pub async fn apply(broker: &Broker, plan: PlanId, approval: Approval<'_>) -> Result<RunReport, SyncError> {
    let mut tx = broker.db.read().await?;
    let Some(plan) = tx.plans().find(plan).await? else {
        return Err(SyncError::NoSuchPlan { source_name: String::new(), plan });
    };
    if !matches!(plan.state, PlanState::Planned | PlanState::Held) {
        return Err(SyncError::PlanGone { plan: plan.id, state: plan.state });
    }
    let changes = tx.plans().changes(plan.id).await?;
    drop(tx);
    if digest(&changes) != plan.digest {
        return Err(SyncError::PlanChanged(plan.id));
    }
    let report: RunReport = serde_json::from_value(plan.summary.0.clone())?;
    apply_prepared(broker, Prepared { plan, changes, report }, approval).await
}

/// Applies a plan whose changes are at hand.
pub(super) async fn apply_prepared(
    broker: &Broker,
    prepared: Prepared,
    approval: Approval<'_>,
) -> Result<RunReport, SyncError> {
    let Prepared { plan, changes, mut report } = prepared;
    let is_held = plan.state == PlanState::Held;
    if is_held && !approval.is_given {
        return Err(SyncError::NeedsApproval(plan.id));
    }
    let now = broker.clock.now();
    if now >= plan.expires_at {
        return Err(SyncError::PlanExpired(plan.id));
    }
    if is_held && super::source_config(broker, &plan.source)?.guard.second_person {
        match second_person(&plan, &report.started_by, approval.by) {
            Said::First => return super::decide::approve_first(broker, plan, report, approval.by).await,
            Said::Again(first) => return Err(SyncError::SecondPerson { plan: plan.id, first }),
            Said::Second => report.first_approved_by.clone_from(&plan.approved_by),
        }
    }
    let (mut tx, ground, decided_by) = take(broker, &plan, approval.by, now).await?;
    let passwords = tx.plans().passwords(plan.id).await?.into_iter().collect();
    let stamp = Stamp { source: &plan.source, run: plan.run_id, now, passwords };
    let mut rows = Rows::collect(&changes, &stamp)?;
    // Before its first apply a source has nobody whose facts could become others.
    rows.is_wide &= ground.version > 0;
    let replaced = write_plan(broker, &mut tx, &plan, &mut rows, &stamp).await?;
    confirm(&mut tx, &changes, plan.run_id).await?;
    tx.change_log().append_plan(plan.id, plan.run_id, now).await?;
    crash_point("change-log");
    // What was approved was looked at; dates came with plans that were judged.
    if decided_by.is_none() && plan.undoes.is_none() && report.started_by != BY_DATES && ground.version > 0 {
        count(&mut tx, &plan, &changes, now).await?;
    }
    let revoked = tx.revoke_people(&rows.disabled, EndReason::Disabled, now).await?;
    crash_point("ended-sessions");
    report.state = RunState::Applied;
    report.held = Vec::new();
    report.approved_by.clone_from(&decided_by);
    report.sessions_ended = revoked.sessions;
    report.grants_ended = revoked.grants;
    let carry = Carry::find(&mut tx, plan.id).await?.filter(|_| plan.undoes.is_none());
    if let Some(carry) = &carry {
        carry.time(&mut tx, &rows.disabled, &mut report, broker.clock.now()).await?;
    }
    conclude(&mut tx, &plan, ground, (&report, carry.as_ref()), now).await?;
    let mut events = events(&changes, &report, approval.by, decided_by.is_some());
    events.extend(rehired(replaced, &report, approval.by));
    audit::append(&mut tx, now, &events).await?;
    crash_point("audited");
    finish(&mut report, broker.clock.now());
    write_report(&mut tx, &report).await?;
    crash_point("reported");
    tx.commit().await?;
    crash_point("committed");
    Ok(report)
}

/// Takes the plan's one turn: the transaction of the apply, what the source stands on, and who decided.
async fn take(broker: &Broker, plan: &Plan, by: &str, now: Instant) -> Result<(Tx, Ground, Option<String>), SyncError> {
    let ground = current_ground(broker, &plan.source).await?;
    let is_shared = ground.shared_fingerprint() == plan.ground;
    if plan.undoes.is_none() && !is_shared && ground.fingerprint() != plan.ground {
        return Err(SyncError::GroundMoved(plan.id));
    }
    let mut tx = broker.db.write().await?;
    if is_shared && !others_stand(broker, &mut tx, &plan.source, &ground).await? {
        return Err(SyncError::GroundMoved(plan.id));
    }
    crash_point("applying");
    if !tx.source_states().advance(&plan.source, ground.version, plan.run_id, now).await? {
        return Err(SyncError::GroundMoved(plan.id));
    }
    crash_point("advanced");
    let decided_by = (plan.state == PlanState::Held).then(|| by.to_owned());
    if !tx.plans().consume(plan.id, decided_by.clone(), now).await? {
        return Err(SyncError::PlanGone { plan: plan.id, state: PlanState::Applied });
    }
    crash_point("consumed");
    Ok((tx, ground, decided_by))
}

/// Counts what the plan did, for the windows of the guard.
async fn count(tx: &mut Tx, plan: &Plan, changes: &[Change], now: Instant) -> Result<(), StoreError> {
    let tally = Tally::of(changes.iter());
    let counts: Vec<_> = tally.counts.into_iter().map(|((what, about), amount)| (what, about, amount)).collect();
    tx.guard_counts().insert(plan.run_id, &plan.source, now, &counts).await
}

/// Makes rows, links and contributions what the plan says; gives the former entries of people who were hired again.
async fn write_plan(
    broker: &Broker,
    tx: &mut Tx,
    plan: &Plan,
    rows: &mut Rows<'_>,
    stamp: &Stamp<'_>,
) -> Result<Vec<(String, Uuid)>, SyncError> {
    write_rows(tx, rows, broker.config.sources.len() > 1, stamp).await?;
    let today = date_in(stamp.now, super::source_config(broker, &plan.source)?.time_zone);
    tx.acting().bring_up(&plan.source, today).await?;
    let replaced = tx.links().apply_plan(plan.id, &plan.source, plan.run_id).await?;
    tx.contributions().apply_plan(plan.id).await?;
    if broker.config.sources.len() > 1 {
        // What others add to those who are gone may make them theirs: their next runs look again.
        tx.links().forget_digests(&plan.source, &rows.disabled).await?;
    }
    crash_point("links");
    Ok(replaced)
}

/// What the source stands on from now on; other plans of it lose their turn.
async fn conclude(
    tx: &mut Tx,
    plan: &Plan,
    ground: Ground,
    (report, carry): (&RunReport, Option<&Carry>),
    now: Instant,
) -> Result<(), SyncError> {
    let seen = i64::try_from(report.users.read).unwrap_or(i64::MAX);
    if plan.undoes.is_some() {
        // Held once and its roles asked anew: what was undone must not come back by itself.
        tx.source_states().describe(&plan.source, AFTER_UNDO, "", seen).await?;
    } else {
        let is_part = carry.is_some_and(|carry| carry.kind != RunKind::Full);
        match carry {
            Some(carry) => carry.write(tx, &plan.source, plan.run_id, &plan.findings.0, now).await?,
            None => tx.findings().replace(&plan.source, plan.run_id, now, &plan.findings.0).await?,
        }
        crash_point("carried");
        if report.started_by == BY_DATES {
            // What the source says was not looked at: another mapping or other rules are still to be judged.
            if report.findings.contains_key(FindingCode::SeparationOfDuties.as_str()) {
                tx.source_states().ask_roles_anew(&plan.source).await?;
            }
        } else if !is_part {
            tx.source_states().describe(&plan.source, &ground.scope_digest, &ground.roles_digest, seen).await?;
        }
        crash_point("described");
        if !is_part {
            let after = Ground { version: ground.version + 1, ..ground };
            settled::note(tx, &plan.source, &after, plan.settles.as_deref(), plan.run_id).await?;
        }
    }
    crash_point("settled");
    if let Some(undone) = plan.undoes.filter(|_| !report.is_partial) {
        tx.plans().set_state(undone, PlanState::Undone).await?;
        if let Some(undone) = tx.plans().find(undone).await? {
            tx.guard_counts().forget(undone.run_id).await?;
        }
    }
    tx.plans().supersede(&plan.source, plan.id).await?;
    tx.sync_positions().drop_carries(&plan.source).await?;
    crash_point("superseded");
    Ok(())
}

/// One event for each person who came back under a new entry: it names the former one.
fn rehired(replaced: Vec<(String, Uuid)>, report: &RunReport, by: &str) -> Vec<Event> {
    let event = |(former, id): (String, Uuid)| {
        let details = json!({ "run": report.run_id, "change": "rehired", "former_entry": former });
        Event::new(Action::Sync, Outcome::Success, by, format!("user:{id}")).with(details)
    };
    replaced.into_iter().map(event).collect()
}

/// What the source stands on now.
pub(super) async fn current_ground(broker: &Broker, source: &str) -> Result<Ground, SyncError> {
    let config = super::source_config(broker, source)?;
    let mut tx = broker.db.read().await?;
    let state = tx.source_states().find(source).await?;
    plan::current_ground(broker, config, &mut tx, state.as_ref()).await
}

/// Locks all sources, in one order, and tells whether the others are where the plan saw them.
async fn others_stand(broker: &Broker, tx: &mut Tx, source: &str, ground: &Ground) -> Result<bool, SyncError> {
    let Some(sharing) = Sharing::of(&broker.config, super::source_config(broker, source)?) else { return Ok(true) };
    for (name, _) in tx.source_states().versions().await? {
        tx.source_states().lock(&name).await?;
    }
    Ok(sharing.others(tx).await? == ground.others)
}

/// Writes the state. Names that move are taken out of the way first, so that swaps and chains do not collide.
async fn write_rows(
    tx: &mut Tx,
    rows: &mut Rows<'_>,
    is_one_of_several: bool,
    stamp: &Stamp<'_>,
) -> Result<(), SyncError> {
    tx.departments().park(&rows.parked_departments).await?;
    tx.departments().upsert(&rows.departments).await?;
    crash_point("departments");
    tx.positions().upsert(&rows.positions).await?;
    crash_point("positions");
    tx.groups().park(&rows.parked_groups).await?;
    tx.groups().upsert(&rows.groups).await?;
    crash_point("groups");
    tx.users().park(&rows.parked_users).await?;
    crash_point("users-parked");
    tx.users().upsert(&rows.users).await?;
    for portion in std::mem::take(&mut rows.created).chunks(PORTION) {
        tx.users().upsert(&rows.join(portion, stamp)?).await?;
    }
    crash_point("users");
    tx.assignments().replace(&rows.assignments).await?;
    crash_point("assignments");
    tx.groups().remove_members(&rows.members_removed).await?;
    crash_point("members-removed");
    tx.groups().add_members(&rows.members_added).await?;
    crash_point("members");
    tx.role_grants().delete(&rows.revoked).await?;
    crash_point("roles-revoked");
    tx.role_grants().insert(&rows.granted).await?;
    for (id, owner) in &rows.owned {
        tx.users().hand_over(std::slice::from_ref(id), owner).await?;
    }
    crash_point("roles");
    if rows.is_wide {
        tx.users().touch_source(stamp.source, stamp.now).await?;
    }
    // Among them may be people of other sources.
    if is_one_of_several || !rows.is_wide {
        tx.users().touch(&rows.touched, stamp.now).await?;
    }
    crash_point("touched");
    Ok(())
}

/// One event for the run, one for the approval, one for each person locked out or let in.
fn events(changes: &[Change], report: &RunReport, by: &str, is_approved: bool) -> Vec<Event> {
    let source = format!("source:{}", report.source);
    let plan = json!({ "run": report.run_id, "plan": report.plan_id, "digest": report.plan_digest });
    let mut events = Vec::new();
    if is_approved {
        events.push(Event::new(Action::PlanDecision, Outcome::Success, by, &source).with(plan.clone()));
    }
    if let Some(undone) = report.undoes {
        let details = json!({ "run": report.run_id, "plan": report.plan_id, "undoes": undone });
        events.push(Event::new(Action::PlanDecision, Outcome::Success, by, &source).with(details));
    }
    events.push(Event::new(Action::Sync, Outcome::Success, by, &source).with(summary(report)));
    for change in changes.iter().filter(|change| change.object_kind == ObjectKind::User) {
        if matches!(change.kind, ChangeKind::Disabled | ChangeKind::Enabled) {
            let reason = change.after.as_ref().and_then(|after| after.field("status_reason"));
            let details = json!({ "run": report.run_id, "change": change.kind, "reason": reason });
            let subject = format!("user:{}", change.object_id);
            events.push(Event::new(Action::Sync, Outcome::Success, by, subject).with(details));
        }
    }
    events
}

/// The numbers of a run for the audit log.
pub(super) fn summary(report: &RunReport) -> serde_json::Value {
    let roles = report.role_totals();
    json!({
        "run": report.run_id,
        "plan": report.plan_id,
        "digest": report.plan_digest,
        "changes": report.changes,
        "users": report.users,
        "departments": report.departments,
        "positions": report.positions,
        "groups": report.groups,
        "members": report.members,
        "roles": roles,
        "findings": report.findings,
        "kind": report.kind,
        "lockout": report.lockout,
        "sessions_ended": report.sessions_ended,
        "grants_ended": report.grants_ended,
    })
}
