//! Who calls: the holder of an access token, or the person whose browser session it is.

use std::sync::Arc;

use super::Refusal;
use crate::broker::Broker;
use crate::login::{CurrentSession, current_session};
use crate::model::User;
use crate::oidc::{AccessToken, DpopError, KeyRing, Scheme, Shown, TokenError, Use, check_use, verify_access_token};
use crate::policy::Principal;
use crate::store::Known;
use crate::time::Instant;

/// What a call brings to prove who makes it, as sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Credentials {
    /// Every `Authorization` header.
    pub authorization: Vec<String>,
    /// Every cookie of our session cookie's name.
    pub sessions: Vec<String>,
    /// Every `DPoP` header.
    pub proofs: Vec<String>,
    /// `x5t#S256` of the certificate that TLS proved.
    pub certificate: Option<String>,
}

/// Who calls.
#[derive(Clone, PartialEq, Debug)]
pub struct Caller {
    /// The person with what they belong to; none for a service in its own name.
    pub known: Option<Arc<Known>>,
    /// The access token, where the call has one.
    pub token: Option<Arc<AccessToken>>,
    /// How the person signed in (RFC 8176), where it is a browser's call.
    pub amr: Vec<String>,
    /// What policy knows of the caller; filled in when the route is known to take it.
    pub principal: Principal,
}

impl Caller {
    /// The person; none for a service in its own name.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        self.known.as_ref().map(|known| &known.user)
    }
}

/// Who somebody is, before policy's facts are gathered.
pub(super) enum Proof {
    Token(Arc<AccessToken>),
    /// The person, how they proved themselves, and when.
    Session(Box<User>, Vec<String>, Instant),
}

/// Finds out who calls. A token and a session together must be of one person; the token then counts.
pub(super) async fn identify(
    broker: &Broker,
    keys: &KeyRing,
    credentials: &Credentials,
    shown: Option<&Shown>,
    takes_sessions: bool,
) -> Result<Proof, Refusal> {
    let token = match credentials.authorization.as_slice() {
        [] => None,
        [line] => Some(verify(broker, keys, line, credentials, shown).await?),
        _ => return Err(Refusal::Authorization),
    };
    let session = session(broker, &credentials.sessions).await?;
    match (token, session) {
        (Some(token), Some(CurrentSession::Person(_, user))) if token.user_id != Some(user.id) => {
            Err(Refusal::TwoCallers)
        }
        (Some(_), Some(CurrentSession::Operator(..))) => Err(Refusal::TwoCallers),
        (Some(token), _) => Ok(Proof::Token(token)),
        (None, Some(CurrentSession::Person(session, user))) if takes_sessions => {
            Ok(Proof::Session(user, session.amr.split(' ').map(str::to_owned).collect(), session.auth_time))
        }
        _ => Err(Refusal::Unidentified { may_sign_in: takes_sessions }),
    }
}

/// The token of a header, used by who may use it (RFC 6750 section 2.1, RFC 9449 section 7.1, RFC 8705 section 3).
async fn verify(
    broker: &Broker,
    keys: &KeyRing,
    line: &str,
    credentials: &Credentials,
    shown: Option<&Shown>,
) -> Result<Arc<AccessToken>, Refusal> {
    let (scheme, text) = Scheme::split(line).ok_or(Refusal::Authorization)?;
    let token = verify_access_token(broker, keys, text).await.map_err(|error| match error {
        TokenError::Store(error) => Refusal::Store(error),
        TokenError::Jwt(_) | TokenError::Issuer | TokenError::Expired | TokenError::Revoked => Refusal::Token,
    })?;
    let usage = Use { scheme, text, shown, certificate: credentials.certificate.as_deref() };
    check_use(broker, &token, usage).await.map_err(|error| match error {
        DpopError::Proof(_) => Refusal::Proof,
        DpopError::Token(_) => Refusal::Token,
        DpopError::Nonce(nonce) => Refusal::Nonce(nonce),
        DpopError::Store(error) => Refusal::Store(error),
    })?;
    Ok(token)
}

/// The live session of the cookies. Two different cookies of one name are none: a page of a neighbouring host can set
/// the second.
async fn session(broker: &Broker, cookies: &[String]) -> Result<Option<CurrentSession>, Refusal> {
    let Some((first, rest)) = cookies.split_first() else { return Ok(None) };
    if rest.iter().any(|other| other != first) {
        return Ok(None);
    }
    Ok(current_session(broker, first).await?)
}
