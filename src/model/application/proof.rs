//! `[application.proof]`: how an application proves itself without a shared secret, and what its tokens are bound to.

use serde::{Deserialize, Serialize};

/// `[application.proof]`. One struct is what the configuration says and what is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProofSettings {}
