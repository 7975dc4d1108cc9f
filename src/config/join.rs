//! `[source.join]`, `[source.grace]`, `out_of_scope` and `[precedence]`: several sources over one person, and what becomes
//! of those who are gone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Config, Lifetime, SourceConfig};
use crate::model::{ContributedField, JoinKey};
use crate::string_enum;

string_enum! {
    /// What becomes of a new entry whose person another source owns.
    OnOwned {
        /// Its source contributes attributes.
        Contribute = "contribute",
        /// A finding; the entry is left out.
        Finding = "finding",
    }
}

string_enum! {
    /// What becomes of a new entry that carries the employee number of somebody who is gone.
    Rehire {
        /// The same person comes back, with the same id.
        Restore = "restore",
        /// The same, and the guard holds the plan until somebody approves.
        Hold = "hold",
        /// Somebody new.
        New = "new",
    }
}

string_enum! {
    /// What becomes of people whose entries are still at the source, outside of base and filter.
    OutOfScope {
        /// They are locked out, with a reason of their own, and never deleted.
        Disable = "disable",
        /// They stay as they are.
        Keep = "keep",
        /// They are locked out once somebody approves the plan.
        Hold = "hold",
    }
}

/// `[source.join]`: how entries find people whom other sources own.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct JoinConfig {
    /// What is compared, in this order: the first that finds exactly one person counts.
    pub by: Vec<JoinKey>,
    /// Whether entries that find nobody become people of this source. `false`: the source only adds attributes.
    pub creates: bool,
    /// What becomes of entries whose person another source owns.
    pub on_owned: OnOwned,
    /// Whether this source takes over people whom their owner no longer has.
    pub adopts: bool,
}

impl Default for JoinConfig {
    fn default() -> Self {
        Self { by: vec![JoinKey::EmployeeNumber], creates: true, on_owned: OnOwned::Contribute, adopts: false }
    }
}

/// `[source.grace]`: from locked out to deleted, and back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GraceConfig {
    /// How long people who are gone stay restorable; never deleted when missing.
    pub delete_after: Option<Lifetime>,
    /// More than so many are not deleted at once without approval.
    pub max_deleted: i64,
    /// What becomes of a new entry with the employee number of somebody who is gone.
    pub rehire: Rehire,
}

impl Default for GraceConfig {
    fn default() -> Self {
        Self { delete_after: None, max_deleted: 100, rehire: Rehire::Restore }
    }
}

/// `[precedence]`: field → sources, the first of which that has a value is its master.
pub type PrecedenceConfig = BTreeMap<ContributedField, Vec<String>>;

impl SourceConfig {
    /// Whether entries of the source may become people of their own.
    #[must_use]
    pub fn creates(&self) -> bool {
        self.join.as_ref().is_none_or(|join| join.creates)
    }
}

impl Config {
    /// What is wrong with joins and precedence.
    pub(super) fn check_joins(&self, problems: &mut Vec<String>) {
        for source in &self.sources {
            let name = &source.name;
            for dn in source.excludes.iter().filter(|dn| !dn.contains('=')) {
                problems.push(format!(
                    "source `{name}`: excludes: `{dn}` is no DN; write one such as \"DC=child,DC=example,DC=com\""
                ));
            }
            let Some(join) = &source.join else { continue };
            if join.by.is_empty() {
                problems.push(format!("source `{name}`: join.by is empty; write by = [\"employee_number\"]"));
            }
            if join.by.contains(&JoinKey::EmployeeNumber) && source.users.employee_number.is_none() {
                problems.push(format!(
                    "source `{name}`: join.by wants the employee number; map users.employee_number, or join by something else"
                ));
            }
            if join.adopts && !join.creates {
                problems.push(format!("source `{name}`: join.adopts needs join.creates: who only adds owns nobody"));
            }
        }
        for (field, sources) in &self.precedence {
            for source in sources.iter().filter(|source| self.source(source).is_none()) {
                problems.push(format!("precedence.{field}: there is no [[source]] called `{source}`"));
            }
        }
    }
}
