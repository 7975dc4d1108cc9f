//! Recording what has no transaction of its own, many events in one transaction (group commit).
//!
//! Callers push their event and wait. The first one starts a task that writes what is waiting, until nothing is: while
//! one transaction commits, the next events gather. There is no task when nothing is recorded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{Event, append};
use crate::store::{Db, StoreError};
use crate::time::Clock;

/// Events of one transaction at the most.
const BATCH: usize = 500;

/// Records events in transactions of its own. Cheap to clone; clones share their transactions.
#[derive(Clone, Debug)]
pub struct Recorder(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    db: Db,
    clock: Clock,
    waiting: Mutex<Waiting>,
}

type Done = oneshot::Sender<Result<(), Arc<StoreError>>>;

#[derive(Debug, Default)]
struct Waiting {
    /// Events with who waits for them; no event for one who only waits for those before.
    entries: Vec<(Option<Event>, Done)>,
    /// Whether a task is writing.
    is_draining: bool,
}

impl Recorder {
    /// A recorder on this database.
    #[must_use]
    pub fn new(db: Db, clock: Clock) -> Self {
        Self(Arc::new(Shared { db, clock, waiting: Mutex::default() }))
    }

    /// Records `event`; it is in the database when this returns. It is recorded too when the caller stops waiting.
    ///
    /// # Errors
    /// When the database fails: what was to be recorded must then not happen.
    pub async fn record(&self, event: Event) -> Result<(), StoreError> {
        self.push(Some(event)).await
    }

    /// Waits until everything that was given to [`Recorder::record`] so far is written: called before the database is
    /// closed.
    ///
    /// # Errors
    /// When the database failed under something that was being written.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.push(None).await
    }

    async fn push(&self, event: Option<Event>) -> Result<(), StoreError> {
        let (done, wait) = oneshot::channel();
        let was_draining = {
            let mut waiting = self.0.lock();
            waiting.entries.push((event, done));
            std::mem::replace(&mut waiting.is_draining, true)
        };
        if !was_draining {
            tokio::spawn(drain(Draining(self.0.clone())));
        }
        match wait.await {
            Ok(written) => written.map_err(StoreError::Shared),
            Err(_) => Err(StoreError::Interrupted),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch; none ends the task, in the same moment in which the next event may start another.
    fn next(&self) -> Option<Vec<(Option<Event>, Done)>> {
        let mut waiting = self.lock();
        if waiting.entries.is_empty() {
            waiting.is_draining = false;
            return None;
        }
        let count = waiting.entries.len().min(BATCH);
        let rest = waiting.entries.split_off(count);
        Some(std::mem::replace(&mut waiting.entries, rest))
    }

    async fn write(&self, events: &[Event]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut tx = self.db.write().await?;
        append(&mut tx, self.clock.now(), events).await?;
        tx.commit().await
    }
}

/// The right to write. Lost by a panic or the end of the runtime, it lets the next event start anew, and who waited
/// learns that nothing was written.
struct Draining(Arc<Shared>);

impl Drop for Draining {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut waiting = self.0.lock();
            waiting.entries.clear();
            waiting.is_draining = false;
        }
    }
}

async fn drain(draining: Draining) {
    let shared = &draining.0;
    loop {
        // Who is about to record gets a turn first: fuller batches, fewer commits.
        tokio::task::yield_now().await;
        let Some(batch) = shared.next() else { return };
        let (events, waiters): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let events: Vec<Event> = events.into_iter().flatten().collect();
        let written = shared.write(&events).await.map_err(Arc::new);
        if let Err(error) = &written {
            tracing::error!(%error, events = events.len(), "the audit log could not be written");
        }
        for waiter in waiters {
            // Who no longer waits has gone away; the event is written all the same.
            let _ = waiter.send(written.clone());
        }
    }
}
