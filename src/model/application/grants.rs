//! `[application.grants]`: limits of the grants beyond code and refresh token.

use serde::{Deserialize, Serialize};

/// `[application.grants]`. One struct is what the configuration says and what is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrantSettings {}
