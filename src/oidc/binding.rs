//! What tokens are bound to: decided at the token endpoint, proved again wherever a token is used.

use super::dpop::{DpopError, Shown, check_proof, is_thumbprint};
use super::params::Params;
use super::token::GrantError;
use super::verify::AccessToken;
use super::{Presented, Provider};
use crate::broker::Broker;
use crate::model::{Application, AuthMethod, Confirmation, Grant, Profile};
use crate::store::{StoreError, Tx};
use crate::verifier::is_proved;

/// What the tokens of a request are to be bound to (RFC 9449 section 5, RFC 8705 section 3): the key of its `DPoP` proof, else,
/// where the application's settings want it, its certificate.
///
/// # Errors
/// [`GrantError`]: a bad proof, or none where the settings or the profile demand one.
pub(super) async fn confirmation(
    provider: Provider<'_>,
    presented: &Presented,
    app: &Application,
) -> Result<Option<Confirmation>, GrantError> {
    let settings = &app.settings.proof;
    if let Some(shown) = &presented.dpop {
        let key = check_proof(provider.broker, shown, None, settings.dpop_nonce).await?;
        if settings.tls_client_certificate_bound_access_tokens {
            return Err(GrantError::InvalidRequest("the tokens of this application are bound to its certificate"));
        }
        return Ok(Some(Confirmation::Key(key)));
    }
    if settings.dpop_bound_access_tokens {
        return Err(GrantError::InvalidDpopProof("the tokens of this application are bound by DPoP: send a proof"));
    }
    let is_fapi = app.settings.profile == Profile::Fapi2;
    if settings.tls_client_certificate_bound_access_tokens || is_fapi {
        let certificate = presented.certificate.as_ref().ok_or(if is_fapi {
            GrantError::InvalidRequest("FAPI 2.0 binds tokens: send a DPoP proof or a client certificate")
        } else {
            GrantError::InvalidRequest("the tokens of this application are bound to its certificate: send it")
        })?;
        return Ok(Some(Confirmation::Certificate(certificate.thumbprint())));
    }
    Ok(None)
}

/// Whether a code may be redeemed by who proved this: one that was asked for with `dpop_jkt` only with that key (RFC
/// 9449 section 10).
pub(super) fn may_redeem(grant: &Grant, proved: Option<&Confirmation>) -> bool {
    grant.details.confirmation.is_none() || grant.details.confirmation.as_ref() == proved
}

/// Whether refresh tokens are bound too: those of a public application, which proves itself by nothing else (RFC 9449
/// section 5, RFC 8705 section 4).
pub(super) fn binds_refresh_tokens(app: &Application) -> bool {
    app.auth_method == AuthMethod::None
}

/// Binds the refresh tokens of `grant`, where those of the application are bound.
pub(super) async fn bind_refresh_tokens(
    tx: &mut Tx,
    grant: &mut Grant,
    app: &Application,
    proved: Option<&Confirmation>,
) -> Result<(), StoreError> {
    if binds_refresh_tokens(app) && grant.details.confirmation.as_ref() != proved {
        grant.details.confirmation = proved.cloned();
        tx.grants().set_details(grant.id, &grant.details).await?;
    }
    Ok(())
}

/// `dpop_jkt` of an authorization request (RFC 9449 section 10), against the proof that came with it where it was pushed.
///
/// # Errors
/// [`GrantError`]: it is no thumbprint, the proof is bad, or they differ.
pub async fn asked_key(
    provider: Provider<'_>,
    presented: &Presented,
    app: &Application,
    params: &Params,
) -> Result<Option<String>, GrantError> {
    let asked = params.get("dpop_jkt");
    if asked.is_some_and(|key| !is_thumbprint(key)) {
        return Err(GrantError::InvalidRequest("dpop_jkt is no SHA-256 thumbprint in base64url"));
    }
    let Some(shown) = &presented.dpop else { return Ok(asked.map(str::to_owned)) };
    let key = check_proof(provider.broker, shown, None, app.settings.proof.dpop_nonce).await?;
    if asked.is_some_and(|asked| asked != key) {
        return Err(GrantError::InvalidDpopProof("dpop_jkt is not the key of the proof"));
    }
    Ok(Some(key))
}

/// The name that a token came under in the `Authorization` header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// RFC 6750.
    Bearer,
    /// RFC 9449 section 7.1.
    Dpop,
}

impl Scheme {
    /// Scheme and token of a header; schemes are compared without case.
    #[must_use]
    pub fn split(header: &str) -> Option<(Self, &str)> {
        let (scheme, token) = header.trim().split_once(' ')?;
        let token = token.trim_start_matches(' ');
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if token.is_empty() || !token.bytes().all(is_token) {
            return None;
        }
        match scheme {
            _ if scheme.eq_ignore_ascii_case("bearer") => Some((Self::Bearer, token)),
            _ if scheme.eq_ignore_ascii_case("dpop") => Some((Self::Dpop, token)),
            _ => None,
        }
    }
}

/// How an access token is used.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// The name it came under.
    pub scheme: Scheme,
    /// The token, as sent.
    pub text: &'a str,
    /// The proofs that came with it.
    pub shown: Option<&'a Shown>,
    /// `x5t#S256` of the certificate of the connection.
    pub certificate: Option<&'a str>,
}

/// Whether who uses `token` holds what it is bound to. A token that is bound to nothing is a bearer token and nothing else.
///
/// # Errors
/// [`DpopError`].
pub async fn check_use(broker: &Broker, token: &AccessToken, usage: Use<'_>) -> Result<(), DpopError> {
    match (&token.confirmation, usage.scheme) {
        (None, Scheme::Bearer) => Ok(()),
        (None, Scheme::Dpop) => Err(DpopError::Token("the access token is not bound by DPoP")),
        (Some(bound @ Confirmation::Key(_)), Scheme::Dpop) => {
            let shown = usage.shown.ok_or(DpopError::Proof("there is no DPoP proof"))?;
            let demands_nonce = demands_nonce(broker, &token.client_id).await?;
            let proved = check_proof(broker, shown, Some(usage.text), demands_nonce).await?;
            if is_proved(bound, Some(&proved), None) {
                Ok(())
            } else {
                Err(DpopError::Proof("the access token is bound to another key"))
            }
        }
        (Some(Confirmation::Key(_)), Scheme::Bearer) => {
            Err(DpopError::Token("the access token is bound by DPoP and comes as a bearer token"))
        }
        (Some(bound @ Confirmation::Certificate(_)), scheme) => {
            if scheme == Scheme::Bearer && is_proved(bound, None, usage.certificate) {
                Ok(())
            } else {
                Err(DpopError::Token("the access token is bound to another certificate"))
            }
        }
    }
}

async fn demands_nonce(broker: &Broker, application: &str) -> Result<bool, StoreError> {
    let app = broker.db.read().await?.applications().find(application).await?;
    Ok(app.is_some_and(|app| app.settings.proof.dpop_nonce))
}
