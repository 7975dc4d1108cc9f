//! One rule as it stands in the file: conditions, scope, and what cannot be meant.

use std::collections::HashSet;

use serde::Deserialize;

use crate::text::fold;

/// One value, or a list of which one has to fit.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum AnyOf {
    One(String),
    Several(Vec<String>),
}

impl AnyOf {
    pub fn folded(&self) -> HashSet<String> {
        match self {
            Self::One(value) => [fold(value)].into(),
            Self::Several(values) => values.iter().map(|value| fold(value)).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.folded().iter().all(String::is_empty)
    }
}

/// A condition on an attribute; what is compared is compared without regard to case and width.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttributeCondition {
    /// `title`, `employee_number`, `mail`, or a name of `[source.users.attributes]`.
    pub name: String,
    /// One of the values is one of these.
    pub value: Option<AnyOf>,
    /// One of the values begins with one of these.
    pub prefix: Option<AnyOf>,
    /// None of the values is one of these. Who has no value meets it.
    pub not: Option<AnyOf>,
}

/// Which assignments a rule looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Which {
    /// The primary one.
    #[default]
    Primary,
    /// The primary one and every concurrent one in force.
    Any,
}

/// The part of the company that the role holds for.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum ScopeRule {
    Word(ScopeWord),
    Departments(ScopeDepartments),
}

/// `scope = "own"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ScopeWord {
    /// The departments of the assignments that meet the conditions.
    Own,
    /// The departments that the person heads.
    Headed,
}

/// `scope = { department = "QY-HD" }`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopeDepartments {
    /// Codes.
    pub department: AnyOf,
}

/// One `[[rule]]`: who meets all conditions has the role.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the file")]
pub struct RoleRule {
    /// Id, unique: what `yaopai user why` names.
    pub id: String,
    /// The role it gives.
    pub role: String,
    /// Why, in a person's words.
    pub description: String,
    /// Everybody who is active.
    #[serde(default)]
    pub(super) everyone: bool,
    /// Code of a department: it and everything below.
    pub(super) department: Option<AnyOf>,
    /// Code of a position.
    pub(super) position: Option<AnyOf>,
    /// Legal entity of the department, or inherited from above.
    pub(super) legal_entity: Option<AnyOf>,
    /// Cost centre of the department, or inherited from above.
    pub(super) cost_centre: Option<AnyOf>,
    /// Which assignments department, position, legal entity and cost centre are about.
    #[serde(default)]
    pub(super) assignment: Which,
    /// Code of a group: its members and those of groups within it.
    pub(super) group: Option<AnyOf>,
    /// An attribute's value.
    pub(super) attribute: Option<AttributeCondition>,
    /// Several attributes; all must fit.
    #[serde(default)]
    pub(super) attributes: Vec<AttributeCondition>,
    /// Heads a department; with `department`, `legal_entity` or `cost_centre` one of these.
    #[serde(default)]
    pub(super) head: bool,
    /// Somebody reports to them.
    #[serde(default)]
    pub(super) manager: bool,
    /// The part of the company that the role holds for; all of it when missing.
    pub(super) scope: Option<ScopeRule>,
    /// Whether those who act for somebody have the role as well.
    #[serde(default)]
    pub(super) deputies: bool,
}

impl RoleRule {
    /// Every condition on attributes.
    pub(super) fn attribute_conditions(&self) -> impl Iterator<Item = &AttributeCondition> {
        self.attribute.iter().chain(&self.attributes)
    }

    /// Whether the scope names departments, which may be anywhere in the tree.
    pub(super) const fn names_scope(&self) -> bool {
        matches!(self.scope, Some(ScopeRule::Departments(_)))
    }

    /// Whether those who act for somebody have the role as well.
    #[must_use]
    pub fn includes_deputies(&self) -> bool {
        self.deputies
    }

    pub(super) fn problem(&self) -> Option<&'static str> {
        let lists = [&self.department, &self.position, &self.legal_entity, &self.cost_centre, &self.group];
        let has_flag = self.head || self.manager;
        let has_condition =
            has_flag || self.attribute_conditions().next().is_some() || lists.iter().any(|list| list.is_some());
        let tests = |condition: &AttributeCondition| {
            [&condition.value, &condition.prefix, &condition.not].into_iter().flatten().cloned().collect::<Vec<_>>()
        };
        let is_scope_empty = matches!(&self.scope, Some(ScopeRule::Departments(of)) if of.department.is_empty());
        if self.id.trim().is_empty() {
            Some("has an empty id")
        } else if self.role.trim().is_empty() {
            Some("has an empty role")
        } else if self.role.contains('@') {
            Some("names a role that holds a `@`: it stands between a role and its department")
        } else if self.everyone == has_condition {
            Some(
                "needs either `everyone = true` or at least one of department, position, legal_entity, cost_centre, \
                 group, attribute, head, manager",
            )
        } else if self.attribute_conditions().any(|condition| tests(condition).is_empty()) {
            Some("has an attribute without value, prefix or not: say what is compared")
        } else if lists.into_iter().flatten().any(AnyOf::is_empty)
            || self.attribute_conditions().flat_map(tests).any(|list| list.is_empty())
            || is_scope_empty
        {
            Some("has an empty condition, which nobody would meet")
        } else {
            None
        }
    }
}
