//! LDAP servers as a source (RFC 4511), and the sign-in by bind.
//!
//! The client library panics on answers that it does not understand, so that every read and every bind works in a task
//! of its own: a panic is a failed read. What the library cannot guarantee is done here: pages are asked for one by one
//! and the result code of each is looked at, a cookie lives as long as its connection, answers from outside of the base
//! are ignored, no server is trusted without its certificate, nothing is sent in clear text that must not be.
//!
//! Left out: chasing referrals (the part behind one is missing, so the read is incomplete), SASL, pooled connections.

mod answer;
mod connect;
mod entry;
mod password;
mod probe;
mod search;
mod tls;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

use super::Progress;
use super::collect::{Collector, Duplicates};
use super::error::SourceError;
use super::select::Selection;
use super::snapshot::Snapshot;
use crate::config::LdapConfig;

pub use password::{PasswordAnswer, check_password};
pub(super) use probe::probe;

use connect::Connection;

/// Reads all selections over one connection. Call it in a task of its own.
pub(super) async fn read(
    source: String,
    config: Arc<LdapConfig>,
    folder: Arc<Path>,
    selections: Vec<Selection>,
    progress: watch::Sender<Progress>,
) -> Result<Snapshot, SourceError> {
    let mut connection = Connection::open(&config, &folder).await?;
    connection.bind_service(&config, &folder).await?;
    let mut collector = Collector::new(&source, Duplicates::Merge);
    let mut entries = 0;
    for selection in &selections {
        search::all_pages(&mut connection, &config, selection, |raw| {
            entries += 1;
            if entries % 256 == 0 {
                progress.send_replace(Progress { entries });
            }
            search::take(&mut collector, selection, raw);
        })
        .await?;
    }
    progress.send_replace(Progress { entries });
    connection.close().await;
    Ok(collector.seal())
}
