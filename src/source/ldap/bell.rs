//! Hears that something changed: a search that stays open, in the way that the server offers. It only rings; what changed
//! is then read like at any other time, so that nothing depends on having heard everything.

use std::sync::Arc;
use std::time::Duration;

use ldap3::Scope;
use ldap3::controls::RawControl;
use tokio::sync::{Notify, watch};

use super::changes::{Reader, cookie_of, is_by_sync};
use super::root::Root;
use super::{answer, control, servers};
use crate::config::DirectorySchema;
use crate::source::delta::Position;
use crate::source::error::SourceError;

/// A connection on which nothing was heard for so long is made anew: a firewall may have forgotten it.
const SILENCE: Duration = Duration::from_secs(300);
/// How long to wait before the next connection, at first and at most.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Rings whenever something may have changed, until it is dropped. A server that offers no such search is left alone:
/// whoever listens looks now and then anyway.
pub(in crate::source) async fn ring(reader: Reader, place: watch::Receiver<Position>, notify: Arc<Notify>) {
    let mut wait = WAITS.0;
    loop {
        // In a task of its own: the library may panic.
        let mut listening = tokio::task::JoinSet::new();
        listening.spawn(listen(reader.clone(), place.borrow().clone(), notify.clone()));
        let ended = listening.join_next().await.and_then(Result::ok).unwrap_or(Err(SourceError::Stopped));
        match ended {
            Ok(Heard::NotOffered) => {
                tracing::info!(source = reader.source, "the server does not tell of changes; they are looked for");
                return;
            }
            Ok(Heard::Silence) => wait = WAITS.0,
            Err(error) => {
                tracing::warn!(source = reader.source, %error, "the connection that tells of changes ended");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(WAITS.1);
            }
        }
        // What happened meanwhile nobody heard.
        notify.notify_one();
    }
}

enum Heard {
    /// Nothing for a while.
    Silence,
    /// The server does not do this.
    NotOffered,
}

async fn listen(reader: Reader, place: Position, notify: Arc<Notify>) -> Result<Heard, SourceError> {
    let mut connection = servers::service(&reader.config, &reader.folder).await?;
    let root = Root::read(&mut connection).await?;
    let (base, control) = match reader.config.schema {
        DirectorySchema::ActiveDirectory => {
            let Some(domain) = root.first("defaultnamingcontext") else { return Ok(Heard::NotOffered) };
            (domain.to_owned(), RawControl { ctype: control::NOTIFICATION.to_owned(), crit: true, val: None })
        }
        _ if is_by_sync(&place) => {
            let base = common_base(&reader);
            let cookie = cookie_of(&place, &base);
            (base, control::sync_request(true, cookie.as_deref()))
        }
        _ => return Ok(Heard::NotOffered),
    };
    let attributes = [if reader.config.schema == DirectorySchema::ActiveDirectory { "objectGUID" } else { "1.1" }];
    connection.ldap.with_controls(vec![control]);
    let opened = connection.ldap.streaming_search(&base, Scope::Subtree, "(objectClass=*)", attributes).await;
    let mut stream = match opened {
        Ok(stream) => stream,
        Err(error) => return Err(connection.broken(error, "listening", &base).await),
    };
    loop {
        match tokio::time::timeout(SILENCE, stream.next()).await {
            Ok(Ok(Some(_))) => notify.notify_one(),
            Ok(Ok(None)) => {
                let result = stream.finish().await;
                return match result.rc {
                    // unavailableCriticalExtension, insufficientAccessRights, unwillingToPerform
                    12 | 50 | 53 => Ok(Heard::NotOffered),
                    _ => Err(answer::search_failed(&base, &result)),
                };
            }
            Ok(Err(error)) => return Err(connection.broken(error, "listening", &base).await),
            Err(_) => {
                drop(stream);
                connection.close().await;
                return Ok(Heard::Silence);
            }
        }
    }
}

/// Where to listen: the shortest base of all, above which the others usually are.
fn common_base(reader: &Reader) -> String {
    let bases = reader.selections.iter().filter_map(|one| one.base.as_ref());
    bases.min_by_key(|base| base.dn().0.len()).map(|base| base.text.clone()).unwrap_or_default()
}
