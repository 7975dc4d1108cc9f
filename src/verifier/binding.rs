//! Tokens that are bound to a key or a certificate: good only together with the proof (RFC 9449 section 7, RFC 8705 section 3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::claims::{Claims, VerifyError};
use crate::crypto::{constant_time_eq, sha256};
use crate::model::Confirmation;

/// What a request shows beside its token.
#[derive(Clone, Copy, Debug, Default)]
pub struct Binding<'a> {
    /// The thumbprint of the key whose DPoP proof the service has checked for this very request and token.
    pub proved_key: Option<&'a str>,
    /// The client certificate of the TLS connection, DER.
    pub certificate: Option<&'a [u8]>,
}

/// Whether the request shows what the token is bound to. A token that is bound to nothing needs nothing.
///
/// # Errors
/// [`VerifyError::Binding`].
pub fn check_binding(claims: &Claims, binding: &Binding<'_>) -> Result<(), VerifyError> {
    let Some(bound) = &claims.cnf else { return Ok(()) };
    let certificate = binding.certificate.map(|der| URL_SAFE_NO_PAD.encode(sha256(der)));
    if is_proved(bound, binding.proved_key, certificate.as_deref()) { Ok(()) } else { Err(VerifyError::Binding) }
}

/// Whether what a token is bound to is proved: the thumbprint of the key of a good DPoP proof, or the SHA-256 of the
/// certificate of the connection (`x5t#S256`). Everybody who judges tokens asks here.
#[must_use]
pub fn is_proved(bound: &Confirmation, key: Option<&str>, certificate: Option<&str>) -> bool {
    let (bound, shown) = match bound {
        Confirmation::Key(thumbprint) => (thumbprint, key),
        Confirmation::Certificate(digest) => (digest, certificate),
    };
    shown.is_some_and(|shown| constant_time_eq(shown.as_bytes(), bound.as_bytes()))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::{Binding, check_binding};
    use crate::crypto::sha256;
    use crate::verifier::Claims;

    fn bound(cnf: &Value) -> Claims {
        let claims =
            json!({ "iss": "i", "sub": "s", "aud": "a", "client_id": "c", "iat": 1, "exp": 2, "jti": "j", "cnf": cnf });
        Claims::read(claims.as_object().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_bound_token_is_good_only_with_its_proof() {
        let key = Binding { proved_key: Some("thumb"), certificate: None };
        let certificate = Binding { proved_key: None, certificate: Some(b"der") };
        let digest = URL_SAFE_NO_PAD.encode(sha256(b"der"));
        for (cnf, good) in [
            (Value::Null, [true, true, true]),
            (json!({ "jkt": "thumb" }), [false, true, false]),
            (json!({ "jkt": "other" }), [false, false, false]),
            (json!({ "x5t#S256": digest }), [false, false, true]),
            (json!({ "x5t#S256": "other" }), [false, false, false]),
        ] {
            let shown = [Binding::default(), key, certificate].map(|shown| check_binding(&bound(&cnf), &shown).is_ok());
            assert_eq!(shown, good, "{cnf}");
        }
    }
}
