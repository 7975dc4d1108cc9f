//! Sessions: opened after a proof, found by the cookie's token.

use chrono::Duration;

use crate::broker::Broker;
use crate::model::{OperatorId, Session, SessionId, Status, User, UserId};
use crate::store::{StoreError, Tx};

/// Purpose under which session tokens are hashed.
const PURPOSE: &str = "session";
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
    Operator(Session, OperatorId),
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
    tx.sessions().insert(&session).await?;
    Ok((session, token))
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
    let mut tx = broker.db.read().await?;
    let Some(session) = tx.sessions().find_by_token(&hash).await?.filter(|session| session.is_live(now)) else {
        return Ok(None);
    };
    let current = match (session.user_id, session.operator_id) {
        (Some(user), None) => match tx.users().find(user).await? {
            Some(user) if user.status == Status::Active => CurrentSession::Person(session.clone(), Box::new(user)),
            _ => return Ok(None),
        },
        (None, Some(operator)) => CurrentSession::Operator(session.clone(), operator),
        _ => return Ok(None),
    };
    drop(tx);
    if now - session.last_seen_at >= TOUCH_EVERY {
        let idle = now + broker.config.session.idle.0;
        let mut tx = broker.db.write().await?;
        tx.sessions().touch(session.id, now, idle).await?;
        tx.commit().await?;
    }
    Ok(Some(current))
}
