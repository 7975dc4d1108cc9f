//! Policies by what they are about: a decision sees only those whose scope can match.
//!
//! For each action there is the set of policies that name no resource, and for each resource that a policy names, that
//! set plus the ones that name it. Leaving out the others changes no decision: their scope cannot match.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cedar_policy::{ActionConstraint, Effect, EntityUid, Policy, PolicySet, ResourceConstraint};

use super::Action;

/// The policies of one action.
#[derive(Clone, Debug, Default)]
struct OfAction {
    general: PolicySet,
    by_resource: HashMap<EntityUid, PolicySet>,
}

/// All policies.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    actions: BTreeMap<&'static str, OfAction>,
    forbids: BTreeSet<String>,
}

impl Index {
    /// Sorts the policies. Their ids must differ.
    pub(super) fn build(policies: &[Policy]) -> Result<Self, String> {
        let mut index = Self::default();
        for action in Action::ALL {
            let of_action: Vec<&Policy> = policies.iter().filter(|policy| is_about(policy, *action)).collect();
            let named: BTreeSet<EntityUid> = of_action.iter().filter_map(|policy| named_resource(policy)).collect();
            let set = |resource: Option<&EntityUid>| {
                let fits = of_action.iter().filter(|policy| {
                    let named = named_resource(policy);
                    named.is_none() || named.as_ref() == resource
                });
                PolicySet::from_policies(fits.map(|policy| (*policy).clone())).map_err(|error| error.to_string())
            };
            let mut entry = OfAction { general: set(None)?, by_resource: HashMap::new() };
            for resource in named {
                let policies = set(Some(&resource))?;
                entry.by_resource.insert(resource, policies);
            }
            index.actions.insert(action.as_str(), entry);
        }
        let forbids = policies.iter().filter(|policy| policy.effect() == Effect::Forbid);
        index.forbids = forbids.map(|policy| policy.id().to_string()).collect();
        Ok(index)
    }

    /// The policies that can apply; none when nothing is loaded.
    pub(super) fn for_scope(&self, action: Action, resource: &EntityUid) -> Option<&PolicySet> {
        let of_action = self.actions.get(action.as_str())?;
        Some(of_action.by_resource.get(resource).unwrap_or(&of_action.general))
    }

    /// Whether the policy forbids.
    pub(super) fn is_forbid(&self, policy: &str) -> bool {
        self.forbids.contains(policy)
    }
}

fn is_about(policy: &Policy, action: Action) -> bool {
    let is = |uid: &EntityUid| uid.type_name().basename() == "Action" && uid.id().unescaped() == action.as_str();
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        // An action group may stand here: it is kept, and Cedar judges its members.
        ActionConstraint::In(actions) => {
            actions.iter().any(|uid| is(uid) || !Action::ALL.iter().any(|a| uid.id().unescaped() == a.as_str()))
        }
        ActionConstraint::Eq(uid) => is(&uid),
    }
}

fn named_resource(policy: &Policy) -> Option<EntityUid> {
    match policy.resource_constraint() {
        ResourceConstraint::Eq(uid) => Some(uid),
        _ => None,
    }
}
