//! Role rules: `policies/roles.toml`, evaluated for everybody at once.
//!
//! A rule gives one role to the active people who meet all of its conditions; several rules may give the same role. How
//! to add a condition: a field in [`RoleRule`], a line in [`RoleRule::holds`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use uuid::Uuid;

use crate::config::one_line;
use crate::crypto::sha256_hex;
use crate::model::{Attributes, DepartmentId, GroupId, Member, ObjectKind, PositionId, UserId};
use crate::text::fold;

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

/// One value, or a list of which one has to fit.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged)]
enum AnyOf {
    One(String),
    Several(Vec<String>),
}

impl AnyOf {
    fn folded(&self) -> HashSet<String> {
        match self {
            Self::One(value) => [fold(value)].into(),
            Self::Several(values) => values.iter().map(|value| fold(value)).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.folded().iter().all(String::is_empty)
    }
}

/// A condition on an attribute.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttributeCondition {
    /// `title`, `employee_number`, `mail`, or a name of `[source.users.attributes]`.
    name: String,
    /// Compared without regard to case and width.
    value: AnyOf,
}

/// One `[[rule]]`: who meets all conditions has the role.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRule {
    /// Id, unique: what `yaopai user why` names.
    pub id: String,
    /// The role it gives.
    pub role: String,
    /// Why, in a person's words.
    pub description: String,
    /// Everybody who is active.
    #[serde(default)]
    everyone: bool,
    /// Code of a department: it and everything below.
    department: Option<AnyOf>,
    /// Code of a position.
    position: Option<AnyOf>,
    /// Code of a group: its members and those of groups within it.
    group: Option<AnyOf>,
    /// An attribute's value.
    attribute: Option<AttributeCondition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleFile {
    #[serde(default, rename = "rule")]
    rules: Vec<RoleRule>,
}

/// The role rules, with a fingerprint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleRules {
    rules: Vec<RoleRule>,
    /// SHA-256 over the text.
    pub digest: String,
}

/// A person, as rules see them.
#[derive(Clone, Copy, Debug)]
pub struct RolePerson<'a> {
    /// Our id.
    pub id: UserId,
    /// Department of the primary assignment.
    pub department: Option<DepartmentId>,
    /// Position of the primary assignment.
    pub position: Option<PositionId>,
    /// Job title.
    pub title: Option<&'a str>,
    /// Employee number.
    pub employee_number: Option<&'a str>,
    /// Mail address.
    pub mail: Option<&'a str>,
    /// Further mapped attributes.
    pub attributes: &'a Attributes,
}

/// Everything rules look at.
#[derive(Debug, Default)]
pub struct RoleFacts<'a> {
    /// Active people.
    pub people: Vec<RolePerson<'a>>,
    /// Active departments: code and the department above.
    pub departments: HashMap<DepartmentId, (&'a str, Option<DepartmentId>)>,
    /// Active positions: code.
    pub positions: HashMap<PositionId, &'a str>,
    /// Active groups: code.
    pub groups: HashMap<GroupId, &'a str>,
    /// Memberships.
    pub members: Vec<Member>,
}

/// One grant: cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GrantKey {
    /// The person.
    pub user_id: UserId,
    /// The role.
    pub role: Arc<str>,
    /// Id of the rule.
    pub rule: Arc<str>,
    /// Code of the department for which it holds, with everything below; empty where it holds everywhere.
    pub scope: Arc<str>,
}

impl RoleRules {
    /// Loads `roles.toml` of the policies' folder. A folder without it has no rules.
    ///
    /// # Errors
    /// [`RoleRuleError`], which names the file, the place and the rule.
    pub fn load(folder: &Path) -> Result<Self, RoleRuleError> {
        let file = folder.join("roles.toml");
        let path = file.display().to_string();
        match std::fs::read_to_string(&file) {
            Ok(text) => Self::parse(&path, &text),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Self::parse(&path, ""),
            Err(cause) => Err(RoleRuleError::Read { path, cause }),
        }
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
        Ok(Self { rules: file.rules, digest: sha256_hex(text.as_bytes()) })
    }

    /// The rule of that id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&RoleRule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Every grant that the rules give.
    #[must_use]
    pub fn evaluate(&self, facts: &RoleFacts<'_>) -> BTreeSet<GrantKey> {
        let mut grants = BTreeSet::new();
        for rule in &self.rules {
            let scope = rule.scope(facts);
            let (role, id): (Arc<str>, Arc<str>) = (rule.role.as_str().into(), rule.id.as_str().into());
            for person in facts.people.iter().filter(|person| rule.holds(&scope, person)) {
                let (role, rule, scope) = (role.clone(), id.clone(), Arc::from(""));
                grants.insert(GrantKey { user_id: person.id, role, rule, scope });
            }
        }
        grants
    }
}

/// The ids that a rule's codes mean, looked up once for everybody.
struct Scope {
    departments: Option<HashSet<DepartmentId>>,
    positions: Option<HashSet<PositionId>>,
    members: Option<HashSet<Uuid>>,
    values: Option<HashSet<String>>,
}

impl RoleRule {
    fn problem(&self) -> Option<&'static str> {
        let lists = [&self.department, &self.position, &self.group];
        let has_condition = self.attribute.is_some() || lists.iter().any(|list| list.is_some());
        if self.id.trim().is_empty() {
            Some("has an empty id")
        } else if self.role.trim().is_empty() {
            Some("has an empty role")
        } else if self.everyone == has_condition {
            Some("needs either `everyone = true` or at least one of department, position, group, attribute")
        } else if lists.into_iter().flatten().any(AnyOf::is_empty) {
            Some("has an empty condition, which nobody would meet")
        } else {
            None
        }
    }

    fn scope(&self, facts: &RoleFacts<'_>) -> Scope {
        Scope {
            departments: self.department.as_ref().map(|codes| subtree(facts, &codes.folded())),
            positions: self.position.as_ref().map(|codes| {
                let codes = codes.folded();
                facts.positions.iter().filter(|(_, code)| codes.contains(&fold(code))).map(|(id, _)| *id).collect()
            }),
            members: self.group.as_ref().map(|codes| closure(facts, &codes.folded())),
            values: self.attribute.as_ref().map(|condition| condition.value.folded()),
        }
    }

    fn holds(&self, scope: &Scope, person: &RolePerson<'_>) -> bool {
        let in_department =
            scope.departments.as_ref().is_none_or(|ids| person.department.is_some_and(|id| ids.contains(&id)));
        let in_position =
            scope.positions.as_ref().is_none_or(|ids| person.position.is_some_and(|id| ids.contains(&id)));
        let in_group = scope.members.as_ref().is_none_or(|ids| ids.contains(&person.id.0));
        in_department && in_position && in_group && self.has_attribute(scope, person)
    }

    fn has_attribute(&self, scope: &Scope, person: &RolePerson<'_>) -> bool {
        let (Some(condition), Some(wanted)) = (&self.attribute, &scope.values) else { return true };
        let single = match condition.name.as_str() {
            "title" => person.title,
            "employee_number" => person.employee_number,
            "mail" => person.mail,
            name => {
                let values = person.attributes.get(name).map(Vec::as_slice).unwrap_or_default();
                return values.iter().any(|value| wanted.contains(&fold(value)));
            }
        };
        single.is_some_and(|value| wanted.contains(&fold(value)))
    }
}

/// The departments of these codes with everything below them.
fn subtree(facts: &RoleFacts<'_>, codes: &HashSet<String>) -> HashSet<DepartmentId> {
    let mut below: BTreeMap<DepartmentId, Vec<DepartmentId>> = BTreeMap::new();
    for (id, (_, parent)) in &facts.departments {
        if let Some(parent) = parent {
            below.entry(*parent).or_default().push(*id);
        }
    }
    let mut open: Vec<DepartmentId> =
        facts.departments.iter().filter(|(_, (code, _))| codes.contains(&fold(code))).map(|(id, _)| *id).collect();
    let mut found = HashSet::new();
    while let Some(id) = open.pop() {
        if found.insert(id) {
            open.extend(below.get(&id).into_iter().flatten());
        }
    }
    found
}

/// The people of these groups and of all groups within them. Circles end: each group is opened once.
fn closure(facts: &RoleFacts<'_>, codes: &HashSet<String>) -> HashSet<Uuid> {
    let mut within: HashMap<GroupId, Vec<&Member>> = HashMap::new();
    for member in &facts.members {
        within.entry(member.group_id).or_default().push(member);
    }
    let mut open: Vec<GroupId> =
        facts.groups.iter().filter(|(_, code)| codes.contains(&fold(code))).map(|(id, _)| *id).collect();
    let (mut opened, mut people) = (HashSet::new(), HashSet::new());
    while let Some(group) = open.pop() {
        if !opened.insert(group) || !facts.groups.contains_key(&group) {
            continue;
        }
        for member in within.get(&group).into_iter().flatten() {
            if member.member_kind == ObjectKind::Group {
                open.push(GroupId(member.member_id));
            } else {
                people.insert(member.member_id);
            }
        }
    }
    people
}

#[cfg(test)]
mod tests {
    use super::{RoleFacts, RolePerson, RoleRules};
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
        };
        let member =
            |group, member_kind, member| Member { group_id: GroupId(id(group)), member_kind, member_id: id(member) };
        let facts = RoleFacts {
            people: vec![person(1, 11, &none), person(2, 12, &grade)],
            departments: [
                (DepartmentId(id(10)), ("fin", None)),
                (DepartmentId(id(11)), ("fin-ap", Some(DepartmentId(id(10))))),
                (DepartmentId(id(12)), ("sales", None)),
            ]
            .into(),
            positions: [(PositionId(id(20)), "Senior  Clerk")].into(),
            groups: [(GroupId(id(30)), "approvers"), (GroupId(id(31)), "inner")].into(),
            members: vec![
                member(30, ObjectKind::Group, 31),
                member(31, ObjectKind::Group, 30),
                member(31, ObjectKind::User, 1),
            ],
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
        assert!(parse("[[rule]]\nid = 3\n").starts_with("roles.toml:2:"));
    }
}
