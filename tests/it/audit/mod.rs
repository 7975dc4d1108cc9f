//! The audit log: appending, group commit, verification.

mod append;
mod recorder;
mod verify;

use yaopai::audit::{self, Action, Event, Outcome};
use yaopai::store::Db;

/// Appends `count` events, each in a transaction of its own.
async fn fill(db: &Db, count: usize) {
    for n in 0..count {
        let mut tx = db.write().await.unwrap();
        let event = Event::new(Action::SignIn, Outcome::Success, format!("user:{n}"), "");
        audit::append(&mut tx, "2026-11-22T01:00:00Z".parse().unwrap(), &[event]).await.unwrap();
        tx.commit().await.unwrap();
    }
}
