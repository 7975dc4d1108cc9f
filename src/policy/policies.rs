//! The loaded policies and the answer to a question.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use cedar_policy::{AuthorizationError, Authorizer};

use super::entities::Question;
use super::load::{Folder, Loaded};
use super::{Decision, PolicyError, Request};

/// A set of policies. Cheap to clone; all clones see a reload. The default one is empty and denies everything.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    folder: PathBuf,
    loaded: Arc<RwLock<Option<Arc<Loaded>>>>,
}

/// What a reload did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reload {
    /// Nothing on the disk differs from what is in force.
    Unchanged,
    /// The new set is in force; its version.
    Loaded(String),
}

/// A policy as it stands in its file.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct PolicyText {
    /// `@id`.
    pub id: String,
    /// File name within the folder.
    pub file: String,
    /// Line of its `@id`.
    pub line: usize,
    /// Its text.
    pub text: String,
}

impl Policies {
    /// Loads the folder with `schema.cedarschema` and `*.cedar`.
    ///
    /// # Errors
    /// [`PolicyError`], which names the file, the place and the remedy.
    pub fn load(folder: &Path) -> Result<Self, PolicyError> {
        let loaded = Loaded::parse(&Folder::read(folder)?)?;
        Ok(Self { folder: folder.to_owned(), loaded: Arc::new(RwLock::new(Some(Arc::new(loaded)))) })
    }

    /// Reads the folder again; a set that does not parse or validate is refused and the one in force stays.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn reload(&self) -> Result<Reload, PolicyError> {
        let folder = Folder::read(&self.folder)?;
        if folder.digest == self.version() {
            return Ok(Reload::Unchanged);
        }
        let loaded = Loaded::parse(&folder)?;
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(loaded));
        Ok(Reload::Loaded(folder.digest))
    }

    /// The version in force: SHA-256 over the files, hexadecimal; empty when nothing is loaded.
    #[must_use]
    pub fn version(&self) -> String {
        self.current().map(|loaded| loaded.digest.clone()).unwrap_or_default()
    }

    /// The policies of these ids, as they stand in their files.
    #[must_use]
    pub fn texts(&self, ids: &[String]) -> Vec<PolicyText> {
        let Some(loaded) = self.current() else { return Vec::new() };
        let known = ids.iter().filter_map(|id| loaded.known.get_key_value(id));
        known
            .map(|(id, known)| PolicyText {
                id: id.clone(),
                file: known.file.clone(),
                line: known.line,
                text: known.text.clone(),
            })
            .collect()
    }

    /// Every policy in force: (id, file name).
    pub(super) fn ids(&self) -> Vec<(String, String)> {
        let Some(loaded) = self.current() else { return Vec::new() };
        loaded.known.iter().map(|(id, known)| (id.clone(), known.file.clone())).collect()
    }

    /// The answer to `request`; what nothing permits is denied.
    ///
    /// An error never permits: a permit that cannot be evaluated does not count, a forbid that cannot be evaluated
    /// counts as forbidding.
    #[must_use]
    pub fn decide(&self, request: &Request) -> Decision {
        let Some(loaded) = self.current() else { return Decision::denied(Vec::new()) };
        match Question::new(request) {
            Ok(question) => loaded.answer(request, &question),
            Err(error) => Decision::denied(vec![error]),
        }
    }

    fn current(&self) -> Option<Arc<Loaded>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Loaded {
    fn answer(&self, request: &Request, question: &Question) -> Decision {
        let Some(policies) = self.index.for_scope(request.action, &question.resource) else {
            return Decision::denied(Vec::new());
        };
        let response = Authorizer::new().is_authorized(&question.request, policies, &question.entities);
        let mut allowed = response.decision() == cedar_policy::Decision::Allow;
        let mut determining: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        let mut errors = Vec::new();
        for AuthorizationError::PolicyEvaluationError(error) in response.diagnostics().errors() {
            let id = error.policy_id().to_string();
            errors.push(error.to_string());
            if self.index.is_forbid(&id) {
                if allowed {
                    determining.clear();
                }
                allowed = false;
                determining.push(id);
            }
        }
        determining.sort();
        Decision { allowed, policies: determining, errors }
    }
}
