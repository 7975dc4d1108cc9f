//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): an application sends the browser to sign out.
//!
//! Only an ID token of ours proves that an application of this very session asks; then the session ends at once, and
//! the browser goes to a registered address, compared exactly. In every other case the person is asked, because
//! anybody can make a browser open this address.

use serde_json::json;

use super::params::Params;
use super::subject::subject;
use super::{Caller, Provider, Visitor, front_channel, hint};
use crate::audit::{self, Action, Event, Outcome};
use crate::model::{EndReason, Session};
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
    /// Nothing was done: the person is asked whether to sign out.
    Ask,
    /// Nothing was done: hint and address do not belong together, or are not ours.
    Refused,
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
    let Some(hint) = hint else {
        let is_refused = given.is_some() || params.get("post_logout_redirect_uri").is_some() && session.is_none();
        return Ok(match session {
            _ if is_refused => LogoutAnswer::Refused,
            Some(_) => LogoutAnswer::Ask,
            None => LogoutAnswer::SignedOut,
        });
    };
    if params.get("client_id").is_some_and(|id| id != hint.aud) {
        return Ok(LogoutAnswer::Refused);
    }
    let Some(back) = back(provider, params, &hint.aud).await? else { return Ok(LogoutAnswer::Refused) };
    match session {
        None => Ok(back),
        Some(Visitor::Person(session, user)) => {
            let app = provider.applications.find(provider.broker, &hint.aud).await?;
            let sub = app.map(|app| subject(provider.broker, &app, user.id)).unwrap_or_default();
            let is_same = hint.sid.map_or(hint.sub == sub, |sid| sid == session.id);
            if !is_same {
                return Ok(LogoutAnswer::Ask);
            }
            end(provider, caller, session, &hint.aud).await?;
            let frames = front_channel::front_channel(provider, session.id).await?;
            Ok(match back {
                back if frames.is_empty() => back,
                LogoutAnswer::Redirect(uri) => LogoutAnswer::Frames(frames, Some(uri)),
                _ => LogoutAnswer::Frames(frames, None),
            })
        }
        Some(Visitor::Operator) => Ok(LogoutAnswer::Ask),
    }
}

/// Where to afterwards; none for an address that is not registered.
async fn back(provider: Provider<'_>, params: &Params, app: &str) -> Result<Option<LogoutAnswer>, StoreError> {
    let Some(uri) = params.get("post_logout_redirect_uri") else { return Ok(Some(LogoutAnswer::SignedOut)) };
    let app = provider.applications.find(provider.broker, app).await?;
    if !app.is_some_and(|app| app.settings.post_logout_redirect_uris.iter().any(|own| own == uri)) {
        return Ok(None);
    }
    let Some(state) = params.get("state") else { return Ok(Some(LogoutAnswer::Redirect(uri.to_owned()))) };
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
    let join = if uri.contains('?') { '&' } else { '?' };
    Ok(Some(LogoutAnswer::Redirect(format!("{uri}{join}{query}"))))
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
