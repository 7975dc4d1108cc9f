//! Rules over facts: everybody at once, each rule only over those it can mean.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use super::facts::{GrantKey, RoleFacts, RolePerson};
use super::index::{Index, People, values};
use super::rule::{AttributeCondition, RoleRule, ScopeRule, ScopeWord, Which};
use super::{AnyOf, RoleRules};
use crate::model::{DepartmentId, PositionId, UserId};
use crate::text::fold;

impl RoleRules {
    /// Every grant that the rules give, sorted, each once.
    #[must_use]
    pub fn evaluate(&self, facts: &RoleFacts<'_>) -> Vec<GrantKey> {
        let mut index = Index::new(facts);
        let mut grants = Vec::with_capacity(facts.people.len());
        for rule in &self.rules {
            rule.grant(&mut index, facts, &mut grants);
        }
        grants.sort_unstable();
        grants.dedup();
        grants
    }

    /// The grants of these people alone. `facts.people` must hold them and those they act for; it may hold more.
    /// `facts.managers` names those to whom somebody reports who is not among `facts.people`.
    #[must_use]
    pub fn evaluate_for(&self, facts: &RoleFacts<'_>, people: &HashSet<UserId>) -> Vec<GrantKey> {
        let acted_for = facts.acting.iter().filter(|(deputy, _)| people.contains(deputy)).map(|(_, other)| *other);
        let needed: HashSet<UserId> = people.iter().copied().chain(acted_for).collect();
        let mut managers = facts.managers.clone();
        for person in &facts.people {
            managers.extend(person.manager);
            managers.extend(person.concurrent().filter_map(|assignment| assignment.manager_id));
        }
        let part = RoleFacts {
            people: facts.people.iter().filter(|person| needed.contains(&person.id)).copied().collect(),
            managers,
            ..facts.clone()
        };
        let mut grants = self.evaluate(&part);
        grants.retain(|grant| people.contains(&grant.user_id));
        grants
    }
}

/// A rule with its codes looked up.
struct Wanted<'a> {
    rule: &'a RoleRule,
    departments: Option<HashSet<DepartmentId>>,
    positions: Option<HashSet<PositionId>>,
    members: Option<HashSet<Uuid>>,
    attributes: Vec<Compared<'a>>,
    /// Codes of a scope that the rule names.
    named: Vec<Arc<str>>,
}

/// A condition on an attribute, folded.
struct Compared<'a> {
    name: &'a str,
    value: Option<HashSet<String>>,
    prefix: Option<HashSet<String>>,
    not: Option<HashSet<String>>,
}

impl<'a> Compared<'a> {
    fn new(condition: &'a AttributeCondition) -> Self {
        let folded = |list: &Option<AnyOf>| list.as_ref().map(AnyOf::folded);
        let (value, prefix, not) = (folded(&condition.value), folded(&condition.prefix), folded(&condition.not));
        Self { name: condition.name.as_str(), value, prefix, not }
    }

    fn holds(&self, person: &RolePerson<'_>) -> bool {
        let values: Vec<String> = values(person, self.name).map(fold).collect();
        let begins =
            |value: &String, all: &HashSet<String>| all.iter().any(|prefix| value.starts_with(prefix.as_str()));
        self.value.as_ref().is_none_or(|all| values.iter().any(|value| all.contains(value)))
            && self.prefix.as_ref().is_none_or(|all| values.iter().any(|value| begins(value, all)))
            && self.not.as_ref().is_none_or(|all| !values.iter().any(|value| all.contains(value)))
    }

    /// People who can meet it, where the condition says so by values they have.
    fn candidates(&self, index: &mut Index<'_>) -> Option<People> {
        let by_value = index.by_value(self.name);
        if let Some(all) = &self.value {
            return Some(all.iter().filter_map(|value| by_value.get(value)).flatten().copied().collect());
        }
        let prefixes = self.prefix.as_ref()?;
        let fits = |value: &str| prefixes.iter().any(|prefix| value.starts_with(prefix.as_str()));
        Some(by_value.iter().filter(|(value, _)| fits(value)).flat_map(|(_, people)| people).copied().collect())
    }
}

impl RoleRule {
    /// Adds the grants of this rule. A person may come more than once.
    fn grant(&self, index: &mut Index<'_>, facts: &RoleFacts<'_>, grants: &mut Vec<GrantKey>) {
        let wanted = Wanted::new(self, index);
        let candidates = wanted.candidates(index);
        let of = GrantKey {
            user_id: UserId(Uuid::nil()),
            role: self.role.as_str().into(),
            rule: self.id.as_str().into(),
            scope: "".into(),
        };
        let acted_for: HashSet<UserId> = facts.acting.iter().filter(|_| self.deputies).map(|(_, id)| *id).collect();
        let mut lent: HashMap<UserId, Vec<Arc<str>>> = HashMap::new();
        let all = candidates.is_none().then_some(0..facts.people.len()).into_iter().flatten();
        for person in candidates.into_iter().flatten().chain(all).filter_map(|place| index.person(place)) {
            let Some(scopes) = wanted.scopes(person, index, &of.scope) else { continue };
            if acted_for.contains(&person.id) {
                lent.insert(person.id, scopes.clone());
            }
            let grant = |scope| GrantKey { user_id: person.id, scope, ..of.clone() };
            grants.extend(scopes.into_iter().map(grant));
        }
        for (deputy, other) in facts.acting.iter().filter(|(deputy, _)| index.place(deputy.0).is_some()) {
            for scope in lent.get(other).into_iter().flatten() {
                grants.push(GrantKey { user_id: *deputy, scope: scope.clone(), ..of.clone() });
            }
        }
    }
}

impl<'a> Wanted<'a> {
    fn new(rule: &'a RoleRule, index: &Index<'_>) -> Self {
        let sets = [
            rule.department.as_ref().map(|codes| index.subtree(&codes.folded())),
            rule.legal_entity.as_ref().map(|names| index.of_entities(&names.folded())),
            rule.cost_centre.as_ref().map(|names| index.of_cost_centres(&names.folded())),
        ];
        let named = match &rule.scope {
            Some(ScopeRule::Departments(of)) => {
                index.departments(&of.department.folded()).filter_map(|id| index.code(id)).collect()
            }
            _ => Vec::new(),
        };
        Self {
            rule,
            // All three are about the department: one set that is within each of them.
            departments: sets.into_iter().flatten().reduce(|one, other| one.intersection(&other).copied().collect()),
            positions: rule.position.as_ref().map(|codes| index.positions(&codes.folded())),
            members: rule.group.as_ref().map(|codes| index.members(&codes.folded())),
            attributes: rule.attribute_conditions().map(Compared::new).collect(),
            named,
        }
    }

    /// Those whom the rule can mean; none for everybody.
    fn candidates(&self, index: &mut Index<'_>) -> Option<People> {
        if let Some(members) = &self.members {
            return Some(members.iter().filter_map(|id| index.place(*id)).collect());
        }
        let which = self.rule.assignment;
        if let Some(positions) = &self.positions {
            return Some(index.holding(positions, which));
        }
        if let Some(departments) = self.departments.as_ref().filter(|_| !self.rule.head) {
            return Some(index.working_in(departments, which));
        }
        self.attributes.iter().find_map(|condition| condition.candidates(index))
    }

    /// What the rule gives the person: nothing, or for which parts of the company.
    fn scopes(&self, person: &RolePerson<'_>, index: &Index<'_>, everywhere: &Arc<str>) -> Option<Vec<Arc<str>>> {
        if self.members.as_ref().is_some_and(|ids| !ids.contains(&person.id.0))
            || self.rule.manager && !index.is_manager(person.id)
            || !self.attributes.iter().all(|condition| condition.holds(person))
        {
            return None;
        }
        let is_meant = |id: &DepartmentId| self.departments.as_ref().is_none_or(|ids| ids.contains(id));
        let headed: Vec<DepartmentId> = index.headed(person.id).iter().copied().filter(is_meant).collect();
        if self.rule.head && headed.is_empty() {
            return None;
        }
        let places = self.places(person);
        if places.is_empty() {
            return None;
        }
        let codes = |ids: &[DepartmentId]| ids.iter().filter_map(|id| index.code(*id)).collect();
        let scopes: Vec<Arc<str>> = match &self.rule.scope {
            None => vec![everywhere.clone()],
            Some(ScopeRule::Departments(_)) => self.named.clone(),
            Some(ScopeRule::Word(ScopeWord::Headed)) => codes(&headed),
            Some(ScopeRule::Word(ScopeWord::Own)) => codes(&places.into_iter().flatten().collect::<Vec<_>>()),
        };
        (!scopes.is_empty()).then_some(scopes)
    }

    /// Departments of the assignments that meet what the rule says of assignments; none inside for one without.
    fn places(&self, person: &RolePerson<'_>) -> Vec<Option<DepartmentId>> {
        let primary = std::iter::once((person.department, person.position));
        let concurrent = person.concurrent().map(|of| (Some(of.department_id), of.position_id));
        let all = primary.chain(concurrent.filter(|_| self.rule.assignment == Which::Any));
        all.filter(|(department, position)| {
            // With `head`, the department is what they head and not where they sit.
            let in_department = self.rule.head
                || self.departments.as_ref().is_none_or(|ids| department.is_some_and(|id| ids.contains(&id)));
            let in_position = self.positions.as_ref().is_none_or(|ids| position.is_some_and(|id| ids.contains(&id)));
            in_department && in_position
        })
        .map(|(department, _)| department)
        .collect()
    }
}
