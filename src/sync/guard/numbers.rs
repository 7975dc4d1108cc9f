//! What the guard compares a plan with: how many there are, and what was done lately. Each is a query over the whole
//! source, asked only where the plan could reach a limit by it.

use std::collections::HashMap;

use chrono::Duration;
use uuid::Uuid;

use crate::config::SourceConfig;
use crate::store::{StoreError, Tx};
use crate::time::Instant;

use super::tally::{DEPARTMENTS, GROUPS, ROLES, Tally};

/// Numbers before the plan.
#[derive(Clone, Debug, Default)]
pub(in crate::sync) struct Numbers {
    /// Active people of the source.
    pub active: i64,
    /// Its active departments.
    pub departments: i64,
    /// Its active groups.
    pub groups: i64,
    /// Roles that its people hold by rules.
    pub roles: i64,
    /// Attribute → people who have it.
    pub having: HashMap<String, i64>,
    /// Fingerprint of base, filters and mapping at the last apply; none before the first.
    pub last_scope: Option<String>,
    /// The same as configured now.
    pub scope: String,
    /// Whether people who moved out of scope hold the plan.
    pub holds_moved_out: bool,
    /// Whether people who come back under a new entry hold the plan.
    pub holds_rehired: bool,
    /// Group → (code, members).
    pub members: HashMap<Uuid, (String, i64)>,
    /// (what, about) → within a day, within a week, without an approval.
    pub lately: HashMap<(String, String), (i64, i64)>,
}

impl Numbers {
    /// Whether there was anybody before.
    pub fn is_known(&self) -> bool {
        self.last_scope.is_some() && self.active > 0
    }

    /// What was done lately: (within a day, within a week).
    pub fn lately(&self, what: &str) -> (i64, i64) {
        self.lately_about(what, "")
    }

    /// The same of one group.
    pub fn lately_about(&self, what: &str, about: &str) -> (i64, i64) {
        self.lately.get(&(what.to_owned(), about.to_owned())).copied().unwrap_or_default()
    }

    /// Code and members of a group; a new one has neither.
    pub fn group(&self, id: Uuid) -> (&str, i64) {
        self.members.get(&id).map_or(("", 0), |(code, members)| (code, *members))
    }
}

#[cfg(test)]
impl Numbers {
    pub fn with_lately(mut self, what: &str, about: &str, counts: (i64, i64)) -> Self {
        self.lately.insert((what.to_owned(), about.to_owned()), counts);
        self
    }

    pub fn with_group(mut self, id: Uuid, code: &str, members: i64) -> Self {
        self.members.insert(id, (code.to_owned(), members));
        self
    }
}

/// Asks for what the plan's counts are judged by.
pub(in crate::sync) async fn gather(
    tx: &mut Tx,
    config: &SourceConfig,
    tally: &Tally,
    now: Instant,
) -> Result<Numbers, StoreError> {
    let (source, floor) = (config.name.as_str(), config.guard.floor);
    let mut numbers = Numbers { active: tx.users().count_active(source).await?, ..Numbers::default() };
    if tally.count(DEPARTMENTS) > floor {
        numbers.departments = tx.census().departments(source).await?;
    }
    if tally.count(GROUPS) > floor {
        numbers.groups = tx.census().groups(source).await?;
    }
    if tally.count(ROLES) > floor {
        numbers.roles = tx.census().roles(source).await?;
    }
    for (attribute, _) in tally.attributes.iter().filter(|(_, (_, emptied))| *emptied > floor) {
        let having = tx.census().having(source, attribute).await?;
        numbers.having.insert(attribute.clone(), having);
    }
    let groups: Vec<Uuid> = tally.groups.keys().copied().collect();
    let sizes = tx.census().group_sizes(&groups).await?;
    numbers.members = sizes.into_iter().map(|(id, code, members)| (id, (code, members))).collect();
    for (id, code) in &tally.codes {
        numbers.members.entry(*id).or_insert_with(|| (code.clone(), 0));
    }
    let lately = tx.guard_counts().since(source, now - Duration::days(1), now - Duration::weeks(1)).await?;
    numbers.lately = lately.into_iter().map(|(what, about, day, week)| ((what, about), (day, week))).collect();
    Ok(numbers)
}
