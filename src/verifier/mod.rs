//! The verifier: whether an access token of an issuer is good, judged by a service that it is meant for.
//!
//! What makes a token good is said in [`Claims::judge`]. The broker's own endpoints and gateway judge tokens in
//! [`crate::oidc`]: they have the keys and the database at hand, see a revocation at once, and take opaque tokens, all of
//! which a [`Verifier`], which fetches keys and lists over HTTP, could only do later and worse. But there is one judge: who
//! issued a token and when it is good ([`check_origin`], [`check_times`]), and whether a request proves what it is bound
//! to ([`is_proved`]), is decided here for both. A [`Verifier`] is for a service elsewhere. It keeps
//! the issuer's keys (asked for again at most every ten seconds, whatever is sent), looks a token's place up on its status
//! list, and follows the change feed, so that what is revoked is refused within a second. It works without a database
//! and without HTTP types: a layer of axum around it is a dozen lines (`examples/validators/rust`).

mod binding;
mod claims;
mod client;
mod feed;
mod keys;
mod status;

use std::sync::Arc;

use url::Url;

use crate::time::Clock;

pub use binding::{Binding, check_binding, is_proved};
pub use claims::{
    ACCESS_TYPES, Audience, Claims, Expected, Status, StatusReference, VerifyError, check_origin, check_times,
};
pub use client::ClientError;
pub use feed::FeedCredentials;

use client::Client;
use feed::Revoked;
use keys::Keys;
use status::StatusLists;

/// Judges access tokens of one issuer for one service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Verifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    issuer: String,
    audience: String,
    clock: Clock,
    client: Client,
    keys: Keys,
    lists: StatusLists,
    revoked: Revoked,
}

impl Verifier {
    /// A verifier for tokens of `issuer` that name `audience`. The issuer is called when the first token comes.
    ///
    /// # Errors
    /// When `issuer` is no https address (plain http is for this machine's own loopback), or no certificate authority is
    /// trusted.
    pub fn new(issuer: &str, audience: &str) -> Result<Self, ClientError> {
        let issuer = issuer.trim_end_matches('/').to_owned();
        let client = Client::new(&Url::parse(&issuer).map_err(|_| ClientError::Address(issuer.clone()))?)?;
        Ok(Self(Arc::new(Inner {
            audience: audience.to_owned(),
            clock: Clock::System,
            keys: Keys::new(&issuer),
            lists: StatusLists::new(&issuer),
            revoked: Revoked::default(),
            client,
            issuer,
        })))
    }

    /// The claims of `token`, when it is good now. `binding` is what the request shows beside the token: a token that is
    /// bound to a key or certificate is good only together with it.
    ///
    /// # Errors
    /// [`VerifyError`]; each is a refusal.
    pub async fn verify(&self, token: &str, binding: &Binding<'_>) -> Result<Claims, VerifyError> {
        let inner = &*self.0;
        let unverified = claims::unverified(token)?;
        let keys = inner.keys.fitting(&inner.client, &unverified).await?;
        let claims = Claims::read(unverified.verify(keys.iter())?)?;
        let now = inner.clock.now();
        claims.judge(&Expected { issuer: &inner.issuer, audience: Some(&inner.audience) }, now)?;
        check_binding(&claims, binding)?;
        if inner.revoked.names(&claims) {
            return Err(VerifyError::Revoked);
        }
        // Who follows the feed knows already; who has lost it looks at the list.
        if let Some(status) = claims.status.as_ref().filter(|_| !inner.revoked.is_current()) {
            inner.lists.check(&inner.client, &inner.keys, &status.status_list, now).await?;
        }
        Ok(claims)
    }

    /// Follows the change feed until the process ends; the application of `credentials` may have `revocations:read`.
    /// Spawn it beside the service.
    pub async fn follow(self, credentials: FeedCredentials) {
        feed::follow(&self.0.client, &self.0.keys, &self.0.issuer, &self.0.revoked, &credentials).await;
    }

    /// Whether the change feed is being followed at this moment.
    #[must_use]
    pub fn is_following(&self) -> bool {
        self.0.revoked.is_current()
    }
}
