//! Recording what has no transaction of its own.

use super::{Event, append};
use crate::store::{Db, StoreError};
use crate::time::Clock;

/// Records events in transactions of its own. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recorder {
    db: Db,
    clock: Clock,
}

impl Recorder {
    /// A recorder on this database.
    #[must_use]
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Records `event`; it is in the database when this returns.
    ///
    /// # Errors
    /// When the database fails: what was to be recorded must then not happen.
    pub async fn record(&self, event: Event) -> Result<(), StoreError> {
        let mut tx = self.db.write().await?;
        append(&mut tx, self.clock.now(), &[event]).await?;
        tx.commit().await
    }
}
