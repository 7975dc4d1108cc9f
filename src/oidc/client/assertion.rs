//! Client assertions (RFC 7523 section 3): a short-lived JWT, signed with the application's private key or with its
//! secret, for us alone, good once.

use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::Why;
use crate::crypto::foreign::Unverified;
use crate::model::{Application, AuthMethod, Profile, ProofAlgorithm};
use crate::oidc::client_keys::verify_by_application;
use crate::oidc::{Provider, replay};
use crate::time::Instant;

/// How far the application's clock may be off.
const SKEW: TimeDelta = TimeDelta::seconds(30);
/// How long an assertion may be good for.
const LONGEST: TimeDelta = TimeDelta::hours(1);

pub(super) async fn check(provider: Provider<'_>, app: &Application, token: Box<Unverified<'_>>) -> Result<(), Why> {
    if !algorithms(app).contains(&token.algorithm) {
        return Err(Why::Assertion("the algorithm is not the registered one"));
    }
    let claims = match app.auth_method {
        AuthMethod::PrivateKeyJwt => verify_by_application(provider, app, *token).await?,
        AuthMethod::ClientSecretJwt => {
            let secrets = replay::secrets(provider, app).await?;
            token.verify_secret(secrets.iter().map(|secret| secret.as_slice())).map_err(|_| Why::Secret)?
        }
        AuthMethod::ClientSecretBasic
        | AuthMethod::ClientSecretPost
        | AuthMethod::TlsClientAuth
        | AuthMethod::SelfSignedTlsClientAuth
        | AuthMethod::None => return Err(Why::Method),
    };
    let issuer = provider.broker.config.server.issuer();
    let is_wide = app.settings.proof.wide_audience;
    let (id, until) = check_claims(&claims, &issuer, is_wide, provider.broker.clock.now()).map_err(Why::Assertion)?;
    if replay::is_first(provider.broker, "assertion", &app.id, id, until + SKEW).await? {
        Ok(())
    } else {
        Err(Why::Assertion("it was used before"))
    }
}

/// Whether an assertion is for us, and of now: its id, and until when it is good.
pub(in crate::oidc) fn check_claims<'c>(
    claims: &'c Map<String, Value>,
    issuer: &str,
    is_wide: bool,
    now: Instant,
) -> Result<(&'c str, Instant), &'static str> {
    if !is_for_us(claims, issuer, is_wide) {
        return Err("aud is not our issuer alone");
    }
    let until = times(claims, now)?;
    let id = claims.get("jti").and_then(Value::as_str).filter(|id| !id.is_empty());
    Ok((id.ok_or("jti is missing")?, until))
}

/// What an application may sign with: the algorithm of its settings, else those of today.
fn algorithms(app: &Application) -> &[ProofAlgorithm] {
    let chosen = app.settings.proof.signing_algorithm.as_ref().map(std::slice::from_ref);
    match (app.auth_method, app.settings.profile) {
        (AuthMethod::ClientSecretJwt, _) => &[ProofAlgorithm::Hs256],
        (_, Profile::Fapi2) => chosen
            .filter(|chosen| chosen.iter().all(|one| ProofAlgorithm::FAPI2.contains(one)))
            .unwrap_or(ProofAlgorithm::FAPI2),
        (_, Profile::Standard) => chosen.unwrap_or(ProofAlgorithm::FAPI2),
    }
}

/// One string, our issuer: whoever is given an assertion with two audiences could use it at the other. Where the
/// application's settings say `wide_audience`, the address of any endpoint of ours and an array will do too.
fn is_for_us(claims: &Map<String, Value>, issuer: &str, is_wide: bool) -> bool {
    let is_ours =
        |text: &str| text == issuer || is_wide && text.strip_prefix(issuer).is_some_and(|rest| rest.starts_with('/'));
    match claims.get("aud") {
        Some(Value::String(text)) => is_ours(text),
        Some(Value::Array(all)) if is_wide => all.iter().any(|one| one.as_str().is_some_and(is_ours)),
        _ => false,
    }
}

/// Until when the assertion is good.
fn times(claims: &Map<String, Value>, now: Instant) -> Result<Instant, &'static str> {
    let exp = instant(claims, "exp")?.ok_or("exp is missing")?;
    if exp + SKEW <= now {
        return Err("exp is past");
    }
    if exp > now + LONGEST + SKEW {
        return Err("exp is more than an hour ahead");
    }
    for name in ["nbf", "iat"] {
        if instant(claims, name)?.is_some_and(|at| at > now + SKEW) {
            return Err("nbf or iat is ahead");
        }
    }
    Ok(exp)
}

/// RFC 7519 section 2 `NumericDate`.
fn instant(claims: &Map<String, Value>, name: &str) -> Result<Option<Instant>, &'static str> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    #[expect(clippy::cast_possible_truncation, reason = "saturates; a fraction of a second does not count")]
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64));
    let at = seconds.and_then(|seconds| Instant::from_timestamp(seconds, 0));
    // A year that no arithmetic overflows.
    at.filter(|at| at.timestamp().abs() < 253_402_300_800).map(Some).ok_or("a time is no number")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::{is_for_us, times};
    use crate::crypto::foreign::{Rules, read};
    use crate::model::ProofAlgorithm;

    fn claims(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    /// OAUTH-069, OIDC-110
    #[test]
    fn the_audience_is_our_issuer_alone() {
        let us = "https://id.example";
        let judged = |aud: Value, wide| is_for_us(&claims(&json!({ "aud": aud })), us, wide);
        assert!(judged(json!(us), false));
        for aud in [
            json!([us]),
            json!([us, "https://other.example"]),
            json!("https://id.example/oauth2/token"),
            json!("https://id.example/"),
            json!(null),
        ] {
            assert!(!judged(aud.clone(), false), "{aud}");
        }
        assert!(judged(json!([us, "https://other.example"]), true));
        assert!(judged(json!("https://id.example/oauth2/token"), true));
        assert!(!judged(json!("https://id.example.evil/"), true));
        assert!(!is_for_us(&Map::new(), us, true));
    }

    /// OAUTH-066, OIDC-109, OIDC-111
    #[test]
    fn times_are_within_the_skew() {
        let now = crate::time::Instant::from_timestamp(1_000_000, 0).unwrap();
        let judged = |value: Value| times(&claims(&value), now).is_ok();
        assert!(judged(json!({ "exp": 1_000_060, "iat": 1_000_008, "nbf": 1_000_008 })));
        assert!(judged(json!({ "exp": 1_000_060.5 })));
        for bad in [
            json!({}),
            json!({ "exp": 999_700 }),
            json!({ "exp": 1_010_000 }),
            json!({ "exp": "1000060" }),
            json!({ "exp": 1e300 }),
            json!({ "exp": i64::MAX }),
            json!({ "exp": i64::MIN }),
            json!({ "exp": 1_000_060, "nbf": 1_000_061 }),
            json!({ "exp": 1_000_060, "iat": 1_000_061 }),
            json!({ "exp": 1_000_060, "iat": "x" }),
        ] {
            assert!(!judged(bad.clone()), "{bad}");
        }
    }

    proptest! {
        /// OAUTH-066
        #[test]
        fn whatever_is_sent_is_judged_without_a_panic(text in "\\PC{0,200}", exp in any::<i64>(), number in any::<f64>()) {
            let rules = Rules { algorithms: ProofAlgorithm::ALL, types: &["", "JWT"] };
            prop_assert!(read(&text, &rules).is_err() || text.matches('.').count() == 2);
            let now = crate::time::Instant::from_timestamp(1_000_000, 0).unwrap();
            let _ = times(&claims(&json!({ "exp": exp, "nbf": number })), now);
            let _ = times(&claims(&json!({ "exp": number, "iat": text })), now);
        }
    }
}
