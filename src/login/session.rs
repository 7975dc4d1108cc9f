//! Sessions: opened or renewed after a proof, found by the cookie's token.

use chrono::Duration;

use serde_json::json;

use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::model::{EndReason, Operator, OperatorId, Session, SessionId, Status, User, UserId};
use crate::store::{StoreError, Tx};

/// Purpose under which session tokens are hashed.
pub(super) const PURPOSE: &str = "session";
/// A session's last use is written at most so often.
const TOUCH_EVERY: Duration = Duration::seconds(60);

/// Where a session is opened from, and how the person proved themselves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionOrigin {
    /// Address of the browser.
    pub address: String,
    /// `User-Agent` of the browser, cut to 200 characters.
    pub user_agent: String,
    /// RFC 8176 values, space separated.
    pub amr: String,
}

/// Whose session it is.
#[derive(Clone, PartialEq, Debug)]
pub enum CurrentSession {
    /// A person's.
    Person(Session, Box<User>),
    /// A recovery administrator's.
    Operator(Session, Box<Operator>),
}

impl CurrentSession {
    /// The session itself.
    #[must_use]
    pub fn session(&self) -> &Session {
        match self {
            Self::Person(session, _) | Self::Operator(session, _) => session,
        }
    }

    /// The person; none for a recovery administrator.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match self {
            Self::Person(_, user) => Some(user),
            Self::Operator(..) => None,
        }
    }

    /// Who it is in the audit log.
    #[must_use]
    pub fn actor(&self) -> String {
        match self {
            Self::Person(_, user) => format!("user:{}", user.id),
            Self::Operator(_, operator) => format!("operator:{}", operator.login),
        }
    }
}

/// Opens a session for a person; gives the cookie's token, which is stored nowhere.
///
/// # Errors
/// When the database fails.
pub async fn open_session(
    broker: &Broker,
    tx: &mut Tx,
    person: Result<UserId, OperatorId>,
    origin: &SessionOrigin,
) -> Result<(Session, String), StoreError> {
    let (session, token) = fresh(broker, person, origin);
    tx.sessions().insert(&session).await?;
    Ok((session, token))
}

/// The session of somebody who has just proved who they are, in a browser that shows the token `shown`.
///
/// Their own live session is renewed: `sid`, the applications it reached and the grants made from it stay; the token is
/// another, so the old cookie is dead; `auth_time` is now, and idle and absolute lifetime begin anew (grants keep the
/// end they have). Any other session that the browser had is ended, and a new one opened.
pub(super) async fn session_of_proof(
    broker: &Broker,
    tx: &mut Tx,
    person: Result<UserId, OperatorId>,
    shown: Option<&str>,
    origin: &SessionOrigin,
) -> Result<(Session, String), StoreError> {
    let now = broker.clock.now();
    let old = shown.map(|token| broker.master.token_hash(PURPOSE, token));
    let old = match &old {
        Some(hash) => tx.sessions().find_by_token(hash).await?,
        None => None,
    };
    let Some(old) = old else { return open_session(broker, tx, person, origin).await };
    if old.is_live(now) && old.user_id.is_some() && old.user_id == person.ok() {
        let (fresh, token) = fresh(broker, person, origin);
        if let Some(session) = tx.sessions().renew(&old.token_hash, &fresh).await? {
            return Ok((session, token));
        }
    } else {
        tx.sessions().end(old.id, EndReason::Replaced, now).await?;
    }
    open_session(broker, tx, person, origin).await
}

/// A session that begins now, not stored yet, and the cookie's token.
fn fresh(broker: &Broker, person: Result<UserId, OperatorId>, origin: &SessionOrigin) -> (Session, String) {
    let now = broker.clock.now();
    let token = broker.rng.token();
    let settings = &broker.config.session;
    let session = Session {
        id: SessionId::new(&broker.rng, now),
        token_hash: broker.master.token_hash(PURPOSE, &token),
        user_id: person.ok(),
        operator_id: person.err(),
        auth_time: now,
        amr: origin.amr.clone(),
        address: origin.address.clone(),
        user_agent: origin.user_agent.chars().take(200).collect(),
        created_at: now,
        last_seen_at: now,
        idle_expires_at: now + settings.idle.0,
        expires_at: now + settings.absolute.0,
        ended_at: None,
        ended_reason: None,
    };
    (session, token)
}

/// The live session of a cookie's token, with the person, who must be active. Anything else is no session.
///
/// # Errors
/// When the database fails.
pub async fn current_session(broker: &Broker, token: &str) -> Result<Option<CurrentSession>, StoreError> {
    if token.len() != 43 {
        return Ok(None);
    }
    let now = broker.clock.now();
    let hash = broker.master.token_hash(PURPOSE, token);
    let Some((session, known)) = broker.reads.session(hash).await?.filter(|(session, _)| session.is_live(now)) else {
        return Ok(None);
    };
    let (id, last_seen_at) = (session.id, session.last_seen_at);
    let current = match (session.operator_id, known) {
        (None, Some(known)) if known.user.status == Status::Active => {
            CurrentSession::Person(session, Box::new(known.user.clone()))
        }
        (Some(operator), None) => match broker.db.read().await?.operators().find(operator).await? {
            Some(operator) => CurrentSession::Operator(session, Box::new(operator)),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    if now - last_seen_at >= TOUCH_EVERY {
        let idle = now + broker.config.session.idle.0;
        let mut tx = broker.db.write().await?;
        tx.sessions().touch(id, now, idle).await?;
        tx.commit().await?;
    }
    Ok(Some(current))
}

/// Ends one session of `caller`: this one (signing out) or another of the same person (revoking it from the list).
/// Tells whether it was live and the caller's.
///
/// # Errors
/// When the database fails.
pub async fn end_session(
    broker: &Broker,
    caller: &CurrentSession,
    id: SessionId,
    (address, request_id): (&str, &str),
) -> Result<bool, StoreError> {
    let now = broker.clock.now();
    let is_own = id == caller.session().id;
    let reason = if is_own { EndReason::SignedOut } else { EndReason::Revoked };
    let mut tx = broker.db.write().await?;
    let found = tx.sessions().find(id).await?.filter(|session| {
        is_own || (session.user_id.is_some() && session.user_id == caller.user().map(|user| user.id))
    });
    if found.is_none() || !tx.sessions().end(id, reason, now).await? {
        return Ok(false);
    }
    let event = Event::new(Action::SignOut, Outcome::Success, caller.actor(), caller.actor())
        .from_request(address, request_id)
        .with(json!({ "session": id, "reason": reason }));
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    Ok(true)
}

/// Ends every other session of the person, with their grants; tells how many.
///
/// # Errors
/// When the database fails.
pub async fn end_others(
    broker: &Broker,
    caller: &CurrentSession,
    (address, request_id): (&str, &str),
) -> Result<u64, StoreError> {
    let Some(user) = caller.user() else { return Ok(0) };
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    let ended = tx.sessions().end_others(user.id, caller.session().id, EndReason::Revoked, now).await?;
    let event = Event::new(Action::SignOut, Outcome::Success, caller.actor(), caller.actor())
        .from_request(address, request_id)
        .with(json!({ "sessions": ended, "reason": EndReason::Revoked }));
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Ends every session and grant of the person, this one and those with `offline_access` too.
///
/// # Errors
/// When the database fails.
pub async fn sign_out_everywhere(
    broker: &Broker,
    caller: &CurrentSession,
    (address, request_id): (&str, &str),
) -> Result<(), StoreError> {
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    let mut ended = 0;
    if let Some(user) = caller.user() {
        ended = tx.revoke_people(&[user.id], EndReason::SignedOut, now).await?.sessions;
    } else if tx.sessions().end(caller.session().id, EndReason::SignedOut, now).await? {
        ended = 1;
    }
    let event = Event::new(Action::SignOut, Outcome::Success, caller.actor(), caller.actor())
        .from_request(address, request_id)
        .with(json!({ "sessions": ended, "everywhere": true }));
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await
}
