//! JSON Web Tokens that others signed: client assertions, request objects, grants, DPoP proofs (RFC 7515, RFC 8725).
//!
//! What may be in such a token is said by [`Rules`] beforehand; nothing of the token widens them. A header that brings a
//! key of its own, points at one, or marks anything critical is refused, and so is text in which a member stands twice.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::json::strict_json;
use super::jwk::PublicKey;
use crate::model::ProofAlgorithm;

/// Bytes of a token at the most.
pub const MAX_FOREIGN: usize = 16 * 1024;
/// Keys that are tried on a token without `kid`.
const MOST_TRIES: usize = 10;
/// Header members that bring or point at a key, unpack, or change what is signed.
const REFUSED: [&str; 8] = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"];

/// What a token may be.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Algorithms that count.
    pub algorithms: &'a [ProofAlgorithm],
    /// `typ` that counts, compared without case and without `application/`; an empty one lets it be absent.
    pub types: &'a [&'a str],
}

/// Why a token is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ForeignError {
    /// No compact JWS of three parts holding JSON objects, too long, or with a member twice.
    #[error("the token is malformed")]
    Malformed,
    /// An `alg` that does not count here.
    #[error("the algorithm of the token is not accepted")]
    Algorithm,
    /// A `typ` that does not count here.
    #[error("the token is of another kind")]
    Type,
    /// A header that brings a key, points at one, or is critical.
    #[error("the header of the token asks for other rules")]
    Header,
    /// No key fits `kid` and `alg`.
    #[error("no key of the signer fits the token")]
    UnknownKey,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
}

/// A token that was read; nothing of it is believed yet.
#[derive(Debug)]
pub struct Unverified<'a> {
    /// `alg`.
    pub algorithm: ProofAlgorithm,
    /// `kid`.
    pub kid: Option<String>,
    /// Every member of the header.
    pub header: Map<String, Value>,
    /// Every claim. For finding out who is to have signed it; believed only after [`Unverified::verify`].
    pub claims: Map<String, Value>,
    message: &'a str,
    signature: Vec<u8>,
}

/// Reads a token by `rules`, without believing it.
///
/// # Errors
/// [`ForeignError`].
pub fn read<'a>(token: &'a str, rules: &Rules<'_>) -> Result<Unverified<'a>, ForeignError> {
    let unverified = read_with_key(token, rules)?;
    if unverified.header.contains_key("jwk") { Err(ForeignError::Header) } else { Ok(unverified) }
}

/// Reads a token whose header brings its own key, as a DPoP proof does (RFC 9449 section 4.2), without believing it.
///
/// # Errors
/// [`ForeignError`].
pub fn read_with_key<'a>(token: &'a str, rules: &Rules<'_>) -> Result<Unverified<'a>, ForeignError> {
    if token.len() > MAX_FOREIGN {
        return Err(ForeignError::Malformed);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(ForeignError::Malformed)?;
    let (header, claims) =
        message.split_once('.').filter(|(_, claims)| !claims.contains('.')).ok_or(ForeignError::Malformed)?;
    let header = object(header)?;
    if REFUSED.iter().skip(1).any(|member| header.contains_key(*member)) {
        return Err(ForeignError::Header);
    }
    let text = |name: &str| match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(ForeignError::Malformed),
    };
    let algorithm = text("alg")?.and_then(ProofAlgorithm::of_header).ok_or(ForeignError::Algorithm)?;
    if !rules.algorithms.contains(&algorithm) {
        return Err(ForeignError::Algorithm);
    }
    let given = text("typ")?.unwrap_or_default().to_ascii_lowercase();
    let given = given.strip_prefix("application/").unwrap_or(&given);
    if !rules.types.iter().any(|typ| typ.eq_ignore_ascii_case(given)) {
        return Err(ForeignError::Type);
    }
    let kid = text("kid")?.map(str::to_owned);
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| ForeignError::Malformed)?;
    Ok(Unverified { algorithm, kid, claims: object(claims)?, header, message, signature })
}

fn object(part: &str) -> Result<Map<String, Value>, ForeignError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| ForeignError::Malformed)?;
    match strict_json(&bytes) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(ForeignError::Malformed),
    }
}

impl Unverified<'_> {
    /// Whether one of `keys` is the one that the token names, or could be the one that signed it.
    #[must_use]
    pub fn fits_one_of(&self, keys: &[PublicKey]) -> bool {
        keys.iter().any(|key| self.fits(key))
    }

    /// The same token, its `kid` left out of account: where the key is known without it.
    #[must_use]
    pub fn without_kid(mut self) -> Self {
        self.kid = None;
        self
    }

    fn fits(&self, key: &PublicKey) -> bool {
        key.takes(self.algorithm) && (self.kid.is_none() || key.kid() == self.kid.as_deref())
    }

    /// The claims, once a signature of one of `keys` holds: the one that `kid` names, or, without `kid`, any that fits.
    ///
    /// # Errors
    /// [`ForeignError::UnknownKey`], [`ForeignError::Signature`].
    pub fn verify<'k>(self, keys: impl IntoIterator<Item = &'k PublicKey>) -> Result<Map<String, Value>, ForeignError> {
        let fitting = keys.into_iter().filter(|key| self.fits(key));
        let mut why = ForeignError::UnknownKey;
        for key in fitting.take(MOST_TRIES) {
            if key.verifies(self.algorithm, self.message.as_bytes(), &self.signature) {
                return Ok(self.claims);
            }
            why = ForeignError::Signature;
        }
        Err(why)
    }

    /// The claims, once the HMAC under one of the shared `secrets` holds (`HS256`, RFC 7518 section 3.2).
    ///
    /// # Errors
    /// [`ForeignError::Signature`].
    pub fn verify_secret<'s>(
        self,
        secrets: impl IntoIterator<Item = &'s [u8]>,
    ) -> Result<Map<String, Value>, ForeignError> {
        use aws_lc_rs::hmac::{HMAC_SHA256, Key, verify};
        if self.algorithm != ProofAlgorithm::Hs256 {
            return Err(ForeignError::Algorithm);
        }
        let holds =
            |secret: &[u8]| verify(&Key::new(HMAC_SHA256, secret), self.message.as_bytes(), &self.signature).is_ok();
        if secrets.into_iter().any(holds) { Ok(self.claims) } else { Err(ForeignError::Signature) }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::Value;

    use super::{ForeignError, Rules, read};
    use crate::crypto::{PublicKey, SigningKey};
    use crate::model::{Algorithm, ProofAlgorithm};

    const RULES: Rules<'_> =
        Rules { algorithms: &[ProofAlgorithm::Es256, ProofAlgorithm::EdDsa], types: &["", "x+jwt"] };

    fn signed(key: &SigningKey, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).unwrap()))
    }

    fn public(key: &SigningKey) -> PublicKey {
        PublicKey::from_jwk(key.public_jwk().as_object().unwrap()).unwrap()
    }

    fn outcome(key: &SigningKey, header: &str, claims: &str) -> Result<Value, ForeignError> {
        read(&signed(key, header, claims), &RULES)?.verify([&public(key)]).map(Value::Object)
    }

    /// OAUTH-068, GW-037, GW-039, GW-040
    #[test]
    fn a_token_widens_no_rule() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let kid = key.kid();
        let good = format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"application/X+jwt"}}"#);
        assert_eq!(outcome(&key, &good, r#"{"a":1}"#).unwrap()["a"], 1);
        assert!(outcome(&key, r#"{"alg":"ES256"}"#, "{}").is_ok());
        for (header, why) in [
            (r#"{"alg":"none"}"#, ForeignError::Algorithm),
            (r#"{"alg":"HS256"}"#, ForeignError::Algorithm),
            (r#"{"alg":"es256"}"#, ForeignError::Algorithm),
            (r#"{"alg":"ES384"}"#, ForeignError::Algorithm),
            (r#"{"alg":1}"#, ForeignError::Malformed),
            (r"{}", ForeignError::Algorithm),
            (r#"{"alg":"EdDSA"}"#, ForeignError::UnknownKey),
            (r#"{"alg":"ES256","kid":"../../dev/null"}"#, ForeignError::UnknownKey),
            (r#"{"alg":"ES256","kid":7}"#, ForeignError::Malformed),
            (r#"{"alg":"ES256","typ":"JWT"}"#, ForeignError::Type),
            (r#"{"alg":"ES256","crit":["exp"],"exp":1}"#, ForeignError::Header),
            (r#"{"alg":"ES256","b64":true}"#, ForeignError::Header),
            (r#"{"alg":"ES256","jwk":{}}"#, ForeignError::Header),
            (r#"{"alg":"ES256","jku":"https://evil.example"}"#, ForeignError::Header),
            (r#"{"alg":"ES256","x5u":"https://evil.example"}"#, ForeignError::Header),
            (r#"{"alg":"ES256","x5c":[]}"#, ForeignError::Header),
            (r#"{"alg":"ES256","zip":"DEF"}"#, ForeignError::Header),
            (r#"{"alg":"ES256","alg":"ES256"}"#, ForeignError::Malformed),
            (r#"["ES256"]"#, ForeignError::Malformed),
        ] {
            assert_eq!(outcome(&key, header, "{}").err(), Some(why), "{header}");
        }
        assert_eq!(outcome(&key, &good, r#"{"sub":"a","sub":"b"}"#).err(), Some(ForeignError::Malformed));
        assert_eq!(outcome(&key, &good, "[]").err(), Some(ForeignError::Malformed));
    }

    /// OAUTH-068, GW-041
    #[test]
    fn only_the_signature_of_a_known_key_holds() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let other = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let token = signed(&key, r#"{"alg":"ES256"}"#, "{}");
        let verify = |token: &str, keys: &[PublicKey]| read(token, &RULES)?.verify(keys).map(drop);
        assert_eq!(verify(&token, &[public(&other)]), Err(ForeignError::Signature));
        assert_eq!(verify(&token, &[public(&other), public(&key)]), Ok(()));
        assert_eq!(verify(&token, &[]), Err(ForeignError::UnknownKey));
        let (message, _) = token.rsplit_once('.').unwrap();
        for signature in [vec![], vec![0; 64], vec![255; 64], vec![1; 63]] {
            let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
            assert_eq!(verify(&forged, &[public(&key)]), Err(ForeignError::Signature));
        }
        for cut in 0..token.len() {
            assert!(verify(&token[..cut], &[public(&key)]).is_err(), "cut at {cut}");
        }
        assert_eq!(verify(&"a.".repeat(20_000), &[public(&key)]), Err(ForeignError::Malformed));
        assert_eq!(verify(&format!("a.{token}"), &[public(&key)]), Err(ForeignError::Malformed));
    }

    #[test]
    fn a_shared_secret_verifies_hs256_alone() {
        let rules = Rules { algorithms: &[ProofAlgorithm::Hs256], types: &["JWT"] };
        // RFC 7515 appendix A.1 has line breaks in its JSON; this one is made here, and checked against itself.
        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#), URL_SAFE_NO_PAD.encode("{}"));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"secret");
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes())));
        assert!(read(&token, &rules).unwrap().verify_secret([b"old".as_slice(), b"secret"]).is_ok());
        assert!(read(&token, &rules).unwrap().verify_secret([b"other".as_slice()]).is_err());
        assert_eq!(read(&token, &RULES).err(), Some(ForeignError::Algorithm));
    }
}
