//! Deciding about findings: whose they are, and what is accepted for a while.
//!
//! Nobody resolves a finding: a run does, when it no longer finds it.

use serde_json::json;

use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::store::StoreError;
use crate::text::fold;
use crate::time::Instant;

/// Characters of a reason at the most.
const LONGEST_REASON: usize = 500;

/// Which findings are meant: those of an entry.
#[derive(Clone, Copy, Debug)]
pub struct FindingsOf<'a> {
    /// The source.
    pub source: &'a str,
    /// Id of the entry, or its DN.
    pub entry: &'a str,
    /// Only those of this code.
    pub code: Option<&'a str>,
}

impl<'a> FindingsOf<'a> {
    const fn key(&self) -> (&'a str, &'a str, Option<&'a str>) {
        (self.source, self.entry, self.code)
    }
}

/// A decision about findings that was not taken.
#[derive(Debug, thiserror::Error)]
pub enum FindingError {
    /// No such finding, or it is resolved.
    #[error(
        "source `{source_name}` has no unresolved finding of `{entry}`; `yaopai sync findings --source {source_name}` lists them"
    )]
    None {
        /// The source.
        source_name: String,
        /// The entry.
        entry: String,
    },
    /// The owner is nobody who could see to it.
    #[error("nobody active has the login name `{0}`")]
    UnknownOwner(String),
    /// No reason.
    #[error("accepting a finding needs a reason: say in a few words why it may stay")]
    NoReason,
    /// The date has passed.
    #[error("the date until which a finding is accepted must be to come")]
    Past,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Gives findings to somebody (a login name), or to nobody.
///
/// # Errors
/// [`FindingError`].
pub async fn assign(broker: &Broker, of: FindingsOf<'_>, owner: Option<&str>, by: &str) -> Result<u64, FindingError> {
    let mut tx = broker.db.write().await?;
    let owner = match owner.map(str::trim).filter(|owner| !owner.is_empty()) {
        None => None,
        Some(login) => {
            let user = tx.users().find_by_login(&fold(login)).await?;
            Some(user.ok_or_else(|| FindingError::UnknownOwner(login.to_owned()))?.login)
        }
    };
    let touched = tx.findings().assign(of.key(), owner.as_deref()).await?;
    finish(broker, tx, of, by, touched, json!({ "decision": "assigned", "owner": owner })).await
}

/// Accepts findings until a date, for a reason; then they are open again.
///
/// # Errors
/// [`FindingError`].
pub async fn accept(
    broker: &Broker,
    of: FindingsOf<'_>,
    (reason, until): (&str, Instant),
    by: &str,
) -> Result<u64, FindingError> {
    let reason: String = reason.trim().chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect();
    if reason.is_empty() {
        return Err(FindingError::NoReason);
    }
    if until <= broker.clock.now() {
        return Err(FindingError::Past);
    }
    let mut tx = broker.db.write().await?;
    let touched = tx.findings().accept(of.key(), (by, &reason, until)).await?;
    finish(broker, tx, of, by, touched, json!({ "decision": "accepted", "reason": reason, "until": until })).await
}

/// Takes accepted findings up again.
///
/// # Errors
/// [`FindingError`].
pub async fn reopen(broker: &Broker, of: FindingsOf<'_>, by: &str) -> Result<u64, FindingError> {
    let mut tx = broker.db.write().await?;
    let touched = tx.findings().reopen(of.key()).await?;
    finish(broker, tx, of, by, touched, json!({ "decision": "reopened" })).await
}

async fn finish(
    broker: &Broker,
    mut tx: crate::store::Tx,
    of: FindingsOf<'_>,
    by: &str,
    touched: u64,
    mut details: serde_json::Value,
) -> Result<u64, FindingError> {
    if touched == 0 {
        return Err(FindingError::None { source_name: of.source.to_owned(), entry: of.entry.to_owned() });
    }
    if let Some(details) = details.as_object_mut() {
        details.insert("entry".to_owned(), of.entry.into());
        details.insert("code".to_owned(), of.code.into());
    }
    let event = Event::new(Action::FindingDecision, Outcome::Success, by, format!("source:{}", of.source));
    audit::append(&mut tx, broker.clock.now(), &[event.with(details)]).await?;
    tx.commit().await?;
    Ok(touched)
}
