//! The bind of a service account by Kerberos (SASL GSSAPI, RFC 4752), on a connection of our own.
//!
//! Over TLS nothing more is agreed on than who both sides are: Active Directory refuses a second protection inside of the
//! first. The server's certificate is bound to the exchange (RFC 5929, `tls-server-end-point`), so that it cannot be passed on to
//! another server. Without TLS everything that follows is signed and encrypted, or the bind fails.

mod agent;
mod endpoint;
#[cfg_attr(not(test), expect(dead_code, reason = "questions are read and answers written on the other side"))]
mod frame;
mod meaning;
mod relay;

use std::path::Path;

use ldap3::LdapResult;

use super::answer::bind_refused;
use super::ber::{INTEGER, OCTET_STRING, element};
use super::refusal::Refusal;
use super::wire::Link;
use crate::config::KerberosConfig;
use crate::source::error::SourceError;
use crate::text::Fault;

use agent::Context;
use frame::{Answer, Ask};
pub(super) use relay::{Sealing, start};

/// LDAP results: 14, the exchange goes on; 49.
const IN_PROGRESS: u32 = 14;
const INVALID_CREDENTIALS: u32 = 49;
/// Steps of an exchange, at the most: it takes three.
const MOST: usize = 10;
/// Layers (RFC 4752 section 3.3): none, and encryption.
const PLAIN: u8 = 1;
const SEALED: u8 = 4;

/// Binds. What comes back protects everything that follows; none over TLS.
pub(super) async fn bind(
    link: &mut Link,
    config: &KerberosConfig,
    folder: &Path,
) -> Result<Option<Sealing>, SourceError> {
    let unusable = |reason| SourceError::Config { key: "source.ldap.bind".to_owned(), reason };
    let context = Context::new(config, folder).map_err(unusable)?;
    let seals = link.certificate.is_none();
    let service = config.service_of(&link.host);
    let mut exchange = Exchange { link, context, principal: &config.principal, service: &service };
    let offered = exchange.prove(seals).await?;
    let (layers, longest) = match offered.as_slice() {
        [layers, longest @ ..] if longest.len() == 3 => {
            (*layers, longest.iter().fold(0, |n, b| n << 8 | usize::from(*b)))
        }
        _ => return Err(exchange.link.malformed("what it offers after the bind is no SASL GSSAPI")),
    };
    let wanted = if seals { SEALED } else { PLAIN };
    if layers & wanted == 0 || seals && longest < 1024 {
        let code = if seals { "kerberos-no-sealing" } else { "kerberos-only-sealing" };
        return Err(exchange.failed(Fault::new(code)));
    }
    exchange.choose(wanted).await?;
    Ok(seals.then(|| Sealing { context: exchange.context, longest }))
}

/// An exchange under way.
struct Exchange<'a> {
    link: &'a mut Link,
    context: Context,
    principal: &'a str,
    service: &'a str,
}

impl Exchange<'_> {
    /// Both sides prove who they are. What comes back is what the server offers for the rest of the connection.
    async fn prove(&mut self, seals: bool) -> Result<Vec<u8>, SourceError> {
        let bindings = self.link.certificate.as_deref().and_then(endpoint::bindings).unwrap_or_default();
        let (principal, service) = (self.principal.to_owned(), self.service.to_owned());
        let mut ask = Ask::Open { principal, service, bindings, seals };
        for _ in 0..MOST {
            let (is_complete, token) = self.token(ask).await?;
            let (result, credentials) = self.say(&token).await?;
            if result.rc != IN_PROGRESS {
                return Err(self.refused(&result));
            }
            if is_complete {
                // An empty answer was the client's turn; what the server offers is protected.
                return self.bytes(Ask::Unwrap(credentials)).await;
            }
            ask = Ask::Step(credentials);
        }
        Err(self.link.malformed("the bind does not come to an end"))
    }

    /// Chooses the layer; the bind ends.
    async fn choose(&mut self, layer: u8) -> Result<(), SourceError> {
        let [_, longest @ ..] = if layer == SEALED { relay::LONGEST } else { 0 }.to_be_bytes();
        let choice = [&[layer], longest.as_slice()].concat();
        let wrapped = self.bytes(Ask::Wrap(false, choice)).await?;
        let (result, _) = self.say(&wrapped).await?;
        if result.rc == 0 { Ok(()) } else { Err(self.refused(&result)) }
    }

    /// Sends a token, and gives the server's answer.
    async fn say(&mut self, token: &[u8]) -> Result<(LdapResult, Vec<u8>), SourceError> {
        let mechanism = [element(OCTET_STRING, b"GSSAPI"), element(OCTET_STRING, token)].concat();
        let content = [element(INTEGER, &[3]), element(OCTET_STRING, &[]), element(0xa3, &mechanism)].concat();
        self.link.bound(&element(0x60, &content)).await
    }

    async fn token(&self, ask: Ask) -> Result<(bool, Vec<u8>), SourceError> {
        match self.ask(ask).await? {
            Answer::Token(is_complete, token) => Ok((is_complete, token)),
            Answer::Failed(minor, said) => Err(self.failed(meaning::of(minor, &said, self.principal, self.service))),
            Answer::Bytes(_) => Err(SourceError::Stopped),
        }
    }

    async fn bytes(&self, ask: Ask) -> Result<Vec<u8>, SourceError> {
        match self.ask(ask).await? {
            Answer::Bytes(bytes) => Ok(bytes),
            Answer::Failed(minor, said) => Err(self.failed(meaning::of(minor, &said, self.principal, self.service))),
            Answer::Token(..) => Err(SourceError::Stopped),
        }
    }

    async fn ask(&self, ask: Ask) -> Result<Answer, SourceError> {
        match tokio::time::timeout(self.link.timeout, self.context.ask(ask)).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(self.failed(Fault::new("kerberos-ended"))),
            Err(_) => Err(self.failed(Fault::new("kerberos-no-kdc").with("said", "timed out"))),
        }
    }

    fn failed(&self, reason: Fault) -> SourceError {
        let (url, principal) = (self.link.url.clone(), self.principal.to_owned());
        SourceError::Kerberos { url, principal, reason: reason.into() }
    }

    fn refused(&self, result: &LdapResult) -> SourceError {
        if result.rc == INVALID_CREDENTIALS && Refusal::of(result).is_none() {
            let reason = Fault::new("kerberos-another-server").with("said", &result.text).with("service", self.service);
            return self.failed(reason);
        }
        bind_refused(&self.link.url, self.principal, result)
    }
}
