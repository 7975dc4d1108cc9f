//! Client authentication (RFC 6749 section 2.3): one method a request, the registered one.
//!
//! `secret` compares in constant time; `assertion` verifies JWTs (RFC 7523); `certificate` compares what TLS proved
//! (RFC 8705). Whatever the method, a failure counts for the throttle of this address and says the same outside.

mod assertion;
mod authorities;
mod certificate;
mod offered;
mod secret;

use std::sync::Arc;

use self::offered::{Offered, offered};
use super::client_keys::ClientKeyError;
use super::params::Params;
use super::{Caller, Presented, Provider, client_document};
use crate::audit::{Action, Event, Outcome};
use crate::model::{Application, AuthMethod};
use crate::store::StoreError;

pub(super) use assertion::check_claims as check_assertion;
pub(super) use authorities::Authorities;
pub use certificate::ClientCertificate;
pub(super) use offered::asserted_id;
pub(super) use secret::PURPOSE;

/// An application did not prove itself.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing says which application asks.
    #[error("the application is not named")]
    Missing,
    /// The header or the parameters cannot be read.
    #[error("the credentials cannot be read")]
    Malformed,
    /// Two ways at once.
    #[error("more than one authentication method in one request")]
    SeveralMethods,
    /// Unknown application, wrong proof, or another method than the registered one: indistinguishable outside.
    #[error("the application did not prove itself")]
    Refused,
    /// Too many wrong secrets from this address.
    #[error("too many wrong secrets for this application from this address")]
    Throttled,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a proof is not accepted: for the audit log and the integrator's administrator, never for the caller.
#[derive(Debug, thiserror::Error)]
pub(super) enum Why {
    #[error("unknown application")]
    Unknown,
    #[error("another method than the registered one")]
    Method,
    #[error("wrong secret")]
    Secret,
    #[error(transparent)]
    Keys(#[from] ClientKeyError),
    #[error("assertion: {0}")]
    Assertion(&'static str),
    #[error("certificate: {0}")]
    Certificate(&'static str),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds the application that a request comes from and checks its proof. `presented` is what came with it.
///
/// # Errors
/// [`ClientError`].
pub async fn authenticate(
    provider: Provider<'_>,
    caller: &Caller,
    presented: &Presented,
    form: &Params,
) -> Result<Arc<Application>, ClientError> {
    let offered = offered(presented.authorization.as_deref(), form)?;
    let id = offered.id().to_owned();
    if provider.applications.is_throttled(&id, caller.address) {
        return Err(ClientError::Throttled);
    }
    let app = client_document::known(provider, &id).await?;
    let proves_nothing = matches!(offered, Offered::Bare(_)) && presented.certificate.is_none();
    let method = offered.method();
    let why = match (check(provider, app.as_deref(), offered, presented).await, app.clone()) {
        (Ok(()), Some(app)) => return Ok(app),
        (Ok(()), None) => Why::Unknown,
        (Err(Why::Store(error)), _) => return Err(error.into()),
        (Err(why), _) => why,
    };
    if !proves_nothing {
        provider.applications.note_failure(&id, caller.address);
    }
    if let Some(app) = app {
        let event = Event::new(Action::TokenIssue, Outcome::Denied, "", format!("app:{}", app.id))
            .from_request(caller.address.to_string(), &caller.request_id)
            .with(serde_json::json!({ "error": "invalid_client", "method": method, "why": why.to_string() }));
        provider.broker.audit.record(event).await?;
    }
    Err(ClientError::Refused)
}

async fn check(
    provider: Provider<'_>,
    app: Option<&Application>,
    offered: Offered<'_>,
    presented: &Presented,
) -> Result<(), Why> {
    match offered {
        Offered::Secret(offered) => secret::check(provider, app, &offered),
        Offered::Assertion { token, .. } => assertion::check(provider, app.ok_or(Why::Unknown)?, token).await,
        Offered::Bare(_) => {
            let app = app.ok_or(Why::Unknown)?;
            match app.auth_method {
                AuthMethod::None => Ok(()),
                AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTlsClientAuth => {
                    certificate::check(provider, app, presented.certificate.as_deref()).await
                }
                AuthMethod::ClientSecretBasic
                | AuthMethod::ClientSecretPost
                | AuthMethod::ClientSecretJwt
                | AuthMethod::PrivateKeyJwt => Err(Why::Method),
            }
        }
    }
}
