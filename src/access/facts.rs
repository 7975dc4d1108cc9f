//! The facts of a person, as policy sees them.
//!
//! What this process commits is seen by the next decision: a role given or taken, a group or department moved. What
//! another node or the command line commits is seen within a second (see [`crate::store::Reads::person`]).

use std::collections::{BTreeMap, BTreeSet};

use crate::broker::Broker;
use crate::model::User;
use crate::policy::{Principal, Standing};
use crate::store::{FactList, StoreError, Tx};

/// The principal of `user`: departments of all assignments in force with all above, position, groups with nesting, roles
/// with their scopes, whom they act for.
///
/// # Errors
/// When the database fails.
pub async fn principal(tx: &mut Tx, user: &User) -> Result<Principal, StoreError> {
    Ok(principal_of(user, &tx.facts().list(user.id).await?))
}

/// The same, read together with what other requests of the moment want to know.
///
/// # Errors
/// When the database fails.
pub async fn principal_now(broker: &Broker, user: &User) -> Result<Principal, StoreError> {
    let known = broker.reads.person(user.id).await?;
    Ok(principal_of(user, known.as_ref().map_or(&Vec::new(), |known| &known.facts)))
}

/// The principal of `user` with these facts.
#[must_use]
pub fn principal_of(user: &User, facts: &FactList) -> Principal {
    let (mut departments, mut groups, mut roles) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut position = None;
    let mut standing = Standing::default();
    let mut scoped_roles: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (kind, code) in facts {
        let code = code.clone();
        match kind.as_str() {
            "department" => drop(departments.insert(code)),
            "group" => drop(groups.insert(code)),
            "role" => drop(roles.insert(code)),
            "post" => drop(standing.posts.insert(code)),
            "heads" => drop(standing.heads.insert(code)),
            "acts_for" => drop(standing.acts_for.insert(code)),
            "scoped" => {
                if let Some((role, scope)) = code.split_once('@') {
                    scoped_roles.entry(role.to_owned()).or_default().insert(scope.to_owned());
                }
            }
            _ => position = Some(code),
        }
    }
    standing.scoped_roles = scoped_roles;
    Principal::User {
        id: user.id.to_string(),
        login: user.login.clone(),
        employee_number: user.employee_number.clone(),
        departments,
        position,
        groups,
        roles,
        standing,
    }
}

/// The code of a department as what is asked about belongs to it: itself, then all above. Empty when none is given.
///
/// # Errors
/// When the database fails.
pub async fn department_above(tx: &mut Tx, code: Option<&str>) -> Result<Vec<String>, StoreError> {
    let Some(code) = code else { return Ok(Vec::new()) };
    let found = tx.departments().codes_above_code(code).await?;
    // One that is not known is still itself: a scope of that name fits it, and nothing above does.
    Ok(if found.is_empty() { vec![code.to_owned()] } else { found })
}
