//! Connections to the systems behind the proxy.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use url::Url;

use crate::gateway::CallPath;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the first line of an answer may take.
const ANSWER: Duration = Duration::from_mins(1);
/// How long an unused connection is kept: shorter than what servers commonly keep.
const IDLE: Duration = Duration::from_secs(4);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamError {
    /// Not reached, or the connection broke.
    #[error("the system behind was not reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No answer in time.
    #[error("the system behind did not answer within {} seconds", ANSWER.as_secs())]
    Timeout,
}

/// A pool of connections. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Upstream(Client<HttpsConnector<HttpConnector>, Body>);

impl Upstream {
    /// A pool that trusts the system's certificate authorities.
    pub(super) fn new() -> Self {
        let mut roots = rustls::RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            tracing::warn!("this system has no certificate authorities: https upstreams will not be reached");
        }
        let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            // Only of a request whose first byte was not written, on a connection found closed: not a second try.
            .retry_canceled_requests(true)
            .build(connector.wrap_connector(tcp));
        Self(client)
    }

    /// Sends a request; the body streams.
    pub(super) async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, UpstreamError> {
        match tokio::time::timeout(ANSWER, self.0.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(UpstreamError::Unreachable(error.into())),
            Err(_) => Err(UpstreamError::Timeout),
        }
    }
}

/// The address of a path at an upstream, whose own path goes before it.
pub(super) fn address(upstream: &Url, path: &CallPath) -> Option<Uri> {
    let base = upstream.as_str().split(['?', '#']).next().unwrap_or_default();
    format!("{}{path}", base.trim_end_matches('/')).parse().ok()
}
