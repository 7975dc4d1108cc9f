//! Making a plan: from a snapshot to stored changes with a digest, a verdict and the ground they stand on.

use std::fmt::Write as _;

use crate::access::RoleRules;
use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::config::{OutOfScope, Rehire, SourceConfig, crash_point};
use crate::crypto::{Sha256, sha256_hex};
use crate::model::{
    Change, Document, NewFinding, ObjectKind, Plan, PlanId, PlanState, PlannedContribution, PlannedLink, RunKind,
    RunState, SourceState,
};
use crate::source::{Delta, Position, Snapshot};
use crate::store::{Json, PORTION, StoreError, Tx};
use crate::time::Instant;

use super::SyncError;
use super::absence;
use super::delta::{self, Carry, Note};
use super::diff::{self, Draft, Means};
use super::document::value;
use super::guard::{self, Tally};
use super::link::{Links, path};
use super::map::map;
use super::merge::{self, Sharing};
use super::record::Mapped;
use super::report::{FullReason, RunReport};
use super::settled;
use super::traffic;

/// How many findings a report holds in full; all of them are in the store.
const LISTED_FINDINGS: usize = 100;

/// A plan with everything that applying it needs.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub plan: Plan,
    pub changes: Vec<Change>,
    pub report: RunReport,
}

/// What a plan stands on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Ground {
    /// Grows with every apply; 0 before the first.
    pub version: i64,
    pub scope_digest: String,
    pub roles_digest: String,
    /// Fingerprint of what the other sources stand at, and of how sources go together; empty where there is one.
    pub others: String,
    /// What else the configuration decides: re-hires, people out of scope.
    pub manner: String,
}

impl Ground {
    pub fn new(
        config: &SourceConfig,
        rules: &RoleRules,
        state: Option<&SourceState>,
        others: String,
    ) -> Result<Self, SyncError> {
        Ok(Self {
            version: state.map_or(0, |state| state.version),
            scope_digest: guard::scope_digest(config)?,
            roles_digest: rules.digest.clone(),
            others,
            manner: format!("{} {}", config.grace.rehire, config.out_of_scope),
        })
    }

    /// The fingerprint that a plan keeps.
    pub fn fingerprint(&self) -> String {
        sha256_hex(format!("{} {} {}", self.version, self.scope_digest, self.roles_digest).as_bytes())
    }

    /// The fingerprint of a plan that depends on what other sources say.
    pub fn shared_fingerprint(&self) -> String {
        sha256_hex(format!("{} {}", self.fingerprint(), self.others).as_bytes())
    }
}

/// A look that found nothing to do.
pub(super) struct Nothing {
    pub report: RunReport,
    pub findings: Vec<NewFinding>,
    pub ground: Ground,
    /// Fingerprint of what was read, where nothing is left to do.
    pub settles: Option<String>,
    pub carry: Carry,
}

/// What the source stands on now.
pub(super) async fn current_ground(
    broker: &Broker,
    config: &SourceConfig,
    tx: &mut Tx,
    state: Option<&SourceState>,
) -> Result<Ground, SyncError> {
    let rules = RoleRules::load(&broker.config.resolve(&broker.config.policies.folder))?;
    let others = match Sharing::of(&broker.config, config) {
        Some(sharing) => sharing.others(tx).await?,
        None => String::new(),
    };
    Ground::new(config, &rules, state, others)
}

/// What came out of looking at a snapshot.
pub(super) enum Looked {
    /// Nothing differs.
    Nothing(Box<Nothing>),
    /// A plan was stored.
    Plan(Box<Prepared>),
}

/// Maps, compares, judges, and stores the plan. The report says planned, held or unchanged.
pub(super) async fn make(
    broker: &Broker,
    config: &SourceConfig,
    snapshot: Snapshot,
    position: Option<Position>,
    report: RunReport,
) -> Result<Looked, SyncError> {
    let now = broker.clock.now();
    let rules = RoleRules::load(&broker.config.resolve(&broker.config.policies.folder))?;
    let sharing = Sharing::of(&broker.config, config);
    let mut mapped = map(config, &snapshot, &[])?;
    // Whatever is needed of the entries is in the records now.
    let Snapshot { content, .. } = snapshot;
    let dangling = mapped.dangling();
    let mut tx = broker.db.read().await?;
    let state = tx.source_states().find(&config.name).await?;
    let ground = current_ground(broker, config, &mut tx, state.as_ref()).await?;
    let mut links = find_people(&mut tx, broker, config, sharing.as_ref(), &mut mapped).await?;
    // Nothing is held open while the source is asked again.
    drop(tx);
    absence::confirm(config, &broker.config.folder, &mut mapped, &mut links).await;
    let mut tx = broker.db.read().await?;
    let are_rules_new = state.as_ref().is_none_or(|state| state.roles_digest != rules.digest);
    let means = Means { config, rules: &rules, are_rules_new, sharing: sharing.as_ref(), rng: &broker.rng, now };
    let carry = Carry {
        position: position.map(|position| value(&Note { position, ground: settled::way(&ground) })),
        dangling,
        read_at: report.started_at,
        ..Carry::default()
    };
    let draft = diff::draft(&mut tx, &means, mapped, links, None).await?;
    conclude(broker, config, tx, Made { draft, state, ground, sharing, content, carry }, report).await
}

/// Like [`make`], out of what changed. The ground must be that of the last apply.
pub(super) async fn make_part(
    broker: &Broker,
    config: &SourceConfig,
    delta: &Delta,
    read_at: Instant,
    mut report: RunReport,
) -> Result<Looked, SyncError> {
    let now = broker.clock.now();
    let rules = RoleRules::load(&broker.config.resolve(&broker.config.policies.folder))?;
    let sharing = Sharing::of(&broker.config, config);
    let mut tx = broker.db.read().await?;
    let state = tx.source_states().find(&config.name).await?;
    let ground = current_ground(broker, config, &mut tx, state.as_ref()).await?;
    let mut reached = delta::reach(&mut tx, config, sharing.is_some(), delta).await?;
    let changed_at = reached.links.iter().filter(|link| link.kind == ObjectKind::User);
    let changed_at = changed_at.filter_map(|link| Some((link.object_id, *delta.changed_at.get(&link.external_id)?)));
    let last_look = tx.sync_positions().find(&config.name).await?.map(|stored| stored.taken_at);
    let changed_at = changed_at.filter(|(_, at)| delta::is_believable(*at, last_look, read_at));
    let note = Note { position: delta.position.clone(), ground: settled::way(&ground) };
    let mut carry = Carry {
        kind: report.kind,
        position: Some(value(&note)),
        full_follows: reached.full_follows.into_iter().collect(),
        dangling: reached.dangling,
        changed_at: changed_at.collect(),
        read_at,
        about: reached.about,
    };
    let mut links = Links::new(reached.links);
    for (kind, id) in reached.referred {
        links.refer(kind, id);
    }
    merge::resolve_references(&mut tx, sharing.as_ref(), &mut reached.mapped, &mut links).await?;
    // Nothing is held open while the source is asked again.
    drop(tx);
    let folder = &broker.config.folder;
    if !absence::confirm_part(config, folder, &mut reached.mapped, &mut links, &mut reached.partial.absent).await {
        // Who is gone is not said again.
        carry.full_follows.push(FullReason::Unconfirmed);
    }
    report.full_follows.clone_from(&carry.full_follows);
    let mut tx = broker.db.read().await?;
    let sharing_of = sharing.as_ref();
    let means = Means { config, rules: &rules, are_rules_new: false, sharing: sharing_of, rng: &broker.rng, now };
    let mut draft = diff::draft(&mut tx, &means, reached.mapped, links, Some(reached.partial)).await?;
    draft.is_settling = false;
    conclude(broker, config, tx, Made { draft, state, ground, sharing, content: None, carry }, report).await
}

/// A draft with what it stands on.
struct Made {
    draft: Draft,
    state: Option<SourceState>,
    ground: Ground,
    sharing: Option<Sharing>,
    /// Fingerprint of what was read.
    content: Option<String>,
    carry: Carry,
}

/// Judges a draft and stores the plan.
async fn conclude(
    broker: &Broker,
    config: &SourceConfig,
    mut tx: Tx,
    made: Made,
    mut report: RunReport,
) -> Result<Looked, SyncError> {
    let now = broker.clock.now();
    let Made { mut draft, state, ground, sharing, content, carry } = made;
    let is_part = carry.kind != RunKind::Full;
    describe(&mut report, &draft);
    // They are counted over everybody, which an increment does not look at.
    if let Some(sharing) = sharing.as_ref().filter(|_| !is_part) {
        report.masters = merge::count_masters(&mut tx, sharing, &draft.contributions, &draft.owners).await?;
    }
    if draft.changes.is_empty() && draft.links.is_empty() {
        report.state = RunState::Unchanged;
        let settles = content.filter(|_| draft.is_settling);
        return Ok(Looked::Nothing(Box::new(Nothing { report, findings: draft.findings, ground, settles, carry })));
    }
    let tally = Tally::of(draft.changes.iter());
    let mut numbers = guard::gather(&mut tx, config, &tally, now).await?;
    (numbers.last_scope, numbers.scope) = (state.map(|state| state.scope_digest), ground.scope_digest.clone());
    numbers.holds_moved_out = config.out_of_scope == OutOfScope::Hold;
    numbers.holds_rehired = config.grace.rehire == Rehire::Hold;
    traffic::describe(&mut tx, &draft.changes, &mut report).await?;
    drop(tx);
    report.held = guard::judge(&config.guard, &draft, &tally, &numbers);
    if is_part {
        // Nobody read is no surprise where only changes are read.
        report.held.retain(|reason| reason.code != "empty_snapshot");
    }
    let state = if report.held.is_empty() { PlanState::Planned } else { PlanState::Held };
    report.state = if state == PlanState::Held { RunState::Held } else { RunState::Planned };
    let changes = std::mem::take(&mut draft.changes);
    let plan = Plan {
        id: PlanId::new(&broker.rng, now),
        source: config.name.clone(),
        run_id: report.run_id,
        state,
        digest: digest(&changes),
        ground: if draft.is_shared { ground.shared_fingerprint() } else { ground.fingerprint() },
        guard: Json(value(&report.held)),
        summary: Json(serde_json::Value::Null),
        findings: Json(draft.findings),
        undoes: None,
        created_at: now,
        expires_at: now + config.guard.approval_expires.0,
        decided_at: None,
        decided_by: None,
        applied_at: None,
        settles: content.filter(|_| draft.is_settling),
        approved_by: None,
        approved_at: None,
        reason: None,
    };
    let said = (draft.links.as_slice(), draft.contributions.as_slice());
    let prepared = store_with(broker, plan, changes, said, report, Some(&carry)).await?;
    Ok(Looked::Plan(Box::new(prepared)))
}

/// The links of the source, with those of entries that turn out to be people whom others know or who come back.
async fn find_people(
    tx: &mut Tx,
    broker: &Broker,
    config: &SourceConfig,
    sharing: Option<&Sharing>,
    mapped: &mut Mapped,
) -> Result<Links, StoreError> {
    let mut links = Links::new(tx.links().list_by_source(&config.name).await?);
    merge::correlate(tx, config, sharing, mapped, &mut links).await?;
    merge::find_orphans(tx, &broker.config, mapped).await?;
    merge::resolve_references(tx, sharing, mapped, &mut links).await?;
    Ok(links)
}

/// Writes a plan that was not read from the source, such as an undo.
pub(super) async fn store(
    broker: &Broker,
    plan: Plan,
    changes: Vec<Change>,
    said: (&[PlannedLink], &[PlannedContribution]),
    report: RunReport,
) -> Result<Prepared, SyncError> {
    store_with(broker, plan, changes, said, report, None).await
}

/// Writes a plan with its changes, links and run. A plan that is held goes into the audit log.
async fn store_with(
    broker: &Broker,
    mut plan: Plan,
    changes: Vec<Change>,
    (links, contributions): (&[PlannedLink], &[PlannedContribution]),
    mut report: RunReport,
    carry: Option<&Carry>,
) -> Result<Prepared, SyncError> {
    report.plan_id = Some(plan.id);
    report.plan_digest = Some(plan.digest.clone());
    report.changes = u64::try_from(changes.len()).unwrap_or(u64::MAX);
    finish(&mut report, broker.clock.now());
    plan.summary = Json(value(&report));
    let mut tx = broker.db.write().await?;
    tx.plans().insert(&plan).await?;
    crash_point("plan-row");
    tx.plans().insert_changes(plan.id, &changes).await?;
    crash_point("plan-changes");
    for portion in links.chunks(PORTION) {
        let paths: Vec<String> = portion.iter().map(|link| path(&link.dn)).collect();
        tx.plans().insert_links(plan.id, portion, &paths).await?;
    }
    crash_point("plan-links");
    if let Some(carry) = carry {
        tx.sync_positions().insert_carry(plan.id, &carry.value()).await?;
    }
    tx.contributions().plan(plan.id, contributions).await?;
    if let Some(undone) = plan.undoes {
        tx.contributions().plan_undo(plan.id, undone).await?;
    }
    write_report(&mut tx, &report).await?;
    crash_point("plan-reported");
    if plan.state == PlanState::Held {
        let held: Vec<&str> = report.held.iter().map(|reason| reason.code.as_str()).collect();
        let event = Event::new(Action::Sync, Outcome::Denied, &report.started_by, format!("source:{}", plan.source))
            .with(serde_json::json!({ "run": report.run_id, "plan": plan.id, "digest": plan.digest, "held": held }));
        audit::append(&mut tx, broker.clock.now(), &[event]).await?;
    }
    tx.commit().await?;
    crash_point("planned");
    Ok(Prepared { plan, changes, report })
}

/// Ends the clock of a report.
pub(super) fn finish(report: &mut RunReport, now: crate::time::Instant) {
    report.ended_at = Some(now);
    report.duration_ms = (now - report.started_at).num_milliseconds();
}

/// Writes the report into its run.
pub(super) async fn write_report(tx: &mut Tx, report: &RunReport) -> Result<(), StoreError> {
    let ended_at = report.ended_at.unwrap_or(report.started_at);
    tx.runs().update(report.run_id, report.state, ended_at, report.plan_id, &Json(value(report))).await
}

/// SHA-256 over the changes, with their documents as they are stored.
pub(super) fn digest(changes: &[Change]) -> String {
    let mut digest = Sha256::new();
    let mut text = String::new();
    for change in changes {
        text.clear();
        let object = change.object_id;
        let _ = write!(text, "{} {} {object}", change.kind.as_str(), change.object_kind.as_str());
        for document in [&change.before, &change.after] {
            match document.as_ref().map(Document::text) {
                Some(document) => drop(write!(text, "\n{} {document}", document.len())),
                None => text.push_str("\n-"),
            }
        }
        text.push('\n');
        digest.update(text.as_bytes());
    }
    digest.finish_hex()
}

/// Takes the numbers of a draft into the report.
fn describe(report: &mut RunReport, draft: &Draft) {
    let counts = |kind: ObjectKind| draft.counts.get(&kind).copied().unwrap_or_default();
    report.users = counts(ObjectKind::User);
    report.departments = counts(ObjectKind::Department);
    report.positions = counts(ObjectKind::Position);
    report.groups = counts(ObjectKind::Group);
    report.members = draft.members;
    report.roles.clone_from(&draft.roles);
    report.absent_by_department.clone_from(&draft.absent_by_department);
    report.department_names.clone_from(&draft.department_names);
    report.moved_out = u64::try_from(draft.moved_out).unwrap_or(0);
    report.rehired = u64::try_from(draft.rehired).unwrap_or(0);
    for finding in &draft.findings {
        *report.findings.entry(finding.code.clone()).or_default() += 1;
    }
    report.finding_list = draft.findings.iter().take(LISTED_FINDINGS).cloned().collect();
}
