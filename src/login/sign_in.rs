//! Signing in with a login name and a password.
//!
//! Unknown, disabled and wrong are one answer, at one time: [`SignInError::Wrong`]. Attempts are counted before they
//! are judged. Success gives the browser a new token: of its own session, when the same person proves themselves again,
//! else of a new session in place of the one it had. It is in the audit log before the browser hears of it.

use std::time::Duration;

use serde_json::json;

use super::SessionOrigin;
use super::password::{CheckError, Verdict, check};
use super::session::session_of_proof;
use super::throttle::{Throttle, device_mark};
use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::crypto::{Hasher, MAX_PASSWORD, PasswordError};
use crate::model::{Operator, OperatorId, Session, Status, User, UserId};
use crate::store::StoreError;
use crate::text::fold;
use crate::time::Instant;

/// Characters of a login name at the most; longer ones belong to nobody.
const MAX_LOGIN: usize = 256;
/// Refusals are answered at whole steps of this length, so that their time tells nothing.
const STEP: Duration = Duration::from_millis(200);

/// An attempt to sign in.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// Login name as typed.
    pub login: &'a str,
    /// Password as typed.
    pub password: &'a str,
    /// The browser's mark of an earlier sign-in, if it shows one.
    pub device: Option<&'a str>,
    /// The cookie's token of the session the browser has now: renewed for the same person, ended for another.
    pub replaces: Option<&'a str>,
    /// Where from.
    pub origin: &'a SessionOrigin,
    /// Id of the request, for the audit log.
    pub request_id: &'a str,
}

/// What a successful sign-in gives.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session, new or renewed.
    pub session: Session,
    /// The cookie's token.
    pub token: String,
    /// The browser's mark: guesses from elsewhere do not make it wait.
    pub device: String,
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Login or password is empty.
    #[error("login or password is empty")]
    Empty,
    /// The password is longer than any password.
    #[error("the password is longer than {MAX_PASSWORD} bytes")]
    TooLong,
    /// Wrong, unknown, disabled: one answer.
    #[error("login or password is wrong")]
    Wrong {
        /// Until when the account has to wait from now on.
        wait: Option<Instant>,
    },
    /// The password is right; the directory wants another one before it lets the person in.
    #[error("the password must be changed first")]
    MustChange,
    /// Too many failures before.
    #[error("too many failed attempts: wait until {until}")]
    Throttled {
        /// Until when.
        until: Instant,
    },
    /// The directory does not answer.
    #[error("the directory does not answer")]
    DirectoryDown,
    /// Too many checks at once.
    #[error("too many sign-ins at this moment")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whose password it may be.
enum Candidate {
    Operator(Operator),
    User(Box<User>),
    Nobody,
}

/// Signs a person or the recovery administrator in.
///
/// # Errors
/// [`SignInError`].
pub async fn sign_in(broker: &Broker, hasher: &Hasher, attempt: &Attempt<'_>) -> Result<SignedIn, SignInError> {
    let begun = tokio::time::Instant::now();
    let answer = judge(broker, hasher, attempt).await;
    if matches!(answer, Err(SignInError::Wrong { .. } | SignInError::Throttled { .. } | SignInError::DirectoryDown)) {
        let steps = u32::try_from(begun.elapsed().as_millis() / STEP.as_millis()).unwrap_or(0) + 1;
        tokio::time::sleep_until(begun + STEP * steps).await;
    }
    answer
}

async fn judge(broker: &Broker, hasher: &Hasher, attempt: &Attempt<'_>) -> Result<SignedIn, SignInError> {
    // RFC 4513 section 5.1.2: a bind with an empty password succeeds without any check.
    if attempt.login.trim().is_empty() || attempt.password.is_empty() {
        return Err(SignInError::Empty);
    }
    if attempt.password.len() > MAX_PASSWORD {
        return Err(SignInError::TooLong);
    }
    // Nothing is written for an attempt that nobody has time for: who comes in a crowd must not take the others' time.
    if hasher.is_full() && broker.config.sources.iter().all(|source| source.ldap.is_none()) {
        return Err(SignInError::Busy);
    }
    let now = broker.clock.now();
    let throttle = Throttle::of(broker, attempt.login, &attempt.origin.address, attempt.device);
    if let Err(until) = throttle.count(broker, now).await? {
        refused(broker, attempt, "", "throttled").await?;
        return Err(SignInError::Throttled { until });
    }
    let candidate = candidate(broker, attempt.login).await?;
    let (checked, subject) = match &candidate {
        Candidate::Operator(operator) => {
            (operator_check(hasher, operator, attempt.password).await, format!("operator:{}", operator.login))
        }
        Candidate::User(user) => {
            (check(broker, hasher, Some(user), attempt.password).await, format!("user:{}", user.id))
        }
        Candidate::Nobody => (check(broker, hasher, None, attempt.password).await, String::new()),
    };
    let reason = match checked {
        Err(error) => return Err(not_judged(broker, attempt, &throttle, error).await?),
        Ok(Verdict::Right) => match open(broker, attempt, &throttle, &candidate, now).await? {
            Some(signed_in) => return Ok(signed_in),
            None => "not_active",
        },
        Ok(Verdict::MustChange(reason)) => {
            throttle.not_judged(broker).await?;
            refused(broker, attempt, &subject, reason).await?;
            return Err(SignInError::MustChange);
        }
        Ok(Verdict::Wrong(reason)) => reason,
    };
    refused(broker, attempt, &subject, reason).await?;
    let wait = throttle.wait(&mut broker.db.read().await?, now).await?;
    Err(SignInError::Wrong { wait })
}

async fn operator_check(hasher: &Hasher, operator: &Operator, password: &str) -> Result<Verdict, CheckError> {
    let right = hasher.verify(&operator.password_hash, password).await?;
    let is_unused = operator.used_at.is_none() || !operator.one_time;
    Ok(if right && is_unused { Verdict::Right } else { Verdict::Wrong("wrong_password") })
}

async fn candidate(broker: &Broker, login: &str) -> Result<Candidate, StoreError> {
    if login.chars().count() > MAX_LOGIN {
        return Ok(Candidate::Nobody);
    }
    let key = fold(login);
    let mut tx = broker.db.read().await?;
    if let Some(operator) = tx.operators().find_by_login(&key).await? {
        return Ok(Candidate::Operator(operator));
    }
    Ok(tx.users().find_by_login(&key).await?.map_or(Candidate::Nobody, |user| Candidate::User(Box::new(user))))
}

/// Opens the session in one transaction with everything that goes with it; `None` when the person is not active any
/// more, or the one-time password was used in the meantime.
async fn open(
    broker: &Broker,
    attempt: &Attempt<'_>,
    throttle: &Throttle,
    candidate: &Candidate,
    now: Instant,
) -> Result<Option<SignedIn>, StoreError> {
    let mut tx = broker.db.write().await?;
    let (person, actor): (Result<UserId, OperatorId>, String) = match candidate {
        Candidate::User(user) => match tx.users().find(user.id).await? {
            Some(user) if user.status == Status::Active => (Ok(user.id), format!("user:{}", user.id)),
            _ => return Ok(None),
        },
        Candidate::Operator(operator) => {
            if !tx.operators().consume(operator.id, &operator.password_hash, now).await? {
                return Ok(None);
            }
            (Err(operator.id), format!("operator:{}", operator.login))
        }
        Candidate::Nobody => return Ok(None),
    };
    throttle.succeeded(broker, &mut tx).await?;
    let (session, token) = session_of_proof(broker, &mut tx, person, attempt.replaces, attempt.origin).await?;
    let event = Event::new(Action::SignIn, Outcome::Success, &actor, &actor)
        .from_request(&attempt.origin.address, attempt.request_id)
        .with(json!({ "session": session.id, "amr": attempt.origin.amr }));
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    Ok(Some(SignedIn { session, token, device: device_mark(broker, attempt.login) }))
}

/// Records a refusal. What was typed as a login is not recorded: it may be a password in the wrong field.
async fn refused(broker: &Broker, attempt: &Attempt<'_>, subject: &str, reason: &str) -> Result<(), StoreError> {
    let event = Event::new(Action::SignIn, Outcome::Denied, "", subject)
        .from_request(&attempt.origin.address, attempt.request_id)
        .with(json!({ "reason": reason }));
    broker.audit.record(event).await
}

async fn not_judged(
    broker: &Broker,
    attempt: &Attempt<'_>,
    throttle: &Throttle,
    error: CheckError,
) -> Result<SignInError, StoreError> {
    throttle.not_judged(broker).await?;
    let (answer, reason) = match error {
        CheckError::Directory(cause) => {
            tracing::error!(cause, "a password could not be checked: the directory does not answer");
            (SignInError::DirectoryDown, "directory_down")
        }
        CheckError::Password(PasswordError::Busy) => return Ok(SignInError::Busy),
        CheckError::Password(PasswordError::TooLong) => return Ok(SignInError::TooLong),
        CheckError::Password(error) => {
            tracing::error!(%error, "a password could not be checked");
            (SignInError::Wrong { wait: None }, "unusable_hash")
        }
        CheckError::Store(error) => return Err(error),
    };
    let event = Event::new(Action::SignIn, Outcome::Failure, "", "")
        .from_request(&attempt.origin.address, attempt.request_id)
        .with(json!({ "reason": reason }));
    broker.audit.record(event).await?;
    Ok(answer)
}
