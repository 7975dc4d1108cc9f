//! Calling the issuer that the operator of the service named: over https, or over http on this machine's own loopback.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::{Host, Url};

/// How long an answer may take, to its last byte.
const LIMIT: Duration = Duration::from_secs(5);
/// Bytes of an answer at the most.
const MAX_ANSWER: usize = 512 * 1024;

/// Why the issuer could not be asked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ClientError {
    /// No https address.
    #[error("`{0}` is not called: only https addresses are, and http on this machine's own loopback")]
    Address(String),
    /// No answer, or not in time.
    #[error("the issuer does not answer: {0}")]
    Unreachable(String),
    /// Another answer than expected.
    #[error("the issuer answers with status {0}")]
    Status(u16),
    /// An answer that makes no sense.
    #[error("the answer of the issuer makes no sense: {0}")]
    Answer(&'static str),
    /// Asked a moment ago without success.
    #[error("the issuer was asked a moment ago, without success")]
    Waiting,
    /// No certificate authority is trusted.
    #[error("certificates cannot be checked: {0}")]
    Tls(String),
}

type Inner = hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The client.
#[derive(Clone, Debug)]
pub(super) struct Client {
    inner: Inner,
    origin: url::Origin,
}

impl Client {
    /// A client for the origin of `issuer`, and no other.
    pub(super) fn new(issuer: &Url) -> Result<Self, ClientError> {
        let is_here = match issuer.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if issuer.scheme() != "https" && !(issuer.scheme() == "http" && is_here) {
            return Err(ClientError::Address(issuer.to_string()));
        }
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let builder = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider)
            .map_err(|error| ClientError::Tls(error.to_string()))?;
        let connector = builder.https_or_http().enable_http1().build();
        let inner = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { inner, origin: issuer.origin() })
    }

    /// Sends a request; the answer's head is waited for.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, ClientError> {
        let uri = request.uri().to_string();
        let is_own = Url::parse(&uri).is_ok_and(|url| url.origin() == self.origin);
        if !is_own {
            return Err(ClientError::Address(uri));
        }
        let answer = tokio::time::timeout(LIMIT, self.inner.request(request)).await;
        let answer = answer.map_err(|_| ClientError::Unreachable("no answer in time".to_owned()))?;
        answer.map_err(|error| ClientError::Unreachable(error.to_string()))
    }

    /// The body of a 200.
    pub(super) async fn read(&self, request: Request<Full<Bytes>>) -> Result<Bytes, ClientError> {
        let answer = self.send(request).await?;
        if answer.status() != 200 {
            return Err(ClientError::Status(answer.status().as_u16()));
        }
        let body = tokio::time::timeout(LIMIT, Limited::new(answer.into_body(), MAX_ANSWER).collect()).await;
        let body = body.map_err(|_| ClientError::Unreachable("no answer in time".to_owned()))?;
        Ok(body.map_err(|_| ClientError::Answer("it is too long, or was cut off"))?.to_bytes())
    }

    /// `GET`.
    pub(super) async fn get(&self, url: &str) -> Result<Bytes, ClientError> {
        let request = Request::get(url).body(Full::default()).map_err(|_| ClientError::Address(url.to_owned()))?;
        self.read(request).await
    }
}
