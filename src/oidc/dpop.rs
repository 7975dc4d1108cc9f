//! `DPoP` (RFC 9449): a caller proves with each request that it holds the key that its tokens are bound to.
//!
//! A proof is a JWT that brings its own public key, made for one method, one address and one moment, and good once on
//! all nodes. Nonces are stateless: a keyed hash of the time, so that every node knows those of every other.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::{Map, Value};
use url::Url;

use super::replay;
use crate::broker::Broker;
use crate::crypto::foreign::{Rules, read_with_key};
use crate::crypto::{PublicKey, constant_time_eq, sha256};
use crate::model::ProofAlgorithm;
use crate::store::StoreError;
use crate::time::Instant;

/// What a proof may be signed with: what FAPI 2.0 allows, for everybody.
pub const ALGORITHMS: &[ProofAlgorithm] = ProofAlgorithm::FAPI2;
const RULES: Rules<'_> = Rules { algorithms: ALGORITHMS, types: &["dpop+jwt"] };
/// How old a proof may be.
const OLDEST: TimeDelta = TimeDelta::seconds(60);
/// How far ahead of our clock the caller's may be.
const AHEAD: TimeDelta = TimeDelta::seconds(30);
/// Bytes of a proof at the most; an RSA key of 8192 bits with its signature takes 4 KiB.
const LONGEST: usize = 8 * 1024;
/// Characters of a `jti` at the most.
const LONGEST_ID: usize = 256;
/// A nonce is good in the period it was made in, and in the next.
const PERIOD: i64 = 300;
/// Purpose under which nonces are made.
const NONCE: &str = "dpop-nonce";

/// What `DPoP` headers a request has, and what it asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Every `DPoP` header.
    pub proofs: Vec<String>,
    /// HTTP method.
    pub method: String,
    /// The public addresses of what is asked for, without query: the usual one, and that of the mTLS alias.
    pub addresses: Vec<String>,
}

/// Why a proof is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum DpopError {
    /// Not one proof, or not a good one.
    #[error("{0}")]
    Proof(&'static str),
    /// It lacks the nonce, or has an old one; the one to use.
    #[error("the DPoP proof has to carry the nonce that we give")]
    Nonce(String),
    /// The access token does not go with how it is used.
    #[error("{0}")]
    Token(&'static str),
    /// The database failed: nothing is known of the proof.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The thumbprint of the key that a request's one proof proves. `token` is the access token that comes with it;
/// `demands_nonce` says whether the proof has to carry a nonce of ours.
///
/// # Errors
/// [`DpopError`].
pub async fn check_proof(
    broker: &Broker,
    shown: &Shown,
    token: Option<&str>,
    demands_nonce: bool,
) -> Result<String, DpopError> {
    let now = broker.clock.now();
    let [proof] = shown.proofs.as_slice() else {
        return Err(DpopError::Proof("there is not exactly one DPoP header"));
    };
    let (claims, key) = verified(proof)?;
    let (id, made) = check_claims(&claims, shown, token, now)?;
    match claims.get("nonce") {
        None if !demands_nonce => {}
        Some(Value::String(given)) if is_nonce(broker, given, now) => {}
        _ => return Err(DpopError::Nonce(nonce(broker, now, 0))),
    }
    // Last, so that only a proof that is good in everything else is written down.
    if replay::is_first(broker, "dpop", key.thumbprint(), id, made + OLDEST + AHEAD).await? {
        Ok(key.thumbprint().to_owned())
    } else {
        Err(DpopError::Proof("the proof was used before"))
    }
}

/// Whether a proof is about this request, and of now: its id, and when it was made.
pub(super) fn check_claims<'c>(
    claims: &'c Map<String, Value>,
    shown: &Shown,
    token: Option<&str>,
    now: Instant,
) -> Result<(&'c str, Instant), DpopError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("htm") != Some(shown.method.as_str()) {
        return Err(DpopError::Proof("htm is not the method of the request"));
    }
    let htu = text("htu").and_then(plain).ok_or(DpopError::Proof("htu is no address"))?;
    if !shown.addresses.iter().any(|address| plain(address).as_ref() == Some(&htu)) {
        return Err(DpopError::Proof("htu is not the address of the request"));
    }
    let made = claims.get("iat").and_then(Value::as_i64).and_then(|seconds| Instant::from_timestamp(seconds, 0));
    let made =
        made.filter(|made| made.timestamp().abs() < 253_402_300_800).ok_or(DpopError::Proof("iat is missing"))?;
    if made + OLDEST < now || made > now + AHEAD {
        return Err(DpopError::Proof("iat is too old or ahead"));
    }
    let hash = token.map(|token| URL_SAFE_NO_PAD.encode(sha256(token.as_bytes())));
    if hash.is_some() && hash.as_deref() != text("ath") {
        return Err(DpopError::Proof("ath is not the hash of the access token"));
    }
    let id = text("jti").filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
    Ok((id.ok_or(DpopError::Proof("jti is missing or too long"))?, made))
}

/// The claims of a proof and the key that signed it.
pub(super) fn verified(proof: &str) -> Result<(Map<String, Value>, PublicKey), DpopError> {
    if proof.len() > LONGEST {
        return Err(DpopError::Proof("the proof is too long"));
    }
    let malformed =
        |_| DpopError::Proof("the proof is malformed, of another kind or algorithm, or not signed by its jwk");
    let unverified = read_with_key(proof, &RULES).map_err(malformed)?;
    let jwk = unverified.header.get("jwk").and_then(Value::as_object);
    let key = jwk.and_then(|jwk| PublicKey::from_jwk(jwk).ok());
    let key = key.ok_or(DpopError::Proof("jwk is missing, private or of an unsupported kind"))?;
    // The key is the one in the header: there is none to look up by its id.
    let claims = unverified.without_kid().verify([&key]).map_err(malformed)?;
    Ok((claims, key))
}

/// An address without query and fragment, its scheme and host in small letters, without the usual port (RFC 3986
/// section 6.2).
fn plain(address: &str) -> Option<Url> {
    let mut url: Url = address.parse().ok()?;
    if !matches!(url.scheme(), "https" | "http") || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

fn nonce(broker: &Broker, now: Instant, back: i64) -> String {
    broker.master.sign(NONCE, &(now.timestamp() / PERIOD - back).to_string())
}

fn is_nonce(broker: &Broker, given: &str, now: Instant) -> bool {
    [0, 1].iter().any(|back| constant_time_eq(nonce(broker, now, *back).as_bytes(), given.as_bytes()))
}

/// Whether `text` could be the thumbprint of a key: 43 characters of base64url.
pub(super) fn is_thumbprint(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{plain, verified};

    /// OIDC-115
    #[test]
    fn addresses_are_compared_in_one_form() {
        for same in ["https://id.example/token", "HTTPS://ID.example:443/token", "https://id.example/token?a=b#c"] {
            assert_eq!(plain(same), plain("https://id.example/token"), "{same}");
        }
        for other in [
            "https://id.example/Token",
            "https://id.example/token/",
            "http://id.example/token",
            "https://id.example:8443/token",
            "https://a@id.example/token",
            "/token",
            "",
        ] {
            assert_ne!(plain(other), plain("https://id.example/token"), "{other}");
        }
    }

    proptest! {
        /// OAUTH-076
        #[test]
        fn whatever_is_sent_as_a_proof_is_judged_without_a_panic(text in "\\PC{0,300}", dots in "[A-Za-z0-9_.-]{0,300}") {
            prop_assert!(verified(&text).is_err());
            prop_assert!(verified(&dots).is_err());
            let _ = plain(&text);
        }
    }
}
