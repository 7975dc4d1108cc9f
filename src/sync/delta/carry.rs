//! What a plan writes beside its changes and links, in the same transaction: where the source is continued from, which
//! references lead nowhere, which findings it is about, how long its leavers could still get in.

use std::collections::{BTreeMap, HashSet};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::model::{Lockout, NewFinding, PlanId, RunId, RunKind, UserId};
use crate::source::Position;
use crate::store::Tx;
use crate::time::Instant;

use super::super::SyncError;
use super::super::document::value;
use super::super::report::{FullReason, LockoutTimes, RunReport};

/// A position as stored: it counts only while everything else that decides about a plan is the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sync) struct Note {
    pub position: Position,
    /// `settled::ground`.
    pub ground: String,
}

/// How far ahead of ours a directory's clock may be.
const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// How long before the last look a change may have been made that it did not show: a look takes a while, a change reaches
/// a replica late.
const LATE: TimeDelta = TimeDelta::hours(1);

/// Whether what a directory says of when an entry changed can be when the change was made that was read now. A person whom
/// another entry takes out (a unit that moved, say) may not have changed for years.
pub(in crate::sync) fn is_believable(changed_at: Instant, last_look: Option<Instant>, read_at: Instant) -> bool {
    changed_at <= read_at + AHEAD && last_look.is_none_or(|last| changed_at >= last - LATE)
}

/// What a plan carries.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sync) struct Carry {
    pub kind: RunKind,
    /// The [`Note`]; none when the source cannot be continued from what was read.
    pub position: Option<Value>,
    pub full_follows: Vec<FullReason>,
    /// A full run: every name that leads nowhere. An increment: those that are new.
    pub dangling: Vec<String>,
    /// When the entries of people changed, by our id.
    pub changed_at: BTreeMap<Uuid, Instant>,
    /// When the read began.
    pub read_at: Instant,
    /// External ids that an increment is about.
    pub about: Vec<String>,
}

impl Default for Carry {
    fn default() -> Self {
        Self {
            kind: RunKind::Full,
            position: None,
            full_follows: Vec::new(),
            dangling: Vec::new(),
            changed_at: BTreeMap::new(),
            read_at: Instant::default(),
            about: Vec::new(),
        }
    }
}

impl Carry {
    /// What the plan carries; nothing where it is none that was read, such as an undo.
    pub async fn find(tx: &mut Tx, plan: PlanId) -> Result<Option<Self>, SyncError> {
        Ok(tx.sync_positions().find_carry(plan).await?.map(serde_json::from_value).transpose()?)
    }

    /// Writes everything but the lock-outs.
    pub async fn write(
        &self,
        tx: &mut Tx,
        source: &str,
        run: RunId,
        findings: &[NewFinding],
        now: Instant,
    ) -> Result<(), SyncError> {
        if self.kind == RunKind::Full {
            tx.findings().replace(source, run, now, findings).await?;
            let known: HashSet<String> =
                tx.sync_positions().list_dangling(source).await?.into_iter().map(|row| row.0).collect();
            let found: HashSet<&String> = self.dangling.iter().collect();
            let gone: Vec<String> = known.iter().filter(|path| !found.contains(path)).cloned().collect();
            let new: Vec<String> = self.dangling.iter().filter(|path| !known.contains(*path)).cloned().collect();
            tx.sync_positions().remove_dangling(source, &gone).await?;
            tx.sync_positions().add_dangling(source, &new).await?;
        } else {
            tx.findings().merge(source, run, now, &self.about, findings).await?;
            tx.sync_positions().add_dangling(source, &self.dangling).await?;
        }
        let because = self.full_follows.first().map(ToString::to_string);
        Ok(tx.sync_positions().store(source, self.position.as_ref(), now, because).await?)
    }

    /// Notes how long each of the people who are locked out now could still get in, and tells the report.
    pub async fn time(
        &self,
        tx: &mut Tx,
        people: &[UserId],
        report: &mut RunReport,
        now: Instant,
    ) -> Result<(), SyncError> {
        let lockout = |user: &UserId| {
            let changed_at = self.changed_at.get(&user.0).copied();
            // What was read had happened, whatever the directory's clock says.
            let since = changed_at.map_or(self.read_at, |at| at.min(self.read_at));
            Lockout {
                run_id: report.run_id,
                user_id: *user,
                source: report.source.clone(),
                changed_at,
                read_at: self.read_at,
                committed_at: now,
                // Ours may have been set back in between.
                millis: (now - since).num_milliseconds().max(0),
            }
        };
        let lockouts: Vec<Lockout> = people.iter().map(lockout).collect();
        report.lockout = times(&lockouts);
        Ok(tx.sync_positions().insert_lockouts(&lockouts).await?)
    }

    pub fn value(&self) -> Value {
        value(self)
    }
}

fn times(lockouts: &[Lockout]) -> Option<LockoutTimes> {
    let mut all: Vec<i64> = lockouts.iter().map(|lockout| lockout.millis).collect();
    all.sort_unstable();
    Some(LockoutTimes {
        people: u64::try_from(all.len()).unwrap_or(u64::MAX),
        timed: u64::try_from(lockouts.iter().filter(|lockout| lockout.changed_at.is_some()).count()).unwrap_or(0),
        max_ms: *all.last()?,
        median_ms: *all.get(all.len() / 2)?,
    })
}

#[cfg(test)]
mod tests {
    use super::{is_believable, times};
    use crate::model::{Lockout, RunId, UserId};
    use crate::time::Instant;

    #[test]
    fn the_longest_and_the_median_are_told() {
        let lockout = |millis: i64| Lockout {
            run_id: RunId(uuid::Uuid::nil()),
            user_id: UserId(uuid::Uuid::nil()),
            source: String::new(),
            changed_at: (millis > 10).then(Instant::default),
            read_at: Instant::default(),
            committed_at: Instant::default(),
            millis,
        };
        let told = times(&[lockout(900), lockout(10), lockout(100)]).unwrap();
        assert_eq!((told.people, told.timed, told.max_ms, told.median_ms), (3, 2, 900, 100));
        assert_eq!(times(&[]), None);
    }

    #[test]
    fn clocks_differ_within_bounds() {
        let at = |minutes: i64| Instant::default() + chrono::TimeDelta::minutes(minutes);
        let read_at = at(600);
        for (changed, last_look, is_believed) in [
            (at(599), Some(at(598)), true),
            (at(604), Some(at(598)), true),
            (at(606), Some(at(598)), false),
            // Made while the last look was under way, or late at a replica.
            (at(550), Some(at(598)), true),
            (at(530), Some(at(598)), false),
            // Nobody has looked for long.
            (at(530), Some(at(100)), true),
            (at(-1_000_000), None, true),
        ] {
            assert_eq!(is_believable(changed, last_look, read_at), is_believed, "{changed} {last_look:?}");
        }
    }
}
