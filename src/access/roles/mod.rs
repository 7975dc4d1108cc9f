//! Role rules: `policies/roles.toml`, evaluated for everybody at once.
//!
//! A rule gives one role to the active people who meet all of its conditions; several rules may give the same role. How
//! to add a condition: a field in [`RoleRule`] and a line in its `problem` (`rule`), a line where it is looked up and one
//! where it is asked (`evaluate`).

mod evaluate;
mod facts;
mod index;
mod rule;

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use super::separation::Separation;
use crate::config::one_line;
use crate::crypto::sha256_hex;

pub use facts::{GrantKey, RoleDepartment, RoleFacts, RolePerson};
use rule::AnyOf;
pub use rule::RoleRule;

/// The role rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RoleRuleError {
    /// The file cannot be read.
    #[error("the role rules `{path}` cannot be read: {cause}")]
    Read {
        /// Which file.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file is no valid TOML, or holds a key that does not belong there.
    #[error("{path}:{message}")]
    Parse {
        /// Which file.
        path: String,
        /// Line, column and what is wrong.
        message: String,
    },
    /// Rules that do not go together.
    #[error("{path}: rule `{rule}` {problem}")]
    Check {
        /// Which file.
        path: String,
        /// Which rule.
        rule: String,
        /// What is wrong with it.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleFile {
    #[serde(default, rename = "rule")]
    rules: Vec<RoleRule>,
}

/// The role rules with the pairs of roles that one person may not hold, and a fingerprint of both.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleRules {
    rules: Vec<RoleRule>,
    /// `sod.toml`.
    pub separation: Separation,
    /// SHA-256 over the text.
    pub digest: String,
}

impl RoleRules {
    /// Loads `roles.toml` and `sod.toml` of the policies' folder. A folder without them has no rules and no pairs.
    ///
    /// # Errors
    /// [`RoleRuleError`], which names the file, the place and the rule.
    pub fn load(folder: &Path) -> Result<Self, RoleRuleError> {
        let (path, text) = read(&folder.join("roles.toml"))?;
        let mut rules = Self::parse(&path, &text.unwrap_or_default())?;
        let (path, text) = read(&folder.join("sod.toml"))?;
        if let Some(text) = text {
            rules.separation = Separation::parse(&path, &text)?;
            rules.digest = sha256_hex(format!("{}\n{text}", rules.digest).as_bytes());
        }
        Ok(rules)
    }

    /// Checks `text` as if it stood in the file `path`.
    ///
    /// # Errors
    /// [`RoleRuleError::Parse`] and [`RoleRuleError::Check`].
    pub fn parse(path: &str, text: &str) -> Result<Self, RoleRuleError> {
        let file: RoleFile = toml::from_str(text)
            .map_err(|error| RoleRuleError::Parse { path: path.to_owned(), message: one_line(text, &error) })?;
        let mut seen = BTreeSet::new();
        for rule in &file.rules {
            let problem = match rule.problem() {
                None if !seen.insert(rule.id.as_str()) => "exists twice: rename one",
                None => continue,
                Some(problem) => problem,
            };
            let (rule, problem) = (rule.id.clone(), problem.to_owned());
            return Err(RoleRuleError::Check { path: path.to_owned(), rule, problem });
        }
        Ok(Self { rules: file.rules, separation: Separation::default(), digest: sha256_hex(text.as_bytes()) })
    }

    /// The rule of that id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&RoleRule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Whether a scope names departments: an evaluation over some of the people needs these as well.
    #[must_use]
    pub fn name_scopes(&self) -> bool {
        self.rules.iter().any(RoleRule::names_scope)
    }

    /// Every rule, in the order of the file.
    #[must_use]
    pub fn list(&self) -> &[RoleRule] {
        &self.rules
    }
}

/// The text of a file; none where there is no such file.
fn read(file: &Path) -> Result<(String, Option<String>), RoleRuleError> {
    let path = file.display().to_string();
    match std::fs::read_to_string(file) {
        Ok(text) => Ok((path, Some(text))),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok((path, None)),
        Err(cause) => Err(RoleRuleError::Read { path, cause }),
    }
}

#[cfg(test)]
mod tests {
    use super::{RoleDepartment, RoleFacts, RolePerson, RoleRules};
    use crate::model::{Attributes, DepartmentId, GroupId, Member, ObjectKind, PositionId, UserId};
    use uuid::Uuid;

    const TEXT: &str = r#"
        [[rule]]
        id = "all"
        role = "employee"
        description = "everybody"
        everyone = true
        [[rule]]
        id = "finance"
        role = "clerk"
        description = "finance and below, clerks only"
        department = "FIN"
        position = ["clerk", "senior clerk"]
        [[rule]]
        id = "approvers"
        role = "approver"
        description = "by group"
        group = "approvers"
        [[rule]]
        id = "leads"
        role = "approver"
        description = "by attribute"
        attribute = { name = "grade", value = ["M1", "M2"] }
    "#;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn rules_are_evaluated_for_everybody_at_once() {
        let rules = RoleRules::parse("roles.toml", TEXT).unwrap();
        let (none, grade) = (Attributes::new(), Attributes::from([("grade".to_owned(), vec!["m2".to_owned()])]));
        let person = |number, department: u128, attributes| RolePerson {
            id: UserId(id(number)),
            department: Some(DepartmentId(id(department))),
            position: Some(PositionId(id(20))),
            title: None,
            employee_number: None,
            mail: None,
            attributes,
            manager: None,
            assignments: &[],
        };
        let member =
            |group, member_kind, member| Member { group_id: GroupId(id(group)), member_kind, member_id: id(member) };
        let facts = RoleFacts {
            people: vec![person(1, 11, &none), person(2, 12, &grade)],
            departments: [
                (DepartmentId(id(10)), RoleDepartment::plain("fin", None)),
                (DepartmentId(id(11)), RoleDepartment::plain("fin-ap", Some(DepartmentId(id(10))))),
                (DepartmentId(id(12)), RoleDepartment::plain("sales", None)),
            ]
            .into(),
            positions: [(PositionId(id(20)), "Senior  Clerk")].into(),
            groups: [(GroupId(id(30)), "approvers"), (GroupId(id(31)), "inner")].into(),
            members: vec![
                member(30, ObjectKind::Group, 31),
                member(31, ObjectKind::Group, 30),
                member(31, ObjectKind::User, 1),
            ],
            ..RoleFacts::default()
        };
        let grants: Vec<(u128, String, String)> = rules
            .evaluate(&facts)
            .into_iter()
            .map(|grant| (grant.user_id.0.as_u128(), grant.role.to_string(), grant.rule.to_string()))
            .collect();
        let expected = [(1, "approver", "approvers"), (1, "clerk", "finance"), (1, "employee", "all")];
        let more = [(2, "approver", "leads"), (2, "employee", "all")];
        let expected: Vec<(u128, String, String)> =
            expected.into_iter().chain(more).map(|(user, role, rule)| (user, role.into(), rule.into())).collect();
        assert_eq!(grants, expected);
    }

    #[test]
    fn faults_name_the_place() {
        let parse = |text: &str| RoleRules::parse("roles.toml", text).unwrap_err().to_string();
        let rule = "[[rule]]\nid = \"a\"\nrole = \"r\"\ndescription = \"d\"\n";
        assert!(parse(&format!("{rule}departement = \"x\"\n")).contains("departement"));
        assert!(parse(rule).contains("rule `a` needs either"));
        assert!(parse(&format!("{rule}everyone = true\n{rule}everyone = true\n")).contains("exists twice"));
        assert!(parse(&format!("{rule}group = \" \"\n")).contains("empty condition"));
        assert!(parse(&format!("{rule}attribute = {{ name = \"title\" }}\n")).contains("value, prefix or not"));
        assert!(parse(&rule.replace("\"r\"", "\"r@x\"")).contains("holds a `@`"));
        assert!(parse("[[rule]]\nid = 3\n").starts_with("roles.toml:2:"));
    }
}
