//! Why somebody has a role: entry, rule and run.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::broker::Broker;
use crate::config::Config;
use crate::model::{Link, Offer, Precedence, RunId, User};
use crate::store::{StoreError, Tx};
use crate::time::{Date, Instant};

use super::roles::{RoleRule, RoleRuleError, RoleRules};

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
    /// Code of the department for which it holds, with everything below; empty where it holds everywhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Login names of those they act for today, where the rule lends the role to deputies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acting_for: Vec<String>,
}

impl WhyRole {
    /// `employee`, `expense-approver@QY-HD`: as tokens say it.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.scope.is_empty() { self.role.clone() } else { format!("{}@{}", self.role, self.scope) }
    }
}

/// Something else that a person is in the organisation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WhyLine {
    /// `also in`, `heads`, `acts for`, `acted for by`.
    pub what: String,
    /// In words.
    pub value: String,
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
    /// Concurrent assignments, departments headed, who acts for whom.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub organisation: Vec<WhyLine>,
    /// Every entry of every source that stands for the person.
    pub entries: Vec<Link>,
    /// Field → source, where more than one source says something of the person.
    pub masters: BTreeMap<String, String>,
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
    let (organisation, acts_for) = organisation(&mut tx, &user).await?;
    let lent = |rule: &str| written.find(rule).is_some_and(RoleRule::includes_deputies);
    let roles = grants.into_iter().map(|grant| WhyRole {
        description: written.find(&grant.rule).map(|rule| rule.description.clone()),
        acting_for: if lent(&grant.rule) { acts_for.clone() } else { Vec::new() },
        scope: grant.scope,
        role: grant.role,
        rule: grant.rule,
        run_id: grant.run_id,
        granted_at: grant.granted_at,
    });
    let entries = tx.links().list_of_object(user.id.0).await?;
    let masters = masters(&mut tx, &broker.config, &user).await?;
    // The owner's entry stands for the account.
    let link = entries.iter().find(|link| link.source == user.source).cloned().or(link);
    Ok(Why { user, link, departments, groups, roles: roles.collect(), organisation, entries, masters })
}

/// Whose value of each field counts.
async fn masters(tx: &mut Tx, config: &Config, user: &User) -> Result<BTreeMap<String, String>, StoreError> {
    let said = tx.contributions().of(&[user.id]).await?;
    let offers: BTreeMap<&str, &Offer> = said.iter().map(|one| (one.source.as_str(), &one.offer.0)).collect();
    let sources = config.sources.iter().map(|source| source.name.clone()).collect();
    let precedence = Precedence { fields: config.precedence.clone(), sources };
    let masters = precedence.masters(&user.source, &offers);
    Ok(masters.into_iter().map(|(field, (source, _))| (field.to_string(), source.to_owned())).collect())
}

/// What a person is besides, in words, and the login names of those they act for today.
async fn organisation(tx: &mut Tx, user: &User) -> Result<(Vec<WhyLine>, Vec<String>), StoreError> {
    let mut lines = Vec::new();
    let mut line = |what: &str, value: String| lines.push(WhyLine { what: what.to_owned(), value });
    let dates = |first: Option<Date>, last: Option<Date>, in_force: bool| {
        let first = first.map(|day| format!(" from {day}")).unwrap_or_default();
        let last = last.map(|day| format!(" to {day}")).unwrap_or_default();
        format!("{first}{last}{}", if in_force { "" } else { " (not in force)" })
    };
    for of in tx.assignments().list_by_users(&[user.id]).await?.remove(&user.id).unwrap_or_default() {
        let department = tx.departments().find(of.department_id).await?.map(|row| row.code).unwrap_or_default();
        let position = match of.position_id {
            Some(id) => tx.positions().find(id).await?.map(|row| format!(" as {}", row.code)).unwrap_or_default(),
            None => String::new(),
        };
        line("also in", format!("{department}{position}{}", dates(of.starts_on, of.ends_on, of.in_force)));
    }
    for row in tx.departments().list_by_head(user.id).await? {
        line("heads", format!("{} {}", row.code, row.name));
    }
    let mut acts_for = Vec::new();
    for of in tx.acting().list_by_user(user.id).await? {
        let is_deputy = of.deputy_id == user.id;
        let other = tx.users().find(if is_deputy { of.user_id } else { of.deputy_id }).await?;
        let other = other.map(|user| user.login).unwrap_or_default();
        let what = if is_deputy { "acts for" } else { "acted for by" };
        line(what, format!("{other}{}", dates(of.starts_on, of.ends_on, of.in_force)));
        if is_deputy && of.in_force {
            acts_for.push(other);
        }
    }
    Ok((lines, acts_for))
}
