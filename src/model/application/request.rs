//! `[application.request]`: what an application may send to the authorization endpoint, and how it is answered.

use serde::{Deserialize, Serialize};

/// `[application.request]`. One struct is what the configuration says and what is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestSettings {}
