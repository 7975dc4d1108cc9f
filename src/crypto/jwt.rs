//! JSON Web Tokens: signed by hand over keys kept in memory, verified strictly.
//!
//! RFC 7515 and RFC 8725. A token is believed only when its `kid` names a key of ours, `alg` is that key's, `typ` is
//! the one expected, nothing is critical, and the signature holds. `jku`, `x5u`, `jwk` and `x5c` are never looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::signing::{SigningError, SigningKey};

/// Bytes of a token at the most; ours are under 2 KB.
pub const MAX_TOKEN: usize = 8 * 1024;

/// Why a token is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JwtError {
    /// No compact JWS of three parts, or too long.
    #[error("the token is malformed")]
    Malformed,
    /// `kid` names no key of ours.
    #[error("the token names an unknown key")]
    UnknownKey,
    /// Another `alg` than the key's, another `typ` than expected, or something critical.
    #[error("the token is of another kind")]
    Kind,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: Option<String>,
    crit: Option<serde_json::Value>,
    b64: Option<serde_json::Value>,
}

/// Signs `claims` under the header `{alg, kid, typ}`.
///
/// # Errors
/// [`SigningError`].
pub fn sign(key: &SigningKey, typ: &str, claims: &impl Serialize) -> Result<String, SigningError> {
    let claims = serde_json::to_vec(claims).map_err(|_| SigningError::Claims)?;
    // Every part is of our own making and needs no escaping: alg and typ are constants, kid is base64url.
    let header = format!(r#"{{"typ":"{typ}","alg":"{}","kid":"{}"}}"#, key.algorithm(), key.kid());
    let mut token = String::with_capacity((header.len() + claims.len()) * 4 / 3 + 360);
    URL_SAFE_NO_PAD.encode_string(header, &mut token);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// The `kid` of a token's header, unverified: for finding the key.
///
/// # Errors
/// [`JwtError::Malformed`].
pub fn kid(token: &str) -> Result<String, JwtError> {
    Ok(header(token)?.kid)
}

/// The claims of `token`, once the signature of `key` holds and `typ` is the one expected (compared without case,
/// with or without `application/`: RFC 7515 section 4.1.9).
///
/// # Errors
/// [`JwtError`].
pub fn verify<C: DeserializeOwned>(key: &SigningKey, typ: &str, token: &str) -> Result<C, JwtError> {
    let header = header(token)?;
    let given = header.typ.unwrap_or_default().to_ascii_lowercase();
    let given = given.strip_prefix("application/").unwrap_or(&given);
    let is_plain = header.crit.is_none() && header.b64.is_none();
    if header.alg != key.algorithm().as_str() || !given.eq_ignore_ascii_case(typ) || !is_plain {
        return Err(JwtError::Kind);
    }
    if header.kid != key.kid() {
        return Err(JwtError::UnknownKey);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(JwtError::Malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| JwtError::Malformed)?;
    if !key.verifies(message.as_bytes(), &signature) {
        return Err(JwtError::Signature);
    }
    let (_, claims) = message.split_once('.').ok_or(JwtError::Malformed)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| JwtError::Malformed)?;
    serde_json::from_slice(&claims).map_err(|_| JwtError::Malformed)
}

fn header(token: &str) -> Result<Header, JwtError> {
    let parts = token.bytes().filter(|byte| *byte == b'.').count();
    let (head, _) = token.split_once('.').ok_or(JwtError::Malformed)?;
    if token.len() > MAX_TOKEN || parts != 2 {
        return Err(JwtError::Malformed);
    }
    let head = URL_SAFE_NO_PAD.decode(head).map_err(|_| JwtError::Malformed)?;
    // A member given twice is refused by the derived reader.
    serde_json::from_slice(&head).map_err(|_| JwtError::Malformed)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::{JwtError, sign, verify};
    use crate::crypto::SigningKey;
    use crate::model::Algorithm;

    fn resigned(key: &SigningKey, header: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(r#"{"sub":"a"}"#));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).unwrap()))
    }

    #[test]
    fn a_token_reads_back() {
        for algorithm in Algorithm::ALL {
            let key = SigningKey::generate(*algorithm).unwrap().0;
            let token = sign(&key, "at+jwt", &json!({ "sub": "a" })).unwrap();
            assert_eq!(verify::<Value>(&key, "at+jwt", &token), Ok(json!({ "sub": "a" })));
            assert_eq!(verify::<Value>(&key, "JWT", &token), Err(JwtError::Kind));
        }
    }

    /// GW-037, GW-038, GW-040
    #[test]
    fn headers_that_ask_for_other_rules_are_refused() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let kid = key.kid();
        for header in [
            format!(r#"{{"alg":"none","kid":"{kid}","typ":"at+jwt"}}"#),
            format!(r#"{{"alg":"HS256","kid":"{kid}","typ":"at+jwt"}}"#),
            format!(r#"{{"alg":"RS256","kid":"{kid}","typ":"at+jwt"}}"#),
            format!(r#"{{"alg":"es256","kid":"{kid}","typ":"at+jwt"}}"#),
            format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#),
            format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"at+jwt","crit":["x"]}}"#),
            format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"at+jwt","b64":false}}"#),
            format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"at+jwt","alg":"ES256"}}"#),
            r#"{"alg":"ES256","kid":"../../dev/null","typ":"at+jwt"}"#.to_owned(),
            r#"{"alg":"ES256","typ":"at+jwt"}"#.to_owned(),
        ] {
            assert!(verify::<Value>(&key, "at+jwt", &resigned(&key, &header)).is_err(), "{header}");
        }
        let good = resigned(&key, &format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"application/AT+jwt"}}"#));
        assert!(verify::<Value>(&key, "at+jwt", &good).is_ok());
    }

    /// OAUTH-054, GW-041
    #[test]
    fn a_cut_or_changed_token_is_refused() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let token = sign(&key, "at+jwt", &json!({ "sub": "a" })).unwrap();
        for cut in 0..token.len() {
            assert!(verify::<Value>(&key, "at+jwt", &token[..cut]).is_err(), "cut at {cut}");
            let mut changed = token.clone().into_bytes();
            changed[cut] = if changed[cut] == b'A' { b'B' } else { b'A' };
            assert!(verify::<Value>(&key, "at+jwt", &String::from_utf8(changed).unwrap()).is_err(), "changed at {cut}");
        }
        let (message, _) = token.rsplit_once('.').unwrap();
        for signature in [vec![], vec![0; 64], vec![0; 63], vec![255; 64]] {
            let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
            assert!(verify::<Value>(&key, "at+jwt", &forged).is_err());
        }
        assert_eq!(verify::<Value>(&key, "at+jwt", &"a.".repeat(9_000)), Err(JwtError::Malformed));
    }
}
