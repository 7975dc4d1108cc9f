//! `[application.grants]`: limits of the grants beyond code and refresh token.

use serde::{Deserialize, Serialize};

/// `[application.grants]`. One struct is what the configuration says and what is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrantSettings {
    /// Client id of the application that alone may act for people with this application's tokens (RFC 8693 section 4.4
    /// `may_act`). Whoever policy permits, when none.
    pub may_act: Option<String>,
}
