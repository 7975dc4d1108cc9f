//! Why a call is refused.

use super::PathError;
use crate::model::Acr;
use crate::policy::Decision;
use crate::store::StoreError;

/// Why a call is refused. Nothing of it tells a caller more than what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The path could mean two things.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The path differs from a route in capitals only.
    #[error("the path is a route's but for capital letters")]
    Capitals,
    /// The host could mean two things.
    #[error("the host is missing, doubled or not a plain name")]
    Host,
    /// No route covers the path.
    #[error("no route covers the path")]
    NoRoute,
    /// The route does not take the method; those it takes.
    #[error("the route does not take the method")]
    Method(Vec<String>),
    /// Nobody: neither a token nor, where the route takes it, a session.
    #[error("the caller did not say who it is")]
    Unidentified {
        /// Whether signing in would help: the route takes browser sessions.
        may_sign_in: bool,
    },
    /// The token is not good: forged, expired, revoked.
    #[error("the access token is not accepted")]
    Token,
    /// The token is bound to a key, and the call does not prove it.
    #[error("the access token is bound to a key that the call does not prove")]
    Proof,
    /// The proof has to carry this nonce.
    #[error("the DPoP proof has to carry the nonce that we give")]
    Nonce(String),
    /// The token is meant for another system.
    #[error("the access token is meant for another system")]
    Audience,
    /// `Authorization` is not one bearer token.
    #[error("the authorization header is not one bearer token")]
    Authorization,
    /// A token of one and a session of another.
    #[error("the access token and the session are of different people")]
    TwoCallers,
    /// A browser was made to call by a page of another origin.
    #[error("a page of another origin made the call")]
    CrossSite,
    /// The token has none of the scopes that the route demands; those.
    #[error("the access token lacks the scope")]
    Scope(Vec<String>),
    /// The person has to prove who they are in a stronger way, or anew (RFC 9470).
    #[error("the person's proof is too weak or too old")]
    Assurance {
        /// How strongly.
        acr: Option<Acr>,
        /// How long ago it may have been, in seconds.
        max_age: Option<i64>,
        /// Whether signing in again would help: it is a browser's session.
        may_sign_in: bool,
    },
    /// The person has none of the roles that the route demands; those.
    #[error("the person lacks the role")]
    Role(Vec<String>),
    /// Policy does not permit it.
    #[error("policy does not permit the call")]
    Policy(Decision),
    /// Nothing is known: the call is refused all the same.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal {
    /// Whether a person at a browser could go on after signing in; and whether that is even for one who is signed in.
    #[must_use]
    pub fn sign_in(&self) -> Option<bool> {
        match self {
            Self::Unidentified { may_sign_in: true } => Some(false),
            Self::Assurance { may_sign_in: true, .. } => Some(true),
            _ => None,
        }
    }

    /// A stable code: in the answer, in the audit log.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Path(PathError::TooLong) => "path_too_long",
            Self::Path(PathError::MethodOverride) => "method_override",
            Self::Path(_) | Self::Capitals => "ambiguous_path",
            Self::Host => "bad_host",
            Self::NoRoute => "no_route",
            Self::Method(_) => "method_not_allowed",
            Self::Unidentified { .. } => "unidentified",
            Self::Token => "invalid_token",
            Self::Proof => "bad_proof",
            Self::Nonce(_) => "dpop_nonce",
            Self::Audience => "wrong_audience",
            Self::Authorization => "bad_authorization",
            Self::TwoCallers => "two_callers",
            Self::CrossSite => "cross_site",
            Self::Scope(_) => "insufficient_scope",
            Self::Assurance { .. } => "insufficient_user_authentication",
            Self::Role(_) => "role_missing",
            Self::Policy(_) => "not_permitted",
            Self::Store(_) => "unavailable",
        }
    }
}
