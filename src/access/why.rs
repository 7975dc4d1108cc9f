//! Why somebody has a role: entry, rule and run.

use serde::Serialize;

use crate::broker::Broker;
use crate::model::{Link, RunId, User};
use crate::store::StoreError;
use crate::time::Instant;

use super::roles::{RoleRuleError, RoleRules};

/// One role and where it comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WhyRole {
    /// The role.
    pub role: String,
    /// Id of the rule that gave it.
    pub rule: String,
    /// What the rule says of itself; none when it is no longer in the file.
    pub description: Option<String>,
    /// The run that granted it.
    pub run_id: Option<RunId>,
    /// When granted.
    pub granted_at: Instant,
}

/// A person with the entry they come from and the reasons of their roles.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Why {
    /// The person.
    pub user: User,
    /// The entry at the source.
    pub link: Option<Link>,
    /// Code of the department, with those of all above it.
    pub departments: Vec<String>,
    /// Codes of groups, direct and nested.
    pub groups: Vec<String>,
    /// Roles with their reasons.
    pub roles: Vec<WhyRole>,
}

/// The rules cannot be read, or the database failed.
#[derive(Debug, thiserror::Error)]
pub enum WhyError {
    /// The role rules.
    #[error(transparent)]
    Roles(#[from] RoleRuleError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why `user` has what they have.
///
/// # Errors
/// [`WhyError`].
pub async fn why(broker: &Broker, user: User) -> Result<Why, WhyError> {
    let written = RoleRules::load(&broker.config.resolve(&broker.config.policies.folder))?;
    let mut tx = broker.db.read().await?;
    let link = tx.links().find_by_object(user.id.0).await?;
    let departments = match user.department_id {
        Some(id) => tx.departments().codes_above(id).await?,
        None => Vec::new(),
    };
    let groups = tx.groups().codes_of_user(user.id).await?;
    let grants = tx.role_grants().list_by_user(user.id).await?;
    let roles = grants.into_iter().map(|grant| WhyRole {
        description: written.find(&grant.rule).map(|rule| rule.description.clone()),
        role: grant.role,
        rule: grant.rule,
        run_id: grant.run_id,
        granted_at: grant.granted_at,
    });
    Ok(Why { user, link, departments, groups, roles: roles.collect() })
}
