//! `sector_identifier_uri` (OpenID Connect Core 1.0 section 8.1, Registration 1.0 section 5): the document that lists the
//! redirect URIs of all applications of a sector.
//!
//! It is fetched where an application is made or checked, so that nobody joins a sector that does not know them, and not
//! at a sign-in: a document that cannot be reached must not keep people out.

use url::Url;

use crate::broker::Broker;
use crate::model::{ApplicationSettings, SubjectType};

/// The sector does not know the application. Texts are for operators.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SectorError {
    /// The document cannot be fetched.
    #[error("identity.sector_identifier_uri: {0}")]
    Unreachable(String),
    /// The answer is no list of addresses.
    #[error("identity.sector_identifier_uri `{0}` does not answer with a JSON array of redirect URIs")]
    Document(String),
    /// A redirect URI is not in the list.
    #[error("identity.sector_identifier_uri `{uri}` does not list `{redirect_uri}`")]
    NotListed {
        /// The document.
        uri: String,
        /// What it lacks.
        redirect_uri: String,
    },
}

/// Whether the sector document lists every redirect URI of an application that names one.
///
/// # Errors
/// [`SectorError`].
pub async fn check_sector(broker: &Broker, settings: &ApplicationSettings) -> Result<(), SectorError> {
    let identity = &settings.identity;
    let Some(uri) = identity.sector_identifier_uri.as_ref() else { return Ok(()) };
    if identity.subject_type != SubjectType::Pairwise {
        return Ok(());
    }
    let url = Url::parse(uri).map_err(|error| SectorError::Unreachable(error.to_string()))?;
    let answer = broker.net.get(&url, "application/json").await;
    let answer = answer.map_err(|error| SectorError::Unreachable(error.to_string()))?;
    let listed: Option<Vec<String>> =
        if answer.status == 200 { serde_json::from_slice(&answer.body).ok() } else { None };
    let listed = listed.ok_or_else(|| SectorError::Document(uri.clone()))?;
    match settings.redirect_uris.iter().find(|own| !listed.contains(own)) {
        None => Ok(()),
        Some(own) => Err(SectorError::NotListed { uri: uri.clone(), redirect_uri: own.clone() }),
    }
}
