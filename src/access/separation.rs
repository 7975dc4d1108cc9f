//! Separation of duties: `policies/sod.toml`, pairs of roles that one person may not hold at once.
//!
//! Two roles that hold for parts of the company that do not overlap make no conflict. An exemption names the person, who
//! approved it and its last day.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::roles::{GrantKey, RoleDepartment, RoleRuleError};
use crate::config::one_line;
use crate::model::{DepartmentId, UserId};
use crate::string_enum;
use crate::text::fold;
use crate::time::Date;

string_enum! {
    /// What a conflict does to a plan.
    Severity {
        /// The plan that would make it is held.
        Block = "block",
        /// It is reported.
        Warn = "warn",
    }
}

/// One `[[pair]]`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Id, unique.
    pub id: String,
    /// The two roles.
    pub roles: [String; 2],
    /// What a conflict does to a plan.
    pub severity: Severity,
    /// Why nobody may hold both.
    pub description: String,
    /// What makes up for it where somebody is exempt: a compensating control.
    #[serde(default)]
    pub note: Option<String>,
    /// Who may hold both for a while.
    #[serde(default)]
    pub exempt: Vec<Exemption>,
}

/// One `[[pair.exempt]]`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// Login name.
    pub person: String,
    /// Last day, such as `"2027-03-31"`.
    pub until: Date,
    /// Who approved it.
    pub approved_by: String,
    /// Why.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeparationFile {
    #[serde(default, rename = "pair")]
    pairs: Vec<Pair>,
}

/// The pairs, in the order of the file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Separation {
    pairs: Vec<Pair>,
}

/// A person who holds both roles of a pair, by the pair's place in the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Conflict {
    /// The person.
    pub user_id: UserId,
    /// Place of the pair in [`Separation::pairs`].
    pub pair: usize,
}

impl Separation {
    /// Checks `text` as if it stood in the file `path`.
    ///
    /// # Errors
    /// [`RoleRuleError::Parse`] and [`RoleRuleError::Check`].
    pub fn parse(path: &str, text: &str) -> Result<Self, RoleRuleError> {
        let file: SeparationFile = toml::from_str(text)
            .map_err(|error| RoleRuleError::Parse { path: path.to_owned(), message: one_line(text, &error) })?;
        let mut seen = BTreeSet::new();
        for pair in &file.pairs {
            let [one, other] = &pair.roles;
            let problem = if pair.id.trim().is_empty() {
                "has an empty id"
            } else if !seen.insert(pair.id.as_str()) {
                "exists twice: rename one"
            } else if one.trim().is_empty() || other.trim().is_empty() {
                "names an empty role"
            } else if one == other {
                "names one role twice: who holds a role always holds it"
            } else if pair.exempt.iter().any(|of| of.approved_by.trim().is_empty()) {
                "exempts somebody whom nobody approved: fill in approved_by"
            } else {
                continue;
            };
            let (path, rule) = (path.to_owned(), pair.id.clone());
            return Err(RoleRuleError::Check { path, rule, problem: problem.to_owned() });
        }
        Ok(Self { pairs: file.pairs })
    }

    /// The pairs.
    #[must_use]
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Everybody who holds both roles of a pair for parts of the company that overlap. `grants` may come in any order.
    #[must_use]
    pub fn conflicts<'g>(&self, grants: impl IntoIterator<Item = &'g GrantKey>, tree: &Tree) -> BTreeSet<Conflict> {
        let mut sides: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
        for (pair, of) in self.pairs.iter().enumerate() {
            for (side, role) in of.roles.iter().enumerate() {
                sides.entry(role.as_str()).or_default().push((pair, side));
            }
        }
        // (person, pair) → the scopes in which each side is held.
        let mut held: HashMap<(UserId, usize), [Vec<&str>; 2]> = HashMap::new();
        for grant in grants {
            for (pair, side) in sides.get(&*grant.role).into_iter().flatten() {
                let scopes = held.entry((grant.user_id, *pair)).or_default();
                if let Some(scopes) = scopes.get_mut(*side) {
                    scopes.push(&grant.scope);
                }
            }
        }
        let overlaps = |[one, other]: &[Vec<&str>; 2]| one.iter().any(|a| other.iter().any(|b| tree.overlaps(a, b)));
        let found = held.into_iter().filter(|(_, scopes)| overlaps(scopes));
        found.map(|((user_id, pair), _)| Conflict { user_id, pair }).collect()
    }
}

impl Pair {
    /// The exemption of a person on that day.
    #[must_use]
    pub fn exemption(&self, login: &str, today: Date) -> Option<&Exemption> {
        let key = fold(login);
        self.exempt.iter().find(|of| fold(&of.person) == key && today <= of.until)
    }
}

/// The tree of departments by code: whether two parts of the company overlap.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Code → all codes at or above it.
    above: BTreeMap<String, BTreeSet<String>>,
}

impl Tree {
    /// The tree of these departments.
    #[must_use]
    pub fn new(departments: &HashMap<DepartmentId, RoleDepartment<'_>>) -> Self {
        let mut above: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (id, department) in departments {
            let codes = above.entry(department.code.to_owned()).or_default();
            let mut at = Some(*id);
            for _ in 0..=departments.len() {
                let Some(own) = at.and_then(|id| departments.get(&id)) else { break };
                codes.insert(own.code.to_owned());
                at = own.parent;
            }
        }
        Self { above }
    }

    /// Whether the two parts have anything in common; an empty code is the whole company.
    #[must_use]
    pub fn overlaps(&self, one: &str, other: &str) -> bool {
        let is_below = |low: &str, high: &str| self.above.get(low).is_some_and(|above| above.contains(high));
        one.is_empty() || other.is_empty() || one == other || is_below(one, other) || is_below(other, one)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{Separation, Tree};
    use crate::access::{GrantKey, RoleDepartment};
    use crate::model::{DepartmentId, UserId};
    use uuid::Uuid;

    const TEXT: &str = r#"
        [[pair]]
        id = "pay"
        roles = ["approver", "clerk"]
        severity = "block"
        description = "who approves does not pay"
        [[pair.exempt]]
        person = "Wang"
        until = "2026-12-31"
        approved_by = "li.na"
        reason = "holiday"
    "#;

    fn grant(user: u128, role: &str, scope: &str) -> GrantKey {
        GrantKey { user_id: UserId(Uuid::from_u128(user)), role: role.into(), rule: "r".into(), scope: scope.into() }
    }

    #[test]
    fn both_roles_for_overlapping_parts_are_a_conflict() {
        let separation = Separation::parse("sod.toml", TEXT).unwrap();
        let id = |number| DepartmentId(Uuid::from_u128(number));
        let tree = Tree::new(&HashMap::from([
            (id(1), RoleDepartment::plain("QY", None)),
            (id(2), RoleDepartment::plain("HD", Some(id(1)))),
            (id(3), RoleDepartment::plain("HN", Some(id(1)))),
        ]));
        let grants = [
            grant(1, "approver", ""),
            grant(1, "clerk", "HD"),
            grant(2, "approver", "HD"),
            grant(2, "clerk", "HN"),
            grant(3, "approver", "QY"),
            grant(3, "clerk", "HN"),
            grant(4, "approver", ""),
        ];
        let found = separation.conflicts(&grants, &tree);
        let people: Vec<u128> = found.iter().map(|conflict| conflict.user_id.0.as_u128()).collect();
        assert_eq!(people, [1, 3]);
    }

    #[test]
    fn exemptions_end() {
        let separation = Separation::parse("sod.toml", TEXT).unwrap();
        let pair = &separation.pairs()[0];
        assert!(pair.exemption("wang", "2026-12-31".parse().unwrap()).is_some());
        assert!(pair.exemption("wang", "2027-01-01".parse().unwrap()).is_none());
        assert!(pair.exemption("li", "2026-12-31".parse().unwrap()).is_none());
    }

    #[test]
    fn faults_name_the_pair() {
        let parse = |text: &str| Separation::parse("sod.toml", text).unwrap_err().to_string();
        assert!(parse(&TEXT.replace("\"clerk\"", "\"approver\"")).contains("`pay` names one role twice"));
        assert!(parse(&TEXT.replace("li.na", "")).contains("nobody approved"));
        assert!(parse(&TEXT.replace("block", "forbid")).starts_with("sod.toml:"));
    }
}
