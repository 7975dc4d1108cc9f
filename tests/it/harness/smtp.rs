//! A mail server on loopback that speaks SMTP (RFC 5321) over TLS and keeps what it is given.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A server; it ends with the runtime.
pub struct Smtp {
    /// Its port; its name is `localhost`.
    pub port: u16,
    /// Its certificate authority, PEM.
    pub ca: String,
    mails: Arc<Mutex<Vec<String>>>,
    /// How many messages are refused for now (451) before one is taken.
    pub refusals: Arc<AtomicUsize>,
}

impl Smtp {
    /// Listens with TLS from the first byte.
    pub async fn start() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf =
            rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![leaf.der().clone()], key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mails, refusals) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (kept, left, acceptor) = (mails.clone(), refusals.clone(), TlsAcceptor::from(Arc::new(config)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, left, acceptor) = (kept.clone(), left.clone(), acceptor.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ = converse(stream, &kept, &left).await;
                    }
                });
            }
        });
        Self { port, ca: issuer.pem(), mails, refusals }
    }

    /// `[mail]` of a broker that sends through it; writes the authority's certificate into `folder`.
    pub fn config(&self, folder: &Path) -> String {
        let file = folder.join("mail-ca.pem");
        std::fs::write(&file, &self.ca).unwrap();
        format!(
            "[mail]\nhost = \"localhost\"\nport = {}\nca_file = \"{}\"\nfrom = \"Yaopai <yaopai@example.com>\"\n\
             user = \"yaopai\"\npassword = {{ value = \"mail secret\" }}\n",
            self.port,
            file.display()
        )
    }

    /// What it was given: headers and body as sent.
    pub fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }
}

/// The text of a mail, decoded.
pub fn text_of(mail: &str) -> String {
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    if head.to_ascii_lowercase().contains("content-transfer-encoding: base64") {
        let packed: String = body.split_whitespace().collect();
        return String::from_utf8(STANDARD.decode(packed).unwrap()).unwrap();
    }
    if head.to_ascii_lowercase().contains("content-transfer-encoding: quoted-printable") {
        return unquoted(body);
    }
    body.to_owned()
}

/// Quoted-printable, decoded (RFC 2045 section 6.7).
fn unquoted(body: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = body.replace("=\r\n", "");
    while let Some((plain, after)) = rest.split_once('=') {
        bytes.extend_from_slice(plain.as_bytes());
        bytes.push(u8::from_str_radix(&after[..2], 16).unwrap());
        rest = after[2..].to_owned();
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap()
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    kept: &Mutex<Vec<String>>,
    refusals: &AtomicUsize,
) -> std::io::Result<()> {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 localhost ESMTP\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-localhost\r\n250 AUTH PLAIN LOGIN\r\n",
            "AUTH" if line == format!("AUTH PLAIN {}", STANDARD.encode("\0yaopai\0mail secret")) => "235 welcome\r\n",
            "AUTH" => "535 no\r\n",
            "MAIL" | "RCPT" | "RSET" | "NOOP" => "250 ok\r\n",
            "DATA" => {
                writer.write_all(b"354 go on\r\n").await?;
                let mut mail = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail.push_str(line.strip_prefix('.').unwrap_or(&line));
                    mail.push_str("\r\n");
                }
                let left = refusals.load(Ordering::SeqCst);
                if left > 0 {
                    refusals.store(left - 1, Ordering::SeqCst);
                    "451 later\r\n"
                } else {
                    kept.lock().unwrap().push(mail);
                    "250 taken\r\n"
                }
            }
            "QUIT" => {
                writer.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "502 what?\r\n",
        };
        writer.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}
