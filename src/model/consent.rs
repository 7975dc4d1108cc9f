//! What a person agrees that an application may know and do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;

use super::UserId;
use crate::time::Instant;

/// What an application wants to know and do.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Wish {
    /// Scopes.
    pub scopes: BTreeSet<String>,
    /// Single claims, asked for by the `claims` parameter.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub claims: BTreeSet<String>,
    /// Claims of the application's own mapping.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub mapped: BTreeSet<String>,
    /// What is to be done, in detail (RFC 9396).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<Value>,
}

impl Wish {
    /// Whether everything in `other` is in this.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.scopes.is_subset(&self.scopes)
            && other.claims.is_subset(&self.claims)
            && other.mapped.is_subset(&self.mapped)
            && other.authorization_details.iter().all(|detail| self.authorization_details.contains(detail))
    }

    /// Everything that is in either.
    #[must_use]
    pub fn joined(mut self, other: &Self) -> Self {
        self.scopes.extend(other.scopes.iter().cloned());
        self.claims.extend(other.claims.iter().cloned());
        self.mapped.extend(other.mapped.iter().cloned());
        for detail in &other.authorization_details {
            if !self.authorization_details.contains(detail) {
                self.authorization_details.push(detail.clone());
            }
        }
        self
    }
}

/// What a person agreed to, for one application.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct Consent {
    /// Who.
    pub user_id: UserId,
    /// For which application.
    pub application_id: String,
    /// To what.
    pub wish: Json<Wish>,
    /// When first.
    pub created_at: Instant,
    /// When last.
    pub updated_at: Instant,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Wish;

    #[test]
    fn more_is_never_covered_by_less() {
        let wish = |scopes: &[&str], details: &[serde_json::Value]| Wish {
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            authorization_details: details.to_vec(),
            ..Wish::default()
        };
        let pay = |amount: u32| json!({ "type": "payment", "amount": amount });
        let agreed = wish(&["openid", "email"], &[pay(1)]);
        assert!(agreed.covers(&wish(&["email"], &[])) && agreed.covers(&wish(&["openid"], &[pay(1)])));
        assert!(!agreed.covers(&wish(&["openid", "phone"], &[])));
        assert!(!agreed.covers(&wish(&["openid"], &[pay(2)])));
        let both = agreed.clone().joined(&wish(&["phone"], &[pay(1), pay(2)]));
        assert!(both.covers(&agreed) && both.covers(&wish(&["phone"], &[pay(2)])));
        assert_eq!(both.authorization_details.len(), 2);
    }
}
