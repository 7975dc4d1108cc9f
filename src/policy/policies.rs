//! The loaded policies.

use std::path::Path;

use super::{Decision, Request};

/// The policies cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The folder or a file in it cannot be read.
    #[error("the policies `{path}` cannot be read: {cause}")]
    Read {
        /// Which.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// A set of policies. Cheap to clone; all clones see a reload.
#[derive(Clone, Debug, Default)]
pub struct Policies;

impl Policies {
    /// Loads the folder with `schema.cedarschema` and `*.cedar`.
    ///
    /// # Errors
    /// [`PolicyError`], which names the file and the place.
    pub fn load(folder: &Path) -> Result<Self, PolicyError> {
        let _ = folder;
        Ok(Self)
    }

    /// The answer to `request`; what nothing permits is denied.
    #[must_use]
    pub fn decide(&self, request: &Request) -> Decision {
        let _ = request;
        Decision { allowed: false, policies: Vec::new(), errors: Vec::new() }
    }
}
