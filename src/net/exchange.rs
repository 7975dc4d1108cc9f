//! One question and its answer, over a connection of its own to an address that was judged.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;
use url::{Host, Url};

use super::address::may_call;
use super::client::{Answer, MAX_ANSWER, NetError};

/// Bytes of an answer's headers at the most.
const MAX_HEADERS: usize = 32 * 1024;

/// What is asked.
pub(super) struct Question<'a> {
    pub method: &'static str,
    pub url: &'a Url,
    pub accept: &'static str,
    pub content_type: Option<&'static str>,
    pub authorization: Option<&'a str>,
    pub headers: &'a [(&'static str, String)],
    pub body: Vec<u8>,
}

/// Asks; `name` is how errors call the address.
pub(super) async fn exchange(
    question: &Question<'_>,
    name: &str,
    tls: Arc<ClientConfig>,
    allowed: &[IpNet],
) -> Result<Answer, NetError> {
    let addresses = addresses(question.url, name, allowed).await?;
    let unreachable = |why: String| NetError::Unreachable(name.to_owned(), why);
    let stream = connect(&addresses).await.map_err(|error| unreachable(error.to_string()))?;
    if question.url.scheme() == "http" {
        return converse(stream, question, name).await;
    }
    let host = question.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let host = ServerName::try_from(host).map_err(|error| unreachable(error.to_string()))?;
    let stream = TlsConnector::from(tls).connect(host, stream).await;
    converse(stream.map_err(|error| unreachable(error.to_string()))?, question, name).await
}

/// The addresses of the host that may be called; each is judged, and only these are connected to.
async fn addresses(url: &Url, name: &str, allowed: &[IpNet]) -> Result<Vec<SocketAddr>, NetError> {
    let wrong = || NetError::Address(name.to_owned());
    let is_plain = match url.scheme() {
        "https" => false,
        "http" => true,
        _ => return Err(wrong()),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong());
    }
    let port = url.port_or_known_default().ok_or_else(wrong)?;
    let found: Vec<SocketAddr> = match url.host().ok_or_else(wrong)? {
        Host::Ipv4(address) => vec![(address, port).into()],
        Host::Ipv6(address) => vec![(address, port).into()],
        Host::Domain(host) => {
            let found = tokio::net::lookup_host((host, port)).await;
            found.map_err(|_| NetError::Name(name.to_owned()))?.collect()
        }
    };
    let good: Vec<SocketAddr> = found.into_iter().filter(|address| may_call(address.ip(), allowed)).collect();
    if good.is_empty() {
        return Err(NetError::Forbidden(name.to_owned()));
    }
    // Nobody listens in on this machine's own loopback: there, and only there, plain http will do.
    if is_plain && !good.iter().all(|address| is_loopback(address.ip())) {
        return Err(wrong());
    }
    Ok(good)
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Connects to the first address that answers.
async fn connect(addresses: &[SocketAddr]) -> std::io::Result<TcpStream> {
    let mut failed = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

async fn converse<S>(stream: S, question: &Question<'_>, name: &str) -> Result<Answer, NetError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let unreachable = |error: hyper::Error| NetError::Unreachable(name.to_owned(), error.to_string());
    let request = request(question).ok_or_else(|| NetError::Address(name.to_owned()))?;
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(MAX_HEADERS).handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
    // Ends with this call, in time or not.
    let _driver = AbortOnDropHandle::new(tokio::spawn(connection));
    let response: Response<_> = sender.send_request(request).await.map_err(unreachable)?;
    let (head, body) = response.into_parts();
    let too_long = |_| NetError::TooLong(name.to_owned());
    let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(too_long)?;
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Ok(Answer { status: head.status.as_u16(), content_type, body: body.to_bytes().to_vec() })
}

fn request(question: &Question<'_>) -> Option<Request<Full<Bytes>>> {
    let url = question.url;
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str()?),
        None => url.host_str()?.to_owned(),
    };
    let mut request = Request::builder()
        .method(question.method)
        .uri(target)
        .header(header::HOST, host)
        .header(header::ACCEPT, question.accept)
        .header(header::USER_AGENT, concat!("yaopai/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close");
    if let Some(content_type) = question.content_type {
        request =
            request.header(header::CONTENT_TYPE, content_type).header(header::CONTENT_LENGTH, question.body.len());
    }
    if let Some(authorization) = question.authorization {
        let mut value = HeaderValue::from_str(authorization).ok()?;
        value.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, value);
    }
    for (name, value) in question.headers {
        request = request.header(*name, HeaderValue::from_str(value).ok()?);
    }
    request.body(Full::new(Bytes::from(question.body.clone()))).ok()
}
