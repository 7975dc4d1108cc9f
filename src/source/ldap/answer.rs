//! What an answer of the server means for an operator: names of result codes (RFC 4511 appendix A), remedies.

use std::io::ErrorKind;
use std::time::Duration;

use ldap3::{LdapError, LdapResult};
use url::Url;

use super::{refusal, tls};
use crate::source::error::SourceError;

/// Name and remedy of a result code that is not success.
fn meaning(code: u32) -> (&'static str, &'static str) {
    match code {
        1 => ("operationsError", "look into the server's log"),
        2 => ("protocolError", "the server did not understand the request; look into its log"),
        3 => ("timeLimitExceeded", "raise the server's time limit for the service account"),
        4 => (
            "sizeLimitExceeded",
            "raise the server's size limit for the service account (OpenLDAP: `limits dn.exact=… size.prtotal=unlimited`), or lower source.ldap.page_size",
        ),
        8 => ("strongerAuthRequired", "the server wants TLS; use ldaps:// or starttls = true"),
        10 => ("referral", "these entries live on another server; name that server in source.ldap.url"),
        11 => ("adminLimitExceeded", "raise the server's limits for the service account"),
        12 => (
            "unavailableCriticalExtension",
            "the server cannot send results in pages and sends no complete answer without",
        ),
        13 => ("confidentialityRequired", "the server wants TLS; use ldaps:// or starttls = true"),
        14 => ("saslBindInProgress", "the server wants SASL; give the service account a simple password"),
        19 => ("constraintViolation", "the server has locked the account for a while"),
        32 => (
            "noSuchObject",
            "the base does not exist or may not be seen by the service account; correct base_dn or its rights",
        ),
        34 => ("invalidDNSyntax", "the server cannot read the DN; correct it in source.ldap"),
        48 => ("inappropriateAuthentication", "the account has no password for a simple bind; give it one"),
        49 => ("invalidCredentials", "the DN or the password is wrong; correct source.ldap.bind_dn and bind_password"),
        50 => ("insufficientAccessRights", "give the service account the right to read below the base"),
        51 => ("busy", "the server is overloaded; the next run tries again"),
        52 => ("unavailable", "the server is shutting down or not ready; the next run tries again"),
        53 => ("unwillingToPerform", "the server's policy forbids it; look into its log"),
        80 => ("other", "look into the server's log"),
        _ => ("an error", "look the code up in the server's documentation, and look into its log"),
    }
}

/// A search that did not end with success.
pub(super) fn search_failed(base: &str, result: &LdapResult) -> SourceError {
    if result.rc == 10 {
        return SourceError::Referral { base: base.to_owned(), to: result.refs.join(", ") };
    }
    let (name, remedy) = meaning(result.rc);
    SourceError::Result { base: base.to_owned(), code: result.rc, name, remedy, text: result.text.clone() }
}

/// A bind that did not end with success.
pub(super) fn bind_refused(url: &str, dn: &str, result: &LdapResult) -> SourceError {
    let (name, remedy) = meaning(result.rc);
    let reason = match refusal::Refusal::of(result) {
        Some(refusal) => format!("{name} ({}, data {}): {}", result.rc, refusal.data(), refusal.meaning()),
        None => format!("{name} ({}): {remedy}", result.rc),
    };
    SourceError::Bind { url: url.to_owned(), dn: dn.to_owned(), code: result.rc, reason }
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
            let (name, _) = meaning(result.rc);
            let reason =
                format!("the server refuses StartTLS with {name} ({}); set it up for TLS, or use ldaps://", result.rc);
            SourceError::Tls { url, reason }
        }
        LdapError::Io { source } => match tls_error(&source) {
            Some(error) => SourceError::Tls { url, reason: tls::explain(error) },
            None if is_hang_up(source.kind()) => {
                let reason = "the server hung up during the handshake; does it speak TLS on this port?".to_owned();
                SourceError::Tls { url, reason }
            }
            None => SourceError::Connect { url, reason: source.to_string() },
        },
        LdapError::Rustls { source } => SourceError::Tls { url, reason: tls::explain(&source) },
        LdapError::ResultRecv { .. } | LdapError::OpSend { .. } => {
            SourceError::Tls { url, reason: "the server hung up instead of starting TLS".to_owned() }
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
            Some(error) => tls::explain(error),
            None => source.to_string(),
        },
        LdapError::OpSend { .. } | LdapError::ResultRecv { .. } | LdapError::EndOfStream => {
            "the server closed it".to_owned()
        }
        other => other.to_string(),
    }
}
