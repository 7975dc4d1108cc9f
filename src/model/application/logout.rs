//! `[application.logout]`: how an application learns that a session ended.

use serde::{Deserialize, Serialize};

/// `[application.logout]`. One struct is what the configuration says and what is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogoutSettings {}
