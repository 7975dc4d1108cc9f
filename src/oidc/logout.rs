//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): an application sends the browser to sign out.
//!
//! Only an ID token of ours proves that an application of this very session asks; then the session ends at once, and
//! the browser goes to a registered address, compared exactly. In every other case the person is asked, because
//! anybody can make a browser open this address; with `client_id` the browser goes on to that application afterwards.

use serde_json::json;

use super::params::Params;
use super::subject::subject;
use super::{Caller, Provider, Visitor, front_channel, hint};
use crate::audit::{self, Action, Event, Outcome};
use crate::model::{EndReason, RedirectUri, Session};
use crate::store::StoreError;

/// What the browser is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogoutAnswer {
    /// Signed out (or was not signed in): to the application, with 303.
    Redirect(String),
    /// Signed out (or was not signed in): the page that says so.
    SignedOut,
    /// Signed out: the page that says so, loads these addresses in frames (front-channel logout), and goes on to the
    /// application, where it asked for that.
    Frames(Vec<String>, Option<String>),
    /// Nothing was done: the person is asked whether to sign out; and then goes where the request wants, where it has
    /// an address that its application registered.
    Ask(Option<Return>),
    /// Nothing was done: hint and address do not belong together, or are not ours.
    Refused,
}

/// An application's address to return to, as it asked for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Return {
    /// The application.
    pub client_id: String,
    /// What it registered.
    pub post_logout_redirect_uri: String,
    /// To be handed back.
    pub state: Option<String>,
}

impl Return {
    /// The names of its parts in a form, and the parts.
    #[must_use]
    pub fn fields(&self) -> Vec<(String, String)> {
        let parts = [
            ("client_id", Some(&self.client_id)),
            ("post_logout_redirect_uri", Some(&self.post_logout_redirect_uri)),
            ("state", self.state.as_ref()),
        ];
        parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part?.clone()))).collect()
    }

    /// The origin of the address, which the page's policy has to allow.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        RedirectUri(&self.post_logout_redirect_uri).origin()
    }

    fn read(get: impl Fn(&str) -> Option<String>, client_id: &str) -> Option<Self> {
        let post_logout_redirect_uri = get("post_logout_redirect_uri")?;
        Some(Self { client_id: client_id.to_owned(), post_logout_redirect_uri, state: get("state") })
    }

    /// The same address with the state; none where it is not what the application registered.
    async fn address(&self, provider: Provider<'_>) -> Result<Option<String>, StoreError> {
        let app = provider.applications.find(provider.broker, &self.client_id).await?;
        let uri = &self.post_logout_redirect_uri;
        if !app.is_some_and(|app| app.enabled && app.settings.post_logout_redirect_uris.contains(uri)) {
            return Ok(None);
        }
        let Some(state) = &self.state else { return Ok(Some(uri.clone())) };
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
        let join = if uri.contains('?') { '&' } else { '?' };
        Ok(Some(format!("{uri}{join}{query}")))
    }
}

/// Where a browser goes whose person was asked and signed out: the address in the form of [`Return::fields`], where the
/// application still has it.
///
/// # Errors
/// When the database fails.
pub async fn return_address(
    provider: Provider<'_>,
    field: impl Fn(&str) -> Option<String>,
) -> Result<Option<String>, StoreError> {
    let Some(client_id) = field("client_id") else { return Ok(None) };
    match Return::read(field, &client_id) {
        Some(wanted) => wanted.address(provider).await,
        None => Ok(None),
    }
}

/// Decides about a logout request of a browser with this session.
///
/// # Errors
/// When the database fails.
pub async fn logout(
    provider: Provider<'_>,
    caller: &Caller,
    params: &Params,
    session: Option<&Visitor>,
) -> Result<LogoutAnswer, StoreError> {
    if params.has_repetition() {
        return Ok(LogoutAnswer::Refused);
    }
    let given = params.get("id_token_hint");
    let hint = hint::read(provider, given).await;
    let get = |name: &str| params.get(name).map(str::to_owned);
    let Some(hint) = hint else {
        if given.is_some() {
            return Ok(LogoutAnswer::Refused);
        }
        return without_hint(provider, get, session.is_some()).await;
    };
    if params.get("client_id").is_some_and(|id| id != hint.aud) {
        return Ok(LogoutAnswer::Refused);
    }
    let back = match Return::read(get, &hint.aud) {
        None => LogoutAnswer::SignedOut,
        Some(wanted) => match wanted.address(provider).await? {
            Some(uri) => LogoutAnswer::Redirect(uri),
            None => return Ok(LogoutAnswer::Refused),
        },
    };
    match session {
        None => Ok(back),
        Some(Visitor::Person(session, user)) => {
            let app = provider.applications.find(provider.broker, &hint.aud).await?;
            let sub = app.map(|app| subject(provider.broker, &app, user.id)).unwrap_or_default();
            let is_same = hint.sid.map_or(hint.sub == sub, |sid| sid == session.id);
            if !is_same {
                return Ok(LogoutAnswer::Ask(None));
            }
            end(provider, caller, session, &hint.aud).await?;
            let frames = front_channel::front_channel(provider, session.id).await?;
            Ok(match back {
                back if frames.is_empty() => back,
                LogoutAnswer::Redirect(uri) => LogoutAnswer::Frames(frames, Some(uri)),
                _ => LogoutAnswer::Frames(frames, None),
            })
        }
        Some(Visitor::Operator) => Ok(LogoutAnswer::Ask(None)),
    }
}

/// Anybody can send a browser here without a hint, so the person decides. `client_id` says whose address it is to be
/// (RP-Initiated Logout section 2): what that application registered is as good a place as with a hint, once the person
/// has agreed.
async fn without_hint(
    provider: Provider<'_>,
    get: impl Fn(&str) -> Option<String>,
    is_signed_in: bool,
) -> Result<LogoutAnswer, StoreError> {
    let wanted = get("client_id").and_then(|id| Return::read(&get, &id));
    let address = match &wanted {
        Some(wanted) => wanted.address(provider).await?,
        None => None,
    };
    Ok(match address {
        Some(_) if is_signed_in => LogoutAnswer::Ask(wanted),
        Some(address) => LogoutAnswer::Redirect(address),
        // An address that nobody vouches for is never gone to.
        None if wanted.is_some() || !is_signed_in && get("post_logout_redirect_uri").is_some() => LogoutAnswer::Refused,
        None if is_signed_in => LogoutAnswer::Ask(None),
        None => LogoutAnswer::SignedOut,
    })
}

async fn end(provider: Provider<'_>, caller: &Caller, session: &Session, app: &str) -> Result<(), StoreError> {
    let broker = provider.broker;
    let now = broker.clock.now();
    let actor = session.user_id.map(|user| format!("user:{user}")).unwrap_or_default();
    let event = Event::new(Action::SignOut, Outcome::Success, actor, format!("session:{}", session.id))
        .from_request(caller.address.to_string(), &caller.request_id)
        .with(json!({ "application": app }));
    let mut tx = broker.db.write().await?;
    tx.sessions().end(session.id, EndReason::SignedOut, now).await?;
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await
}
