//! The facts of a person, as policy sees them.
//!
//! One query a decision, no cache: a role given or taken, a group or department moved, is seen by the next decision.

use std::collections::BTreeSet;

use crate::model::User;
use crate::policy::Principal;
use crate::store::{StoreError, Tx};

/// The principal of `user`: department with all above, position, groups with nesting, roles.
///
/// # Errors
/// When the database fails.
pub async fn principal(tx: &mut Tx, user: &User) -> Result<Principal, StoreError> {
    let (mut departments, mut groups, mut roles) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut position = None;
    for (kind, code) in tx.facts().list(user.id).await? {
        match kind.as_str() {
            "department" => drop(departments.insert(code)),
            "group" => drop(groups.insert(code)),
            "role" => drop(roles.insert(code)),
            _ => position = Some(code),
        }
    }
    Ok(Principal::User {
        id: user.id.to_string(),
        login: user.login.clone(),
        employee_number: user.employee_number.clone(),
        departments,
        position,
        groups,
        roles,
    })
}
