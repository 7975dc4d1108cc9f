//! The authorization endpoint (RFC 6749 section 3.1, OpenID Connect Core 1.0 section 3.1.2): what becomes of a request.
//!
//! In steps: `arrive` (who asks, and what, whichever way the request came), `who` (what is wrong with it, and whether
//! somebody is signed in), `decide` (is the proof fresh enough, does policy permit it), `respond` (code and tokens).
//!
//! Until application and redirect URI are known, every fault is a page and nothing is sent anywhere. After that, faults
//! go to the application, but only once the person is signed in (RFC 9700 section 4.11.2), unless `prompt=none`.
//! Whether the person may use the application is a policy decision; a refusal is a page that says so, because only the
//! person can do something about it (with `prompt=none` the application is told `access_denied`).
//!
//! Whether the person is asked to agree is the application's setting, see `consent`. `prompt=select_account` shows the
//! sign-in page like `login`. Single claims and `acr` are
//! judged in `claims` and `assurance`.

mod arrive;
mod decide;
mod respond;

use super::consent::{Question, Reply};
use super::keys::KeyError;
use super::params::Params;
use super::request::{Fault, Request};
use super::{Caller, Provider, Visitor, consent, par};
use crate::model::{NearMiss, Session, User};
use crate::store::StoreError;

pub(super) use arrive::{Arrival, back};
pub(super) use decide::Decided;

/// Bytes of a request that a browser carries through the sign-in and back. What is longer has to be pushed; it is never
/// cut, and nobody ends up elsewhere because of it.
const LONGEST: usize = 6_000;

/// What the browser is answered.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// To the application, with 303: the whole URL.
    Redirect(String),
    /// To the application, by a form that the page sends (OAuth 2.0 Form Post Response Mode).
    FormPost {
        /// The redirect URI.
        action: String,
        /// Names and values.
        fields: Vec<(String, String)>,
        /// Addresses of the application, where its answer to the form may lead.
        known: Vec<String>,
    },
    /// To the sign-in page, and from there back to the authorization endpoint with these parameters.
    SignIn {
        /// The request to come back with.
        request: Params,
        /// The form is shown even to somebody signed in.
        again: bool,
        /// `login_hint` and `ui_locales` of a pushed request, which are not in the address.
        hints: Params,
    },
    /// The page that asks the person to agree.
    Consent(Box<Question>),
    /// A page: the request names nobody who could be told, or only the person can do something.
    Page(PageFault),
}

impl Answer {
    /// Whether the browser is to come back with the same request.
    fn comes_back(&self) -> bool {
        matches!(self, Self::SignIn { .. } | Self::Consent(_))
    }
}

/// A fault that is shown to the person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageFault {
    /// `client_id` is missing, unknown, switched off or given twice.
    UnknownApplication,
    /// `redirect_uri` is missing, not registered or given twice; the one thing in which it differs from a registered
    /// one, where whoever sent it may know.
    RedirectUri(Option<NearMiss>),
    /// The pushed request is unknown, used, expired or another application's.
    PushedRequest,
    /// The request is too long to be carried through the sign-in: it has to be pushed.
    TooLong,
    /// The parameters cannot be read.
    Malformed,
    /// Policy does not let the person in.
    Denied,
    /// The recovery administrator has no applications.
    Operator,
}

/// Why no answer could be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No key signs.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Why a step does not lead to the next one.
pub(super) enum Stop {
    /// The browser is answered.
    Answer(Answer),
    /// Something failed.
    Failed(AuthorizeError),
}

impl<E: Into<AuthorizeError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Answers an authorization request of a browser with this session. `params` are those of the address; `reply` is what
/// the person said on the consent page, when the request comes from there.
///
/// # Errors
/// [`AuthorizeError`].
pub async fn authorize(
    provider: Provider<'_>,
    caller: &Caller,
    params: &Params,
    session: Option<Visitor>,
    reply: Option<Reply<'_>>,
) -> Result<Answer, AuthorizeError> {
    let arrival = match arrive::arrive(provider, caller, params).await {
        Ok(arrival) => arrival,
        Err(Stop::Answer(answer)) => return Ok(answer),
        Err(Stop::Failed(error)) => return Err(error),
    };
    let answer = match answer(provider, caller, &arrival, session, reply).await {
        Ok(Answer::SignIn { request, .. }) | Err(Stop::Answer(Answer::SignIn { request, .. }))
            if request.encode().len() > LONGEST =>
        {
            return Ok(Answer::Page(PageFault::TooLong));
        }
        Ok(answer) | Err(Stop::Answer(answer)) => answer,
        Err(Stop::Failed(error)) => return Err(error),
    };
    if let Some(pushed) = &arrival.pushed
        && answer.comes_back()
    {
        par::keep(provider, pushed).await?;
    }
    Ok(answer)
}

async fn answer(
    provider: Provider<'_>,
    caller: &Caller,
    arrival: &Arrival,
    session: Option<Visitor>,
    reply: Option<Reply<'_>>,
) -> Result<Answer, Stop> {
    let known = who(provider, arrival, session).await?;
    let decided = decide::decide(provider, caller, arrival, known).await?;
    let agreed = consent::judge(provider, caller, arrival, &decided, reply).await?;
    respond::respond(provider, caller, arrival, decided, agreed).await
}

/// A request that can be answered, and the person it is about.
struct Known {
    request: Request,
    session: Box<Session>,
    user: Box<User>,
}

/// Reads the request and sees who is signed in.
async fn who(provider: Provider<'_>, arrival: &Arrival, session: Option<Visitor>) -> Result<Known, Stop> {
    let request = arrival.read(provider);
    let is_silent = match &request {
        Ok(request) => request.is_silent,
        Err(_) => arrival.params.get("prompt") == Some("none"),
    };
    let (session, user) = match session {
        Some(Visitor::Person(session, user)) => (session, user),
        Some(Visitor::Operator) if !is_silent => return Err(Stop::Answer(Answer::Page(PageFault::Operator))),
        _ if is_silent => {
            let fault = request.err().unwrap_or(Fault::LOGIN_REQUIRED);
            return Err(arrival.refuse(provider, fault).await);
        }
        _ => return Err(arrival.sign_in(arrival.demand(provider).without, false)),
    };
    match request {
        Ok(request) => Ok(Known { request, session, user }),
        Err(fault) => Err(arrival.refuse(provider, fault).await),
    }
}
