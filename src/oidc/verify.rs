//! Verifying our own access tokens: for `UserInfo`, introspection and the gateway.
//!
//! The signature of a token is checked once; the result is kept under the token's SHA-256. Whether what the token rests
//! on is still alive (grant, session, person, application, the token itself) is asked of the database by primary key,
//! and the answer is kept for at most [`super::STALENESS`], and never across a commit of this process that revoked something.
//! So a revocation is seen **at once on the node that does it, and within one second on every other**.

use std::sync::Arc;

use serde_json::Value;

use super::issue::{APPLICATION_SUBJECT, AccessClaims};
use super::verified::Verified;
use super::{KeyRing, opaque};
use crate::broker::Broker;
use crate::crypto::jwt::{self, JwtError, MAX_TOKEN};
use crate::crypto::sha256;
use crate::model::{Confirmation, GrantId, SessionId, Status, UserId};
use crate::store::{StoreError, Tx};
use crate::time::Instant;
use crate::verifier::{VerifyError, check_origin, check_times};

/// `typ` of access tokens (RFC 9068 section 2.1).
pub(super) const ACCESS_TYP: &str = "at+jwt";

/// A verified access token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessToken {
    /// Whom it speaks for, as its application knows them: a person's id or pairwise subject, or `app:` and a client id.
    pub sub: String,
    /// The application it was issued to.
    pub client_id: String,
    /// What it allows.
    pub scopes: Vec<String>,
    /// The person; none for an application in its own name.
    pub user_id: Option<UserId>,
    /// The grant it was issued from; none for an application in its own name.
    pub grant_id: Option<GrantId>,
    /// The session it was issued from.
    pub session_id: Option<SessionId>,
    /// Its id.
    pub jti: String,
    /// Whom it is meant for.
    pub aud: Vec<String>,
    /// When it was issued.
    pub iat: Instant,
    /// When it ends.
    pub exp: Instant,
    /// What it allows, in detail (RFC 9396).
    pub authorization_details: Vec<serde_json::Value>,
    /// The key its user has to prove; none for a bearer token.
    pub confirmation: Option<Confirmation>,
    /// When the person had proved who they are; none for an application in its own name.
    pub auth_time: Option<Instant>,
    /// How strongly.
    pub acr: Option<String>,
    /// Who acts for the subject now, and within it who did before (RFC 8693 section 4.1).
    pub actor: Option<Value>,
    /// Who alone may act for the subject with it.
    pub may_act: Option<Value>,
    /// Ids of the tokens it was exchanged from.
    pub derived_from: Vec<String>,
    /// Single claims were asked for at `UserInfo`.
    pub(super) more: bool,
}

impl AccessToken {
    /// Who acts for the subject; those who did before count for nothing (RFC 8693 section 4.1).
    #[must_use]
    pub fn current_actor(&self) -> Option<&str> {
        self.actor.as_ref()?.get("sub")?.as_str()
    }

    /// Whether it allows `scope`.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|one| one == scope)
    }
}

/// Why a token is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not one of ours, or not an access token, or changed.
    #[error(transparent)]
    Jwt(#[from] JwtError),
    /// Made by, or for, another issuer.
    #[error("the token is of another issuer")]
    Issuer,
    /// Past its end, or of a time that has not come.
    #[error("the token has expired, or is not good yet")]
    Expired,
    /// What it rests on is gone: revoked, signed out, disabled, removed.
    #[error("the token was revoked")]
    Revoked,
    /// The database failed: nothing is known of the token.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<VerifyError> for TokenError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Issuer => Self::Issuer,
            VerifyError::Expired | VerifyError::Early => Self::Expired,
            VerifyError::Revoked => Self::Revoked,
            VerifyError::Token(_)
            | VerifyError::Claims
            | VerifyError::Audience
            | VerifyError::Binding
            | VerifyError::Issuing(_) => Self::Jwt(JwtError::Malformed),
        }
    }
}

/// Verifies an access token of ours: signature, `typ` `at+jwt`, issuer, end, and that grant, session, person,
/// application and the token itself still live. The audience is for the caller to judge.
///
/// # Errors
/// [`TokenError`]; only [`TokenError::Store`] leaves open whether the token is good.
pub async fn verify_access_token(broker: &Broker, keys: &KeyRing, token: &str) -> Result<Arc<AccessToken>, TokenError> {
    Ok(verified(broker, keys, token).await?.token.clone())
}

/// The same, with what is kept beside it.
///
/// # Errors
/// [`TokenError`].
pub(super) async fn verified(broker: &Broker, keys: &KeyRing, token: &str) -> Result<Arc<Verified>, TokenError> {
    if token.len() > MAX_TOKEN {
        return Err(JwtError::Malformed.into());
    }
    let tokens = keys.verified();
    let digest = sha256(token.as_bytes());
    let known = tokens.find(&digest);
    if known.as_ref().is_some_and(|verified| !tokens.is_fresh(verified)) {
        keys.keep_up(broker).await;
    }
    let generation = tokens.generation();
    let verified = match known.filter(|verified| verified.generation == generation) {
        Some(verified) => verified,
        None => tokens.keep(digest, check_signature(broker, keys, token).await?, generation),
    };
    let now = broker.clock.now();
    check_times(verified.token.iat.timestamp(), verified.token.exp.timestamp(), None, now)?;
    if !tokens.is_fresh(&verified) {
        let asked = tokens.moment();
        check_alive(broker, &verified.token, now).await?;
        verified.found_alive(asked);
    }
    Ok(verified)
}

/// Whether `token` can only be an access token: a JWT, or an opaque one. Refresh tokens have another shape.
pub(super) fn is_access_token(token: &str) -> bool {
    token.contains('.') || opaque::is_opaque(token)
}

/// Signature (or stored hash), kind and issuer; an expired token passes.
pub(super) async fn check_signature(broker: &Broker, keys: &KeyRing, token: &str) -> Result<AccessToken, TokenError> {
    let claims: AccessClaims = if opaque::is_opaque(token) {
        opaque::find(broker, token).await?
    } else {
        let kid = jwt::kid(token)?;
        let key = keys.find(broker, &kid).await.ok_or(JwtError::UnknownKey)?;
        jwt::verify(&key, ACCESS_TYP, token)?
    };
    check_origin(&claims.iss, &claims.sub, &broker.config.server.issuer())?;
    let instant = |seconds| Instant::from_timestamp(seconds, 0).ok_or(JwtError::Malformed);
    let user_id = match claims.grant {
        Some(grant) => Some(person(broker, grant, &claims.sub).await?),
        None => None,
    };
    Ok(AccessToken {
        user_id,
        sub: claims.sub,
        client_id: claims.client_id,
        scopes: claims.scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        grant_id: claims.grant,
        session_id: claims.sid,
        jti: claims.jti,
        aud: claims.aud.into(),
        iat: instant(claims.iat)?,
        exp: instant(claims.exp)?,
        authorization_details: claims.authorization_details,
        confirmation: claims.cnf,
        auth_time: claims.auth_time.and_then(|seconds| Instant::from_timestamp(seconds, 0)),
        acr: claims.acr,
        actor: claims.act,
        may_act: claims.may_act,
        derived_from: claims.derived_from,
        more: claims.more,
    })
}

/// The person a token speaks for. A pairwise subject tells nobody who that is: the grant does, read once for a token.
async fn person(broker: &Broker, grant: GrantId, sub: &str) -> Result<UserId, TokenError> {
    if let Ok(user) = sub.parse() {
        return Ok(user);
    }
    let grant = broker.db.read().await?.grants().find(grant).await?;
    grant.and_then(|grant| grant.user_id).ok_or(TokenError::Revoked)
}

async fn check_alive(broker: &Broker, token: &AccessToken, now: Instant) -> Result<(), TokenError> {
    let mut tx = broker.db.read().await?;
    let is_alive = match token.grant_id {
        Some(grant) => tx.grants().liveness(grant, &token.jti).await?.is_some_and(|grant| {
            grant.revoked_at.is_none()
                && now < grant.expires_at
                && grant.status == Some(Status::Active)
                && grant.revoked_tokens == 0
        }),
        None => tx.applications().is_alive(&token.client_id, &token.jti).await?,
    };
    let is_alive = is_alive && (token.derived_from.is_empty() || has_living_origin(&mut tx, token).await?);
    if is_alive { Ok(()) } else { Err(TokenError::Revoked) }
}

/// Whether everything that an exchanged token came from is still good: none of the tokens revoked, the application that
/// exchanged it and the one it speaks for still there.
async fn has_living_origin(tx: &mut Tx, token: &AccessToken) -> Result<bool, StoreError> {
    if tx.grants().is_any_revoked(&token.derived_from).await? {
        return Ok(false);
    }
    if !tx.applications().is_alive(&token.client_id, &token.jti).await? {
        return Ok(false);
    }
    match token.sub.strip_prefix(APPLICATION_SUBJECT) {
        Some(subject) => tx.applications().is_alive(subject, &token.jti).await,
        None => Ok(true),
    }
}
