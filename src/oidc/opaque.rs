//! Opaque access tokens: random words of one shape, stored hashed with what a JWT would have said.
//!
//! The token is `yat_` and 43 characters (256 random bits). The hash is keyed and covers every character, so a cut or
//! changed token is simply unknown. What the token says is fixed at issue, as in a JWT; whether what it rests on still
//! lives is asked at each use, as for a JWT.

use super::issue::AccessClaims;
use super::keys::KeyError;
use super::verify::TokenError;
use crate::broker::Broker;
use crate::crypto::jwt::JwtError;
use crate::store::Json;
use crate::time::Instant;

/// Purpose under which opaque tokens are hashed.
const PURPOSE: &str = "access-token";
/// What they begin with, so that nothing else is taken for one, and scanners of leaked secrets know it.
const PREFIX: &str = "yat_";
/// Length of the whole.
const LENGTH: usize = 47;

/// Whether `token` has the shape of an opaque access token.
pub(super) fn is_opaque(token: &str) -> bool {
    token.len() == LENGTH && token.starts_with(PREFIX)
}

/// Makes a token that says `claims`, and stores its hash. Opens a transaction of its own.
pub(super) async fn store(broker: &Broker, claims: &AccessClaims) -> Result<String, KeyError> {
    let token = format!("{PREFIX}{}", broker.rng.token());
    let expires_at = Instant::from_timestamp(claims.exp, 0).ok_or(crate::crypto::SigningError::Claims)?;
    let document = serde_json::to_value(claims).map_err(|_| crate::crypto::SigningError::Claims)?;
    let mut tx = broker.db.write().await?;
    tx.access_tokens().insert(&broker.master.token_hash(PURPOSE, &token), &Json(document), expires_at).await?;
    tx.commit().await?;
    Ok(token)
}

/// What a stored token says. An unknown one has no signature that would hold.
pub(super) async fn find(broker: &Broker, token: &str) -> Result<AccessClaims, TokenError> {
    let hash = broker.master.token_hash(PURPOSE, token);
    let claims = broker.db.read().await?.access_tokens().find(&hash).await?.ok_or(JwtError::Signature)?;
    serde_json::from_value(claims).map_err(|_| JwtError::Malformed.into())
}
