//! LDAP servers as a source (RFC 4511), and the sign-in by bind.
//!
//! The client library panics on answers that it does not understand, so that every read and every bind works in a task
//! of its own: a panic is a failed read. What the library cannot guarantee is done here: pages are asked for one by one
//! and the result code of each is looked at, a cookie lives as long as its connection, answers from outside of the base
//! are ignored, no server is trusted without its certificate, nothing is sent in clear text that must not be.
//!
//! Of several servers one is used from the first page to the last: pages of two are never joined.
//!
//! Left out: chasing referrals (the part behind one is missing, so the read is incomplete), pooled connections.

mod answer;
mod bell;
mod ber;
mod changes;
mod connect;
mod control;
mod entry;
mod kind;
mod look_up;
mod password;
mod probe;
mod ranges;
mod refusal;
mod root;
mod sasl;
mod search;
mod servers;
mod tls;
mod wire;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

use super::collect::{Collector, Duplicates};
use super::error::SourceError;
use super::select::Selection;
use super::{Progress, Read};
use crate::config::LdapConfig;

pub(super) use bell::ring;
pub(super) use changes::{Newcomers, Outcome, Reader, Reading, Settled};
pub(super) use look_up::look_up;
pub use password::{PasswordAnswer, check_password};
pub(super) use probe::probe;

use connect::Connection;
use kind::Kind;
pub(super) use kind::{asked, stamp};

/// Reads all selections over one connection. Call it in a task of its own.
pub(super) async fn read(
    source: String,
    config: Arc<LdapConfig>,
    folder: Arc<Path>,
    selections: Vec<Selection>,
    known: Option<String>,
    progress: watch::Sender<Progress>,
) -> Result<Read, SourceError> {
    if wire::reads(&config) {
        return wire::read(source, config, folder, selections, known, progress).await;
    }
    let mut connection = servers::service(&config, &folder).await?;
    let mut kind = Kind::learn(&mut connection, &config, &selections).await?;
    let mut collector = Collector::new(&source, Duplicates::Merge);
    let mut entries = 0;
    for selection in &selections {
        let mut told = || {
            entries += 1;
            if entries % 256 == 0 {
                progress.send_replace(Progress { entries });
            }
        };
        whole(&mut connection, &config, selection, &mut kind, &mut collector, &mut told).await?;
    }
    progress.send_replace(Progress { entries });
    let server = connection.url.clone();
    connection.close().await;
    let mut snapshot = collector.seal();
    snapshot.server = Some(server);
    Ok(Read::Whole(Box::new(snapshot)))
}

/// Reads everything that the selection asks for, values in ranges to their end; `told` is called for each entry.
async fn whole(
    connection: &mut Connection,
    config: &LdapConfig,
    selection: &Selection,
    kind: &mut Kind,
    collector: &mut Collector,
    told: &mut (dyn FnMut() + Send),
) -> Result<(), SourceError> {
    let mut cut = Vec::new();
    search::all_pages(connection, config, selection, |mut raw| {
        told();
        if raw.cut().next().is_some() {
            cut.push(raw);
            return;
        }
        kind.shape(selection.part, &mut raw);
        search::take(collector, selection, &raw);
    })
    .await?;
    for mut raw in cut {
        ranges::fill(connection, selection, &mut raw).await?;
        kind.shape(selection.part, &mut raw);
        search::take(collector, selection, &raw);
    }
    Ok(())
}
