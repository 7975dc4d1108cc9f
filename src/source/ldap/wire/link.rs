//! One connection of our own to a server: opened with verified TLS, bound with a password, read message by message.

use std::io::{Error, ErrorKind};
use std::path::Path;
use std::time::Duration;

use ldap3::{LdapError, LdapResult};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use super::super::ber::{Malformed, SEQUENCE, header};
use super::super::connect::refuse_empty;
use super::super::{answer as meaning, sasl, tls};
use super::answer::{BIND, EXTENDED, Message};
use super::request;
use crate::config::LdapConfig;
use crate::source::error::SourceError;

/// A message longer than this is no answer of a directory: bytes.
const MAX_MESSAGE: usize = 256 << 20;
/// What is asked of the network at once.
const CHUNK: usize = 256 << 10;

/// What bytes go over: TCP, TLS, or the plain end of a sealed connection.
pub(in super::super) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// A connection; dropping it ends it.
pub(in super::super) struct Link {
    pub url: String,
    /// The URL's host.
    pub host: String,
    /// The server's certificate; none without TLS.
    pub certificate: Option<Vec<u8>>,
    pub timeout: Duration,
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
    /// What of the buffer was handed out.
    taken: usize,
    last_id: u32,
}

impl Link {
    /// Connects, with TLS where the configuration says so. Nothing secret has been sent yet.
    pub async fn open(config: &LdapConfig, url: &Url, folder: &Path) -> Result<Self, SourceError> {
        let is_secure = config.is_secure(url);
        if !is_secure && !config.allow_plaintext && config.kerberos().is_none() {
            let reason = "passwords would be sent in clear text; use ldaps://, or starttls = true".to_owned();
            return Err(SourceError::Config { key: "source.ldap.url".to_owned(), reason });
        }
        let settings = is_secure.then(|| tls::settings(config, url, folder)).transpose()?;
        let timeout = config.timeout.as_std();
        let wait = config.connect_timeout.as_std().min(timeout);
        let opened = tokio::time::timeout(wait, async {
            let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
            let port = url.port().unwrap_or(if url.scheme() == "ldaps" { 636 } else { 389 });
            let stream = TcpStream::connect((host, port)).await?;
            stream.set_nodelay(true)?;
            let mut link = Self {
                url: url.to_string(),
                host: host.to_owned(),
                certificate: None,
                timeout,
                stream: Box::new(stream),
                buffer: Vec::new(),
                taken: 0,
                last_id: 0,
            };
            if let Some(settings) = settings {
                if config.starttls {
                    link.start_tls().await?;
                }
                let name = ServerName::try_from(host.to_owned()).map_err(Error::other)?;
                let stream = TlsConnector::from(settings).connect(name, link.take_stream()).await?;
                let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
                link.certificate = certificates.first().map(|certificate| certificate.to_vec());
                link.stream = Box::new(stream);
            }
            Ok(link)
        });
        match opened.await {
            Ok(opened) => opened.map_err(|error| meaning::not_opened(url, wait, error)),
            Err(_) => Err(meaning::timeout(url.as_str(), wait, "connecting")),
        }
    }

    /// Asks for TLS (RFC 4511 section 4.14). What came in clear text behind the answer is refused: it may be anybody's.
    async fn start_tls(&mut self) -> Result<(), LdapError> {
        let id = self.send(&request::start_tls(), None).await?;
        let hung_up = || Error::new(ErrorKind::UnexpectedEof, "the server hung up instead of starting TLS");
        let length = self.fill().await?.ok_or_else(hung_up)?;
        let odd = || Error::new(ErrorKind::InvalidData, "the answer to StartTLS is no LDAP");
        let answer = self.message(length).map_err(|_| odd())?;
        if answer.id != id || answer.tag != EXTENDED {
            return Err(odd().into());
        }
        let result = answer.result().map_err(|_| odd())?;
        if result.rc != 0 {
            return Err(LdapError::LdapResult { result });
        }
        if self.taken < self.buffer.len() {
            return Err(odd().into());
        }
        Ok(())
    }

    /// Binds as the service account of the source.
    pub async fn bind(&mut self, config: &LdapConfig, folder: &Path) -> Result<(), SourceError> {
        if let Some(kerberos) = config.kerberos() {
            let sealing = sasl::bind(self, kerberos, folder).await?;
            if sealing.is_some() {
                let plain = sasl::start(self.take_stream(), sealing);
                self.stream = Box::new(plain.map_err(|cause| self.broken("binding", "", &cause))?);
            }
            return Ok(());
        }
        let unusable = |reason| SourceError::Config { key: "source.ldap.bind_password".to_owned(), reason };
        let password = config.bind_password.as_ref().ok_or_else(|| unusable("is missing; set it".to_owned()))?;
        let password = password.read(folder).map_err(unusable)?;
        let dn = config.bind_dn.as_str();
        refuse_empty(dn, &password)?;
        let (result, _) = self.bound(&request::bind(dn, &password)).await?;
        if result.rc == 0 { Ok(()) } else { Err(meaning::bind_refused(&self.url, dn, &result)) }
    }

    /// Sends a bind, and gives its result and the SASL credentials that came with it. Nothing else is under way.
    pub async fn bound(&mut self, request: &[u8]) -> Result<(LdapResult, Vec<u8>), SourceError> {
        let sent = self.send(request, None).await;
        let id = sent.map_err(|cause| self.broken("binding", "", &cause))?;
        let answer = self.receive("binding", "").await?;
        let is_it = answer.id == id && answer.tag == BIND;
        let result = if is_it { answer.bind_result() } else { Err(Malformed) };
        let result = result.map_err(|_| self.malformed("the answer to the bind is no LDAP"))?;
        // What follows in the same breath may be meant for another state of the connection, or be somebody else's.
        if self.taken < self.buffer.len() {
            return Err(self.malformed("it says more than it was asked while binding"));
        }
        Ok(result)
    }

    /// The connection itself, which then is the caller's.
    pub fn take_stream(&mut self) -> Box<dyn Stream> {
        std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()))
    }

    /// Says goodbye; the server may have hung up already, which does not matter any more.
    pub async fn close(mut self) {
        if let Err(error) = self.send(&request::unbind(), None).await {
            tracing::debug!(%error, "the LDAP server was gone before the goodbye");
        }
    }

    /// Sends a request and gives its id.
    pub async fn send(&mut self, operation: &[u8], control: Option<&[u8]>) -> Result<u32, Error> {
        self.last_id += 1;
        let message = request::message(self.last_id, operation, control);
        let sent = tokio::time::timeout(self.timeout, async {
            self.stream.write_all(&message).await?;
            self.stream.flush().await
        });
        sent.await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))?;
        Ok(self.last_id)
    }

    /// The next message. `doing` and `base` are for the sentence when none comes.
    pub(super) async fn receive(&mut self, doing: &str, base: &str) -> Result<Message<'_>, SourceError> {
        let length = match self.whole() {
            // Most messages are there already.
            Ok(Some(length)) => length,
            Ok(None) => match tokio::time::timeout(self.timeout, self.fill()).await {
                Ok(Ok(Some(length))) => length,
                Ok(Ok(None)) => return Err(self.closed(doing, base)),
                Ok(Err(cause)) if cause.kind() == ErrorKind::InvalidData => {
                    return Err(self.malformed("what it sends is no LDAP"));
                }
                Ok(Err(cause)) => return Err(self.broken(doing, base, &cause)),
                Err(_) => return Err(meaning::timeout(&self.url, self.timeout, doing)),
            },
            Err(Malformed) => return Err(self.malformed("what it sends is no LDAP")),
        };
        let url = self.url.clone();
        match self.message(length) {
            Ok(message) if message.id == 0 => {
                let said = message.result().map_or_else(|_| String::new(), |result| result.text);
                let reason =
                    format!("the server ends it while {doing}{}{said}", if said.is_empty() { "" } else { ": " });
                Err(SourceError::Broken { url, base: base.to_owned(), reason })
            }
            Ok(message) => Ok(message),
            Err(Malformed) => Err(SourceError::Malformed { url, reason: "a message is no LDAP".to_owned() }),
        }
    }

    /// Length of the message at the start of what is unread, header and all; none when it is not whole yet.
    fn whole(&self) -> Result<Option<usize>, Malformed> {
        let unread = self.buffer.get(self.taken..).unwrap_or_default();
        let Some((tag, start, length)) = header(unread)? else { return Ok(None) };
        if tag != SEQUENCE || length > MAX_MESSAGE {
            return Err(Malformed);
        }
        Ok(Some(start + length).filter(|whole| *whole <= unread.len()))
    }

    /// Reads until a message is whole; none when the server closed the connection.
    async fn fill(&mut self) -> Result<Option<usize>, Error> {
        loop {
            if let Some(length) = self.whole().map_err(|_| ErrorKind::InvalidData)? {
                return Ok(Some(length));
            }
            self.buffer.drain(..self.taken);
            self.taken = 0;
            self.buffer.reserve(CHUNK);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Takes a whole message.
    fn message(&mut self, length: usize) -> Result<Message<'_>, Malformed> {
        let start = self.taken;
        self.taken += length;
        let bytes = self.buffer.get(start..self.taken).ok_or(Malformed)?;
        let (_, inside, _) = header(bytes)?.ok_or(Malformed)?;
        Message::read(bytes.get(inside..).ok_or(Malformed)?)
    }

    pub fn malformed(&self, reason: &str) -> SourceError {
        SourceError::Malformed { url: self.url.clone(), reason: reason.to_owned() }
    }

    fn closed(&self, doing: &str, base: &str) -> SourceError {
        let reason = format!("the server closed it while {doing}");
        SourceError::Broken { url: self.url.clone(), base: base.to_owned(), reason }
    }

    pub fn broken(&self, doing: &str, base: &str, cause: &Error) -> SourceError {
        if cause.kind() == ErrorKind::TimedOut {
            return meaning::timeout(&self.url, self.timeout, doing);
        }
        SourceError::Broken { url: self.url.clone(), base: base.to_owned(), reason: cause.to_string() }
    }
}
