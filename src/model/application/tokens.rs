//! `[application.tokens]`: form and life of what is issued to an application.

use serde::{Deserialize, Serialize};

/// `[application.tokens]`. One struct is what the configuration says and what is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenSettings {}
