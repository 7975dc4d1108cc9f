//! A domain controller that sends long lists of values in ranges, as Windows does and Samba does not: a proxy in front of
//! the real Samba. We speak to it without TLS, it speaks to Samba with TLS; everything but too long lists passes as it is.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::samba::Samba;

/// `SearchResultEntry`.
const ENTRY: u8 = 0x64;

/// A running proxy; ends with the test.
pub struct Cutting {
    /// Port on loopback.
    pub port: u16,
    state: Arc<State>,
    _task: JoinSet<()>,
}

struct State {
    /// Values of an attribute, at the most.
    most: usize,
    /// Lists that were cut.
    cut: AtomicUsize,
    /// Whether it hangs up instead of sending a second range.
    hangs_up: AtomicBool,
}

impl Cutting {
    /// In front of this server, with so many values at the most.
    pub async fn start(server: &'static Samba, most: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State { most, cut: AtomicUsize::new(0), hangs_up: AtomicBool::new(false) });
        let mut task = JoinSet::new();
        let shared = state.clone();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let state = shared.clone();
                // An end of either side is the end of the connection.
                connections.spawn(async move { pass(client, server, &state).await.unwrap_or_default() });
            }
        });
        Self { port, state, _task: task }
    }

    /// How many lists were cut so far.
    pub fn cut(&self) -> usize {
        self.state.cut.load(Ordering::SeqCst)
    }

    /// Hangs up instead of sending a second range.
    pub fn hang_up(&self) {
        self.state.hangs_up.store(true, Ordering::SeqCst);
    }
}

async fn pass(client: TcpStream, server: &Samba, state: &State) -> std::io::Result<()> {
    let (mut from_server, mut to_server) = split(over_tls(&server.ca_file(), &server.address, 636).await?);
    let (mut from_client, mut to_client) = client.into_split();
    let answers = async {
        loop {
            let message = message(&mut from_server).await?;
            match state.rewritten(&message) {
                Some(message) => to_client.write_all(&message).await?,
                None => return std::io::Result::Ok(()),
            }
        }
    };
    tokio::select! {
        ended = copy(&mut from_client, &mut to_server) => ended.map(|_| ()),
        ended = answers => ended,
    }
}

/// A TLS connection to a server whose certificate this CA signed.
pub(super) async fn over_tls(ca_file: &Path, host: &str, port: u16) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca_file).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let connector = TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()));
    let name = ServerName::try_from(host.to_owned()).unwrap();
    connector.connect(name, TcpStream::connect((host, port)).await?).await
}

/// One message, whole.
async fn message(from: &mut (impl tokio::io::AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; 2];
    from.read_exact(&mut bytes).await?;
    let more = if bytes[1] & 0x80 == 0 { 0 } else { usize::from(bytes[1] & 0x7f) };
    bytes.resize(2 + more, 0);
    from.read_exact(&mut bytes[2..]).await?;
    let (start, length) = length(&bytes);
    bytes.resize(start + length, 0);
    from.read_exact(&mut bytes[start..]).await?;
    Ok(bytes)
}

impl State {
    /// The message, its long lists cut; none to hang up.
    fn rewritten(&self, message: &[u8]) -> Option<Vec<u8>> {
        let parts = parts(&parts(message)[0].1);
        if parts[1].0 != ENTRY {
            return Some(message.to_vec());
        }
        let entry = self::parts(&parts[1].1);
        let mut attributes = Vec::new();
        for (_, attribute) in self::parts(&entry[1].1) {
            let pair = self::parts(&attribute);
            let name = String::from_utf8(pair[0].1.clone()).unwrap();
            let values = self::parts(&pair[1].1);
            let (name, low) = match name.split_once(";range=") {
                Some((name, range)) => (name.to_owned(), range.split_once('-').unwrap().0.parse().unwrap()),
                None => (name, 0),
            };
            if low > 0 && self.hangs_up.load(Ordering::SeqCst) {
                return None;
            }
            if values.len() <= self.most {
                attributes.push(tlv(0x30, &attribute));
                continue;
            }
            self.cut.fetch_add(1, Ordering::SeqCst);
            let set = |values: &[(u8, Vec<u8>)]| {
                tlv(0x31, &values.iter().flat_map(|(tag, value)| tlv(*tag, value)).collect::<Vec<_>>())
            };
            let range = format!("{name};range={low}-{}", low + self.most - 1);
            if low == 0 {
                attributes.push(tlv(0x30, &[tlv(4, name.as_bytes()), set(&[])].concat()));
            }
            attributes.push(tlv(0x30, &[tlv(4, range.as_bytes()), set(&values[..self.most])].concat()));
        }
        let entry = [tlv(4, &entry[0].1), tlv(0x30, &attributes.concat())].concat();
        let rest = parts[2..].iter().flat_map(|(tag, content)| tlv(*tag, content));
        let content = [tlv(parts[0].0, &parts[0].1), tlv(ENTRY, &entry), rest.collect()].concat();
        Some(tlv(0x30, &content))
    }
}

/// Length of the header and of the content.
fn length(bytes: &[u8]) -> (usize, usize) {
    if bytes[1] & 0x80 == 0 {
        return (2, usize::from(bytes[1]));
    }
    let more = usize::from(bytes[1] & 0x7f);
    (2 + more, bytes[2..2 + more].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
}

fn parts(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (start, length) = length(bytes);
        found.push((bytes[0], bytes[start..start + length].to_vec()));
        bytes = &bytes[start + length..];
    }
    found
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], length.as_slice(), content].concat()
}
