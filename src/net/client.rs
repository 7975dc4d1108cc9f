//! The client: what may be asked, how long, how much, and how often at once.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ipnet::IpNet;
use moka::sync::Cache;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Semaphore;
use url::Url;

use super::exchange::{Question, exchange};
use crate::config::Config;

/// Bytes of an answer at the most.
pub const MAX_ANSWER: usize = 256 * 1024;
/// How long one call may take in all: name, connection, TLS, answer.
const LIMIT: Duration = Duration::from_secs(5);
/// Calls at once.
const AT_ONCE: usize = 64;
/// Calls at once to one host: a dead one does not use up the calls of all.
const AT_ONCE_TO_ONE: usize = 4;
/// Hosts whose calls are counted.
const HOSTS: u64 = 10_000;

/// Why there is no answer. The text is for operators and logs, never for the caller of the broker.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NetError {
    /// No `https` address of a host, or one with a user name in it. Plain `http` is for loopback addresses in a named network.
    #[error("`{0}` is not called: only https://host[:port]/path addresses without a user name are")]
    Address(String),
    /// The host resolves to an address that may not be called.
    #[error("`{0}` is not called: its address is not a public one; name its network in outgoing.allowed_networks")]
    Forbidden(String),
    /// The name does not resolve.
    #[error("the name of `{0}` does not resolve")]
    Name(String),
    /// Nobody answers, or not the one whose certificate we trust.
    #[error("`{0}` is not reached: {1}")]
    Unreachable(String, String),
    /// The answer did not come in time.
    #[error("`{0}` did not answer within {limit} seconds", limit = LIMIT.as_secs())]
    Timeout(String),
    /// The answer is longer than [`MAX_ANSWER`].
    #[error("`{0}` answers with more than {kib} KiB", kib = MAX_ANSWER / 1024)]
    TooLong(String),
    /// So many calls are under way that no further one begins.
    #[error("too many calls to `{0}` are under way")]
    Busy(String),
    /// No certificate authority is trusted, so nothing can be verified.
    #[error("outgoing TLS cannot be set up: {0}")]
    Tls(String),
}

/// An answer, whatever its status: a redirect is not followed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, as sent.
    pub content_type: Option<String>,
    /// The body, at most [`MAX_ANSWER`] bytes.
    pub body: Vec<u8>,
}

/// The client. Cheap to clone.
#[derive(Clone)]
pub struct Outgoing(Arc<Inner>);

struct Inner {
    config: Arc<Config>,
    tls: OnceLock<Result<Arc<ClientConfig>, NetError>>,
    at_once: Semaphore,
    hosts: Cache<String, Arc<Semaphore>>,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outgoing")
    }
}

impl Outgoing {
    /// A client with the settings of `[outgoing]`. Certificates are read at the first call.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        let hosts = Cache::builder().max_capacity(HOSTS).time_to_idle(Duration::from_mins(10)).build();
        Self(Arc::new(Inner { config, tls: OnceLock::new(), at_once: Semaphore::new(AT_ONCE), hosts }))
    }

    /// `GET`, for something of type `accept`.
    ///
    /// # Errors
    /// [`NetError`].
    pub async fn get(&self, url: &Url, accept: &'static str) -> Result<Answer, NetError> {
        let (content_type, headers) = (None, &[]);
        self.ask(Question { method: "GET", url, accept, content_type, authorization: None, headers, body: Vec::new() })
            .await
    }

    /// `POST` of `body`, of type `content_type`; `authorization` is the header's value.
    ///
    /// # Errors
    /// [`NetError`].
    pub async fn post(
        &self,
        url: &Url,
        content_type: &'static str,
        body: Vec<u8>,
        authorization: Option<&str>,
    ) -> Result<Answer, NetError> {
        let (content_type, headers) = (Some(content_type), &[]);
        self.ask(Question { method: "POST", url, accept: "*/*", content_type, authorization, headers, body }).await
    }

    /// `POST` of JSON with further headers: a webhook.
    ///
    /// # Errors
    /// [`NetError`].
    pub async fn post_hook(
        &self,
        url: &Url,
        body: Vec<u8>,
        headers: &[(&'static str, String)],
    ) -> Result<Answer, NetError> {
        let content_type = Some("application/json");
        let authorization = None;
        self.ask(Question { method: "POST", url, accept: "*/*", content_type, authorization, headers, body }).await
    }

    async fn ask(&self, question: Question<'_>) -> Result<Answer, NetError> {
        let name = shown(question.url);
        let busy = || NetError::Busy(name.clone());
        let of_host = self.0.hosts.get_with(name.clone(), || Arc::new(Semaphore::new(AT_ONCE_TO_ONE)));
        let _of_host = of_host.try_acquire().map_err(|_| busy())?;
        let _of_all = self.0.at_once.try_acquire().map_err(|_| busy())?;
        let tls = self.tls()?;
        let asked = exchange(&question, &name, tls, self.allowed());
        tokio::time::timeout(LIMIT, asked).await.unwrap_or(Err(NetError::Timeout(name.clone())))
    }

    fn allowed(&self) -> &[IpNet] {
        &self.0.config.outgoing.allowed_networks
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, NetError> {
        self.0.tls.get_or_init(|| settings(&self.0.config)).clone()
    }
}

/// Scheme, host and port: what errors and logs say of an address.
fn shown(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn settings(config: &Config) -> Result<Arc<ClientConfig>, NetError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = &config.outgoing.ca_file {
        let failed = |why: String| NetError::Tls(format!("outgoing.ca_file `{}`: {why}", file.display()));
        let certificates =
            CertificateDer::pem_file_iter(config.resolve(file)).map_err(|error| failed(error.to_string()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| failed(error.to_string()))?;
            roots.add(certificate).map_err(|error| failed(error.to_string()))?;
        }
    }
    if roots.is_empty() {
        let why = "this system trusts no certification authority; name one in outgoing.ca_file";
        return Err(NetError::Tls(why.to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| NetError::Tls(error.to_string()))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
