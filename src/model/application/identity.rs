//! `[application.identity]`: what an application learns of a person, under which name, and whether the person is asked.

use serde::{Deserialize, Serialize};

/// `[application.identity]`. One struct is what the configuration says and what is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentitySettings {}
