//! What lets a run end early: it read, entry by entry, what left nothing to do the last time.
//!
//! That holds while everything else that decides about a plan is the same as well: the links (they change only with the
//! source's version), base, filters and mapping, the role rules, and how this program reads and maps. Whatever a plan
//! comes to depend on besides must become part of [`ground`], or take the note back
//! ([`crate::store`]'s `source_states().advance()`).

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::config::SourceConfig;
use crate::crypto::sha256_hex;
use crate::model::{ObjectKind, RunId, RunState};

use super::SyncError;
use super::apply::summary;
use super::plan::{Ground, current_ground, finish, write_report};
use super::report::{Counts, GroupCounts, RunReport};

/// How entries are read, mapped and compared. Grows with every change of it, so that the next run looks at everything.
const REVISION: u32 = 2;

/// A source that had nothing left to do.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    /// Fingerprint of what was read.
    pub content: String,
    version: i64,
    last: RunReport,
}

/// Fingerprint of what decides about a plan besides the entries and the links.
pub(super) fn ground(ground: &Ground) -> String {
    let Ground { version: _, scope_digest, roles_digest, others, manner } = ground;
    let text = format!("{} {REVISION} {scope_digest} {roles_digest} {others} {manner}", env!("CARGO_PKG_VERSION"));
    sha256_hex(text.as_bytes())
}

/// Fingerprint of how entries are read and judged, which a position counts with.
pub(super) fn way(ground: &Ground) -> String {
    let version = env!("CARGO_PKG_VERSION");
    sha256_hex(format!("{version} {REVISION} {} {}", ground.scope_digest, ground.roles_digest).as_bytes())
}

impl Settled {
    /// What is known of the source; none when a run has to look at everything.
    pub async fn find(broker: &Broker, config: &SourceConfig) -> Result<Option<Self>, SyncError> {
        let mut tx = broker.db.read().await?;
        let Some(state) = tx.source_states().find(&config.name).await? else { return Ok(None) };
        let (Some(content), Some(run)) = (state.settled_content.clone(), state.settled_run_id) else {
            return Ok(None);
        };
        let now = current_ground(broker, config, &mut tx, Some(&state)).await?;
        if state.settled_ground.as_deref() != Some(&ground(&now)) {
            return Ok(None);
        }
        let last = tx.runs().find(run).await?.and_then(|run| serde_json::from_value(run.report.0).ok());
        Ok(last.map(|last| Self { content, version: state.version, last }))
    }

    /// The report of a run that read the same again; `is_applied` notes it. None when somebody applied a plan meanwhile.
    pub async fn again(
        &self,
        broker: &Broker,
        mut report: RunReport,
        is_applied: bool,
    ) -> Result<Option<RunReport>, SyncError> {
        describe(&mut report, &self.last);
        let now = broker.clock.now();
        finish(&mut report, now);
        let mut tx = broker.db.write().await?;
        let state = tx.source_states().find(&report.source).await?;
        if state.is_none_or(|state| state.version != self.version || state.settled_content.is_none()) {
            return Ok(None);
        }
        if is_applied {
            tx.findings().seen_again(&report.source, report.run_id, now).await?;
            let subject = format!("source:{}", report.source);
            let event = Event::new(Action::Sync, Outcome::Success, &report.started_by, subject).with(summary(&report));
            audit::append(&mut tx, now, &[event]).await?;
        }
        write_report(&mut tx, &report).await?;
        tx.commit().await?;
        Ok(Some(report))
    }
}

/// The numbers of the last run, with nothing done this time. Its findings hold: they are about the entries.
fn describe(report: &mut RunReport, last: &RunReport) {
    let again = |counts: &Counts| Counts {
        read: counts.read,
        unchanged: counts.read.saturating_sub(counts.quarantined),
        quarantined: counts.quarantined,
        ..Counts::default()
    };
    report.state = RunState::Unchanged;
    report.users = again(&last.users);
    report.departments = again(&last.departments);
    report.positions = again(&last.positions);
    report.groups = again(&last.groups);
    report.members = GroupCounts { skipped: last.members.skipped, ..GroupCounts::default() };
    report.masters.clone_from(&last.masters);
    report.findings.clone_from(&last.findings);
    report.finding_list.clone_from(&last.finding_list);
}

/// A sum over (kind, external id, digest) in whatever order: whether two lists of links are the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Sum {
    links: u64,
    marks: u128,
}

impl Sum {
    /// Adds a link.
    pub fn add(&mut self, kind: ObjectKind, external_id: &str, digest: &str) {
        let mark = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, kind.as_str(), external_id, digest).hash(&mut hasher);
            u128::from(hasher.finish())
        };
        self.links += 1;
        self.marks = self.marks.wrapping_add(mark(0) << 64 | mark(1));
    }
}

/// Notes after a run that nothing is left to do for `content`; none when something is, or when what was found depends on
/// more than the entries.
pub(super) async fn note(
    tx: &mut crate::store::Tx,
    source: &str,
    stands_on: &Ground,
    content: Option<&str>,
    run: RunId,
) -> Result<(), SyncError> {
    tx.source_states().settle(source, stands_on.version, content, &ground(stands_on), run).await?;
    Ok(())
}
