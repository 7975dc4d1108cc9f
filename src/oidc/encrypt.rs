//! Encrypting to an application: the key is one of its `jwks` or `jwks_uri` that is for it (`use` and `alg`).

use super::Provider;
use super::client_keys::client_keys;
use super::keys::KeyError;
use crate::crypto::jwe::encrypt;
use crate::model::{Application, Encryption};

/// `plain` as a JWE to `app`. The first fitting key of its set is taken, so an application that changes keys puts the
/// new one first.
///
/// # Errors
/// [`KeyError::Recipient`] when the application has no such key, or its keys cannot be had.
pub(super) async fn to_application(
    provider: Provider<'_>,
    app: &Application,
    how: Encryption,
    content_type: Option<&str>,
    plain: &[u8],
) -> Result<String, KeyError> {
    let refuse = |why: String| KeyError::Recipient { application: app.id.clone(), why };
    let keys = client_keys(provider, app, |keys| keys.iter().any(|key| key.encrypts(how.alg))).await;
    let keys = keys.map_err(|error| refuse(error.to_string()))?;
    let key = keys.iter().find(|key| key.encrypts(how.alg));
    let key = key.ok_or_else(|| refuse(format!("its key set holds no key for {}", how.alg)))?;
    encrypt(&provider.broker.rng, key, how, content_type, plain).map_err(|error| refuse(error.to_string()))
}
