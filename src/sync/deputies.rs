//! Who acts for whom (代理), set by operators and by people themselves. Which roles a deputy has follows from the rules that
//! say `deputies = true`; everything else is a date that comes into force like any other ([`keep_dates`]).

use chrono::Duration;
use serde_json::json;

use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::model::{Acting, ActingId, Status, User};
use crate::store::StoreError;
use crate::text::fold;
use crate::time::{Date, date_in};

use super::SyncError;
use super::dates::keep_dates;

/// Days that people may have a deputy of their own choice at the most.
pub const LONGEST_DAYS: i64 = 366;
/// Deputies that somebody may have chosen for today and days to come.
const MOST: usize = 10;
/// Characters of a reason at the most.
const LONGEST_REASON: usize = 200;

/// A deputy to be named.
#[derive(Clone, Debug)]
pub struct NewDeputy<'a> {
    /// Who is acted for.
    pub whom: &'a User,
    /// Login name of who acts.
    pub deputy: &'a str,
    /// First day; from now on when missing.
    pub from: Option<Date>,
    /// Last day; until it is ended when missing.
    pub to: Option<Date>,
    /// Why.
    pub reason: Option<&'a str>,
}

/// Who does it, from where: for the audit log.
#[derive(Clone, Copy, Debug)]
pub struct DoneBy<'a> {
    /// `cli`, `user:ID`.
    pub actor: &'a str,
    /// Address and id of the request; empty outside of requests.
    pub request: (&'a str, &'a str),
}

/// Why a deputy is not named, or does not end. `code` of each is the end of a message `deputy-not-…`.
#[derive(Debug, thiserror::Error)]
pub enum DeputyError {
    /// Nobody active is called so.
    #[error("nobody active has the login name `{0}`")]
    Nobody(String),
    /// The same person.
    #[error("nobody acts for themselves: name two people")]
    Same,
    /// The days stand the wrong way round.
    #[error("the last day is before the first: turn them around")]
    Order,
    /// The last day has passed.
    #[error("the last day has passed: choose one to come")]
    Past,
    /// No last day, or one too far off: people themselves choose for a while.
    #[error("a last day within {LONGEST_DAYS} days of the first is needed")]
    Long,
    /// Too many at once.
    #[error("{MOST} deputies are named already: end one first")]
    Many,
    /// The reason is too long.
    #[error("the reason is longer than {LONGEST_REASON} characters")]
    Reason,
    /// No such deputy, or somebody else's.
    #[error("there is no `{0}`: see `yaopai user act list`")]
    None(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is stored, and could not be brought into force at once.
    #[error("it is stored and takes effect within a minute: {0}")]
    Later(#[from] SyncError),
}

impl DeputyError {
    /// The end of the message that says it; none for what failed on our side.
    #[must_use]
    pub const fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::Nobody(_) => "nobody",
            Self::Same => "same",
            Self::Order => "order",
            Self::Past => "past",
            Self::Long => "long",
            Self::Many => "many",
            Self::Reason => "reason",
            Self::None(_) => "none",
            Self::Store(_) | Self::Later(_) => return None,
        })
    }
}

/// Lets somebody act for somebody else, whoever sets it.
///
/// # Errors
/// [`DeputyError`]; nothing is stored then, but for [`DeputyError::Later`].
pub async fn name_deputy(broker: &Broker, wish: &NewDeputy<'_>, by: DoneBy<'_>) -> Result<Acting, DeputyError> {
    let now = broker.clock.now();
    let today = today(broker, wish.whom);
    if wish.to.is_some_and(|to| to < today) {
        return Err(DeputyError::Past);
    }
    if wish.from.zip(wish.to).is_some_and(|(from, to)| to < from) {
        return Err(DeputyError::Order);
    }
    let reason = wish.reason.map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
        return Err(DeputyError::Reason);
    }
    let mut tx = broker.db.write().await?;
    let deputy = tx.users().find_by_login(&fold(wish.deputy.trim())).await?;
    let deputy = deputy.filter(|user| user.status == Status::Active);
    let deputy = deputy.ok_or_else(|| DeputyError::Nobody(wish.deputy.trim().to_owned()))?;
    if deputy.id == wish.whom.id {
        return Err(DeputyError::Same);
    }
    let acting = Acting {
        id: ActingId::new(&broker.rng, now),
        user_id: wish.whom.id,
        deputy_id: deputy.id,
        starts_on: wish.from,
        ends_on: wish.to,
        in_force: false,
        reason: reason.map(str::to_owned),
        set_by: by.actor.to_owned(),
        created_at: now,
    };
    tx.acting().insert(std::slice::from_ref(&acting)).await?;
    let details = json!({ "acting": acting.id, "deputy": deputy.id, "from": acting.starts_on, "to": acting.ends_on,
                          "reason": acting.reason });
    audit::append(&mut tx, now, &[event(wish.whom, by, details)]).await?;
    tx.commit().await?;
    bring_up(broker, wish.whom).await?;
    Ok(acting)
}

/// The same, for the person themselves: for a while, and not for everybody at once.
///
/// # Errors
/// [`DeputyError`].
pub async fn name_own_deputy(broker: &Broker, wish: &NewDeputy<'_>, by: DoneBy<'_>) -> Result<Acting, DeputyError> {
    let today = today(broker, wish.whom);
    // Days that have passed are nobody's any more.
    let first = wish.from.map_or(today, |from| from.max(today));
    if wish.to.is_none_or(|to| to - first > Duration::days(LONGEST_DAYS)) {
        return Err(DeputyError::Long);
    }
    let named = broker.db.read().await?.acting().list_by_user(wish.whom.id).await?;
    let is_running = |of: &&Acting| of.user_id == wish.whom.id && of.ends_on.is_none_or(|last| last >= today);
    if named.iter().filter(is_running).count() >= MOST {
        return Err(DeputyError::Many);
    }
    name_deputy(broker, &NewDeputy { from: Some(first), ..wish.clone() }, by).await
}

/// Ends it with yesterday. `own` is the person who asks, where it is no operator: who is acted for, or who acts.
///
/// # Errors
/// [`DeputyError::None`] where it is none of theirs.
pub async fn end_deputy(
    broker: &Broker,
    id: ActingId,
    own: Option<&User>,
    by: DoneBy<'_>,
) -> Result<Acting, DeputyError> {
    let none = || DeputyError::None(id.to_string());
    let mut tx = broker.db.write().await?;
    let acting = tx.acting().find(id).await?.ok_or_else(none)?;
    if own.is_some_and(|own| own.id != acting.user_id && own.id != acting.deputy_id) {
        return Err(none());
    }
    let whom = tx.users().find(acting.user_id).await?.ok_or_else(none)?;
    let yesterday = today(broker, &whom).pred_opt().ok_or_else(none)?;
    tx.acting().end(id, yesterday).await?;
    let details = json!({ "acting": id, "ended": yesterday });
    audit::append(&mut tx, broker.clock.now(), &[event(&whom, by, details)]).await?;
    tx.commit().await?;
    bring_up(broker, &whom).await?;
    Ok(acting)
}

fn event(whom: &User, by: DoneBy<'_>, details: serde_json::Value) -> Event {
    let (address, request) = by.request;
    let event = Event::new(Action::Acting, Outcome::Success, by.actor, format!("user:{}", whom.id));
    event.from_request(address, request).with(details)
}

/// Today, where the person's source is.
#[must_use]
pub fn today(broker: &Broker, user: &User) -> Date {
    let zone = broker.config.source(&user.source).map_or(broker.config.server.time_zone, |source| source.time_zone);
    date_in(broker.clock.now(), zone)
}

/// Brings it into force at once. While a run of the source is under way, the job of the next minute does it.
async fn bring_up(broker: &Broker, whom: &User) -> Result<(), SyncError> {
    match keep_dates(broker, &whom.source).await {
        // The account of a source that is no longer configured keeps what it has.
        Ok(_) | Err(SyncError::Busy(_) | SyncError::UnknownSource { .. } | SyncError::Orphaned { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
