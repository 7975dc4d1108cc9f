//! Several servers with the same content: the first that works is used, and one that did not is left alone for a while.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use url::Url;

use super::connect::Connection;
use crate::config::LdapConfig;
use crate::source::error::SourceError;

/// For how long a server that did not work is tried last.
const REST: Duration = Duration::from_secs(30);

/// When which server did not work. What is known here is known to every read and every sign-in of this process, so that
/// not each of them waits for a server that is gone.
static RESTING: LazyLock<Mutex<HashMap<String, Instant>>> = LazyLock::new(Mutex::default);

/// The servers in the order to try them: as configured, those that did not work lately at the end.
pub(super) fn in_order(config: &LdapConfig) -> Vec<&Url> {
    let resting = RESTING.lock().unwrap_or_else(PoisonError::into_inner);
    let rests = |url: &Url| resting.get(url.as_str()).is_some_and(|since| since.elapsed() < REST);
    let mut urls: Vec<&Url> = config.url.urls().iter().collect();
    urls.sort_by_key(|url| rests(url));
    urls
}

/// Whether another server may do what this one did not: it was not reached, not trusted, too slow or too busy. A refused
/// password would be refused everywhere, and counted everywhere.
pub(super) const fn is_the_servers_fault(error: &SourceError) -> bool {
    match error {
        SourceError::Connect { .. }
        | SourceError::Tls { .. }
        | SourceError::Timeout { .. }
        | SourceError::Broken { .. }
        | SourceError::Malformed { .. } => true,
        SourceError::Bind { code, .. } => matches!(*code, 51 | 52),
        _ => false,
    }
}

/// Notes how it went with a server; tells whether to try the next.
pub(super) fn goes_on<T>(url: &Url, outcome: &Result<T, SourceError>) -> bool {
    let mut resting = RESTING.lock().unwrap_or_else(PoisonError::into_inner);
    match outcome {
        Err(error) if is_the_servers_fault(error) => {
            tracing::warn!(server = %url, %error, "an LDAP server does not work; the next one is tried, if there is one");
            resting.insert(url.to_string(), Instant::now());
            true
        }
        _ => {
            resting.remove(url.as_str());
            false
        }
    }
}

/// The error of several tries: the only one, or all.
pub(super) fn all_failed(mut errors: Vec<SourceError>) -> SourceError {
    match (errors.len(), errors.pop()) {
        (1, Some(only)) => only,
        (_, Some(last)) => {
            errors.push(last);
            SourceError::NoServer(errors)
        }
        (_, None) => SourceError::Config { key: "source.ldap.url".to_owned(), reason: "names no server".to_owned() },
    }
}

/// A connection to the first server that works, bound as the service account.
pub(super) async fn service(config: &LdapConfig, folder: &Path) -> Result<Connection, SourceError> {
    let mut errors = Vec::new();
    for url in in_order(config) {
        let outcome = Connection::service(config, url, folder).await;
        let goes_on = goes_on(url, &outcome);
        match outcome {
            Ok(connection) => return Ok(connection),
            Err(error) if goes_on => errors.push(error),
            Err(error) => return Err(error),
        }
    }
    Err(all_failed(errors))
}
