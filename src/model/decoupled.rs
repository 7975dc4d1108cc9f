//! Sign-ins that are asked for in one place and approved in another: devices (RFC 8628) and CIBA.

use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::{DecoupledId, GrantId, UserId};
use crate::string_enum;
use crate::time::Instant;

string_enum! {
    /// Which protocol asked.
    DecoupledKind {
        /// RFC 8628: the person types a code that the device shows.
        Device = "device",
        /// OpenID Connect CIBA: the application names the person.
        Ciba = "ciba",
    }
}

string_enum! {
    /// What became of it.
    DecoupledState {
        /// Nobody has decided.
        Pending = "pending",
        /// The person agreed; tokens wait to be fetched.
        Approved = "approved",
        /// The person refused.
        Refused = "refused",
        /// The tokens were fetched.
        Used = "used",
    }
}

/// What some requests carry beside the rest, stored as one document.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DecoupledDetails {
    /// What both screens show, so that the person can compare (CIBA section 7.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding_message: Option<String>,
    /// The sealed bearer token with which the application is to be told (CIBA section 10.2, ping).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification: Option<String>,
    /// How strongly the person should have proved who they are, the best first (CIBA section 7.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr_values: Option<String>,
}

/// One request. Device code, user code and `auth_req_id` are stored as keyed hashes only.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct DecoupledRequest {
    /// Keyed hash of what the application polls with.
    pub secret_hash: String,
    /// Id, for forms and the audit log.
    pub id: DecoupledId,
    /// Which protocol asked.
    pub kind: DecoupledKind,
    /// Keyed hash of what the person types.
    pub user_code_hash: Option<String>,
    /// Whom it is meant for; for a device whoever types the code.
    pub user_id: Option<UserId>,
    /// Who asked.
    pub application_id: String,
    /// What would be granted, space separated.
    pub scope: String,
    /// What else was said.
    pub details: Json<DecoupledDetails>,
    /// What became of it.
    pub state: DecoupledState,
    /// The grant, once approved.
    pub grant_id: Option<GrantId>,
    /// Address that asked, for the person to see.
    pub address: String,
    /// Seconds that the application has to leave between two polls.
    pub poll_seconds: i64,
    /// The last poll.
    pub polled_at: Option<Instant>,
    /// When asked.
    pub created_at: Instant,
    /// Dead after that.
    pub expires_at: Instant,
    /// When the person decided.
    pub decided_at: Option<Instant>,
}
