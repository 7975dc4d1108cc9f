//! `id_token_hint`: an ID token of ours, which may have expired (OpenID Connect Core 1.0 section 3.1.2.1).

use super::Provider;
use super::issue::{ID_TYP, IdClaims};
use crate::crypto::jwt;

/// The claims of a hint whose signature, kind and issuer hold; none for anything else.
pub(super) async fn read(provider: Provider<'_>, hint: Option<&str>) -> Option<IdClaims> {
    let hint = hint?;
    let kid = jwt::kid(hint).ok()?;
    let key = provider.keys.find(provider.broker, &kid).await?;
    let claims: IdClaims = jwt::verify(&key, ID_TYP, hint).ok()?;
    (claims.iss == provider.broker.config.server.issuer()).then_some(claims)
}
