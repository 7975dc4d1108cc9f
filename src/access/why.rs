//! Why somebody has a role: entry, rule and run.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::broker::Broker;
use crate::config::Config;
use crate::model::{ChangeKind, Department, DepartmentKind, Link, ObjectKind, Offer, Precedence, RunId, User};
use crate::store::{StoreError, Tx};
use crate::string_enum;
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

string_enum! {
    /// What somebody is besides the primary assignment; a message `why-besides-…` says it in words.
    Besides {
        /// Works in a further department.
        AlsoIn = "also_in",
        /// Heads a department.
        Heads = "heads",
        /// Is somebody's deputy.
        ActsFor = "acts_for",
        /// Has a deputy.
        ActedForBy = "acted_for_by",
    }
}

/// Something else that a person is in the organisation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WhyLine {
    /// What.
    pub what: Besides,
    /// Where, or for whom: `QY-HD-FIN 财务部`, `chen.jie 陈洁`.
    pub value: String,
    /// The position there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// First day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// Last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// Whether today is one of its days.
    pub in_force: bool,
}

/// Since when something is as it is, and by which run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Since {
    /// Since when.
    pub at: Instant,
    /// By which run; none where no run did it.
    pub run_id: Option<RunId>,
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
    /// Names of the same.
    pub department_names: Vec<String>,
    /// Since when they are in that department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department_since: Option<Since>,
    /// Since when they are let in, or locked out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_since: Option<Since>,
    /// Code of the position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// Cost centre of the department, or of the nearest above that has one; none where the person has one of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<String>,
    /// Legal entity, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_entity: Option<String>,
    /// Login name and name of the manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
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
    let above = match user.department_id {
        Some(id) => tx.departments().list_above(id).await?,
        None => Vec::new(),
    };
    let position = match user.position_id {
        Some(id) => tx.positions().find(id).await?.map(|row| row.code),
        None => None,
    };
    let manager = match user.manager_id {
        Some(id) => tx.users().find(id).await?.map(|manager| named(&manager.login, &manager.display_name)),
        None => None,
    };
    let (status_since, department_since) = since(&mut tx, &user).await?;
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
    Ok(Why {
        link,
        departments: above.iter().map(|row| row.code.clone()).collect(),
        department_names: above.iter().map(|row| row.name.clone()).collect(),
        department_since,
        status_since,
        position,
        // What the person's own entry says is said among the attributes.
        cost_centre: above.iter().find_map(|row| row.cost_centre.clone()).filter(|_| !says_cost_centre(&user)),
        legal_entity: legal_entity(&above),
        manager,
        groups,
        roles: roles.collect(),
        organisation,
        entries,
        masters,
        user,
    })
}

fn says_cost_centre(user: &User) -> bool {
    ["cost_centre", "cost_center"].iter().any(|name| user.attributes.0.contains_key(*name))
}

/// That of the department or of the nearest above; else the code of the nearest company or subsidiary.
fn legal_entity(above: &[Department]) -> Option<String> {
    let own = above.iter().find_map(|row| row.legal_entity.clone());
    own.or_else(|| above.iter().find(|row| row.kind != DepartmentKind::Department).map(|row| row.code.clone()))
}

/// `chen.jie 陈洁`.
fn named(short: &str, long: &str) -> String {
    if short == long { short.to_owned() } else { format!("{short} {long}") }
}

/// Changes of a person that are looked through for the last that matters.
const HISTORY: i64 = 500;

/// Since when somebody is let in or locked out, and since when they are in their department.
async fn since(tx: &mut Tx, user: &User) -> Result<(Option<Since>, Option<Since>), StoreError> {
    let logged = tx.change_log().list_by_object(user.id.0, HISTORY).await?;
    let last = |kinds: &[ChangeKind]| {
        let found = logged.iter().find(|of| of.object_kind == ObjectKind::User && kinds.contains(&of.kind));
        found.map(|of| Since { at: of.at, run_id: of.run_id })
    };
    let status = last(&[ChangeKind::Created, ChangeKind::Enabled, ChangeKind::Disabled, ChangeKind::Deleted]);
    Ok((status, last(&[ChangeKind::Created, ChangeKind::Moved]).filter(|_| user.department_id.is_some())))
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

/// What a person is besides, and the login names of those they act for today.
async fn organisation(tx: &mut Tx, user: &User) -> Result<(Vec<WhyLine>, Vec<String>), StoreError> {
    let mut lines = Vec::new();
    for of in tx.assignments().list_by_users(&[user.id]).await?.remove(&user.id).unwrap_or_default() {
        let department = tx.departments().find(of.department_id).await?;
        let position = match of.position_id {
            Some(id) => tx.positions().find(id).await?.map(|row| row.code),
            None => None,
        };
        lines.push(WhyLine {
            what: Besides::AlsoIn,
            value: department.map(|row| named(&row.code, &row.name)).unwrap_or_default(),
            position,
            from: of.starts_on,
            to: of.ends_on,
            in_force: of.in_force,
        });
    }
    for row in tx.departments().list_by_head(user.id).await? {
        let value = named(&row.code, &row.name);
        lines.push(WhyLine { what: Besides::Heads, value, position: None, from: None, to: None, in_force: true });
    }
    let mut acts_for = Vec::new();
    for of in tx.acting().list_by_user(user.id).await? {
        let is_deputy = of.deputy_id == user.id;
        let other = tx.users().find(if is_deputy { of.user_id } else { of.deputy_id }).await?;
        if let Some(other) = other.as_ref().filter(|_| is_deputy && of.in_force) {
            acts_for.push(other.login.clone());
        }
        lines.push(WhyLine {
            what: if is_deputy { Besides::ActsFor } else { Besides::ActedForBy },
            value: other.map(|user| named(&user.login, &user.display_name)).unwrap_or_default(),
            position: None,
            from: of.starts_on,
            to: of.ends_on,
            in_force: of.in_force,
        });
    }
    Ok((lines, acts_for))
}
