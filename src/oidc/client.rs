//! Client authentication (RFC 6749 section 2.3): one method a request, the registered one, in constant time.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::params::{Params, decode};
use super::{Caller, Presented, Provider};
use crate::audit::{Action, Event, Outcome};
use crate::crypto::constant_time_eq;
use crate::model::{Application, AuthMethod};
use crate::store::StoreError;

/// Purpose under which client secrets are hashed.
pub(super) const PURPOSE: &str = "client-secret";

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
    /// Unknown application, wrong secret, or another method than the registered one: indistinguishable outside.
    #[error("the application did not prove itself")]
    Refused,
    /// Too many wrong secrets from this address.
    #[error("too many wrong secrets for this application from this address")]
    Throttled,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a request offers as proof.
struct Offered {
    id: String,
    secret: Option<String>,
    /// The secret as it stood in the Basic header, where decoding changed it: widespread clients leave the encoding
    /// out (Authlib among them), and with these characters in a secret they would never get in.
    undecoded: Option<String>,
    method: AuthMethod,
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
    if provider.applications.is_throttled(&offered.id, caller.address) {
        return Err(ClientError::Throttled);
    }
    let app = provider.applications.find(provider.broker, &offered.id).await?;
    let secret = offered.secret.as_deref().unwrap_or_default();
    // Hashed and compared whether or not there is such an application, so that the time does not tell.
    let stored = app.as_ref().and_then(|app| app.secret_hash.as_deref()).unwrap_or("none");
    let before = app.as_ref().and_then(|app| app.old_secret(provider.broker.clock.now())).unwrap_or("none");
    let is_stored = |secret: &str| {
        let hash = provider.broker.master.token_hash(PURPOSE, secret);
        constant_time_eq(hash.as_bytes(), stored.as_bytes()) | constant_time_eq(hash.as_bytes(), before.as_bytes())
    };
    let is_equal = is_stored(secret) | offered.undecoded.as_deref().is_some_and(is_stored);
    match app {
        Some(app) if app.auth_method == offered.method && (is_equal || offered.method == AuthMethod::None) => Ok(app),
        known => {
            if offered.secret.is_some() {
                provider.applications.note_failure(&offered.id, caller.address);
            }
            if let Some(app) = known {
                let event = Event::new(Action::TokenIssue, Outcome::Denied, "", format!("app:{}", app.id))
                    .from_request(caller.address.to_string(), &caller.request_id)
                    .with(serde_json::json!({ "error": "invalid_client", "method": offered.method }));
                provider.broker.audit.record(event).await?;
            }
            Err(ClientError::Refused)
        }
    }
}

fn offered(authorization: Option<&str>, form: &Params) -> Result<Offered, ClientError> {
    let id = form.get("client_id");
    let secret = form.get("client_secret");
    if form.get("client_assertion").is_some() {
        return Err(if authorization.is_some() || secret.is_some() {
            ClientError::SeveralMethods
        } else {
            ClientError::Refused
        });
    }
    let Some(header) = authorization else {
        let id = id.ok_or(ClientError::Missing)?.to_owned();
        let method = if secret.is_some() { AuthMethod::ClientSecretPost } else { AuthMethod::None };
        return Ok(Offered { id, secret: secret.map(str::to_owned), undecoded: None, method });
    };
    if secret.is_some() {
        return Err(ClientError::SeveralMethods);
    }
    let (basic_id, basic_secret, undecoded) = basic(header).ok_or(ClientError::Malformed)?;
    if id.is_some_and(|id| id != basic_id) {
        return Err(ClientError::SeveralMethods);
    }
    let undecoded = (undecoded != basic_secret).then_some(undecoded);
    Ok(Offered { id: basic_id, secret: Some(basic_secret), undecoded, method: AuthMethod::ClientSecretBasic })
}

/// HTTP Basic with id and secret form-encoded before they are joined (RFC 6749 section 2.3.1): id, secret, and the
/// secret without decoding.
fn basic(header: &str) -> Option<(String, String, String)> {
    let (scheme, value) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decode(id).ok()?, decode(secret).ok()?, secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{ClientError, basic, offered};
    use crate::oidc::Params;

    /// OAUTH-042
    #[test]
    fn basic_credentials_are_form_decoded() {
        // a:b%20 +é as id, p:%+ as secret.
        let header = "basic YSUzQWIlMjUyMCslMkIlQzMlQTk6cCUzQSUyNSUyQg==";
        assert_eq!(basic(header), Some(("a:b%20 +é".to_owned(), "p:%+".to_owned(), "p%3A%25%2B".to_owned())));
        for bad in ["Bearer x", "Basic", "Basic %%%", "Basic YQ=="] {
            assert_eq!(basic(bad), None, "{bad}");
        }
    }

    /// OAUTH-043
    #[test]
    fn one_method_a_request() {
        let form = |text| Params::parse(text).unwrap();
        let several = |result| matches!(result, Err(ClientError::SeveralMethods));
        assert!(several(offered(Some("Basic YTpi"), &form("client_id=a&client_secret=b")).map(drop)));
        assert!(several(offered(Some("Basic YTpi"), &form("client_id=other")).map(drop)));
        assert!(several(offered(None, &form("client_id=a&client_secret=b&client_assertion=x")).map(drop)));
        assert!(offered(Some("Basic YTpi"), &form("client_id=a")).is_ok());
    }
}
