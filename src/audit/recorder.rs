//! Recording what has no transaction of its own, many events in one transaction (group commit), and small writes of many
//! requests along with theirs.

use super::Event;
use super::chain::rows;
use crate::store::{Db, Gather, StoreError, Write};
use crate::time::Clock;

/// Records events in transactions of its own. Cheap to clone; clones share their transactions.
#[derive(Clone, Debug)]
pub struct Recorder(Gather<Option<(Write, Event)>, Result<bool, StoreError>>);

impl Recorder {
    /// A recorder on this database.
    #[must_use]
    pub fn new(db: Db, clock: Clock) -> Self {
        Self(Gather::new(move |entries| {
            let (db, clock) = (db.clone(), clock.clone());
            Box::pin(async move { Ok(write(&db, &clock, entries).await) })
        }))
    }

    /// Records `event`; it is in the database when this returns. It is recorded too when the caller stops waiting.
    ///
    /// # Errors
    /// When the database fails: what was to be recorded must then not happen.
    pub async fn record(&self, event: Event) -> Result<(), StoreError> {
        self.write(Write::Nothing, event).await.map(drop)
    }

    /// Does `write` and records `event` with it, or neither: tells whether it was still possible.
    ///
    /// # Errors
    /// When the database fails: nothing was written then.
    pub async fn write(&self, write: Write, event: Event) -> Result<bool, StoreError> {
        self.0.ask(Some((write, event))).await?
    }

    /// Waits until everything that was given to [`Recorder::record`] so far is written: called before the database is
    /// closed.
    ///
    /// # Errors
    /// When the database failed under something that was being written.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.0.ask(None).await?.map(drop)
    }
}

/// Writes all in one transaction; when that fails, each in its own, so that nobody fails for another's write.
async fn write(db: &Db, clock: &Clock, entries: Vec<Option<(Write, Event)>>) -> Vec<Result<bool, StoreError>> {
    let asked: Vec<&(Write, Event)> = entries.iter().flatten().collect();
    let mut done = match together(db, clock, &asked).await {
        Ok(done) => done.into_iter().map(Ok).collect(),
        Err(error) => {
            tracing::error!(%error, events = asked.len(), "the audit log could not be written");
            apart(db, clock, &asked, error).await
        }
    }
    .into_iter();
    entries.iter().map(|entry| if entry.is_some() { done.next().unwrap_or(Ok(false)) } else { Ok(true) }).collect()
}

async fn together(db: &Db, clock: &Clock, asked: &[&(Write, Event)]) -> Result<Vec<bool>, StoreError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let writes: Vec<&Write> = asked.iter().map(|(write, _)| write).collect();
    let now = clock.now();
    let log = |done: &[bool], last, hash| {
        let recorded = asked.iter().zip(done).filter(|(_, is_done)| **is_done);
        rows(now, recorded.map(|((_, event), _)| event), last, hash)
    };
    db.write_together(&writes, now, log).await
}

async fn apart(db: &Db, clock: &Clock, asked: &[&(Write, Event)], error: StoreError) -> Vec<Result<bool, StoreError>> {
    if asked.len() == 1 {
        return vec![Err(error)];
    }
    let mut done = Vec::with_capacity(asked.len());
    for one in asked {
        done.push(together(db, clock, &[one]).await.map(|done| done == [true]));
    }
    done
}
