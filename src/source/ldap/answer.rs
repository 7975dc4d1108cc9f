//! What an answer of the server means for an operator: names of result codes (RFC 4511 appendix A), remedies.

use std::io::ErrorKind;
use std::time::Duration;

use ldap3::{LdapError, LdapResult};
use url::Url;

use super::{refusal, tls};
use crate::source::error::{SourceError, remedy};
use crate::text::Fault;

/// Name of a result code that is not success.
const fn name(code: u32) -> &'static str {
    match code {
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        4 => "sizeLimitExceeded",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        10 => "referral",
        11 => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        14 => "saslBindInProgress",
        19 => "constraintViolation",
        32 => "noSuchObject",
        34 => "invalidDNSyntax",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        80 => "other",
        _ => "an error",
    }
}

/// A search that did not end with success.
pub(super) fn search_failed(base: &str, result: &LdapResult) -> SourceError {
    if result.rc == 10 {
        return SourceError::Referral { base: base.to_owned(), to: result.refs.join(", ") };
    }
    SourceError::Result { base: base.to_owned(), code: result.rc, name: name(result.rc), text: result.text.clone() }
}

/// A bind that did not end with success.
pub(super) fn bind_refused(url: &str, dn: &str, result: &LdapResult) -> SourceError {
    let (code, because) = match refusal::Refusal::of(result) {
        Some(refusal) if refusal.is_of_the_channel() => (result.rc.to_string(), refusal.meaning()),
        Some(refusal) => (format!("{}, data {}", result.rc, refusal.data()), refusal.meaning()),
        None => (result.rc.to_string(), remedy(result.rc)),
    };
    let reason = Fault::new("refused").with("name", name(result.rc)).with("code", code).because("remedy", because);
    SourceError::Bind { url: url.to_owned(), dn: dn.to_owned(), code: result.rc, reason: reason.into() }
}

/// No answer in time.
pub(super) fn timeout(url: &str, waited: Duration, doing: &str) -> SourceError {
    SourceError::Timeout { url: url.to_owned(), seconds: waited.as_secs(), doing: doing.to_owned() }
}

/// A connection that could not be opened. Nothing was sent but, at most, the wish for StartTLS.
pub(super) fn not_opened(url: &Url, waited: Duration, error: LdapError) -> SourceError {
    let url = url.to_string();
    match error {
        LdapError::Timeout { .. } => timeout(&url, waited, "connecting"),
        LdapError::LdapResult { result } => {
            let reason = Fault::new("tls-starttls-refused").with("name", name(result.rc)).with("code", result.rc);
            SourceError::Tls { url, reason: reason.into() }
        }
        LdapError::Io { source } => match tls_error(&source) {
            Some(error) => SourceError::Tls { url, reason: tls::explain(error).into() },
            None if is_hang_up(source.kind()) => SourceError::Tls { url, reason: Fault::new("tls-hung-up").into() },
            None => SourceError::Connect { url, reason: source.to_string() },
        },
        LdapError::Rustls { source } => SourceError::Tls { url, reason: tls::explain(&source).into() },
        LdapError::ResultRecv { .. } | LdapError::OpSend { .. } => {
            SourceError::Tls { url, reason: Fault::new("tls-starttls-hung-up").into() }
        }
        other => SourceError::Connect { url, reason: plain(&other) },
    }
}

/// A connection that was open and ended: only TLS was spoken on it so far.
const fn is_hang_up(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe
    )
}

fn tls_error(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// The library's error as text. Some of its variants hold the request, which may hold a password: never `{:?}`.
pub(super) fn plain(error: &LdapError) -> String {
    match error {
        LdapError::Io { source } => match tls_error(source) {
            Some(error) => tls::explain(error).to_string(),
            None => source.to_string(),
        },
        LdapError::OpSend { .. } | LdapError::ResultRecv { .. } | LdapError::EndOfStream => {
            "the server closed it".to_owned()
        }
        other => other.to_string(),
    }
}
