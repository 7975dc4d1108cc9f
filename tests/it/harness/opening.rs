//! Something in the network that opens TLS: a proxy with a certificate that the client trusts, in front of a real server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::cutting::over_tls;

/// A running proxy; ends with the test.
pub struct Opening {
    /// Port of `ldaps://localhost`.
    pub port: u16,
    /// PEM of the CA that signed its certificate.
    pub ca: String,
    _task: JoinSet<()>,
}

impl Opening {
    /// In front of `localhost` at this port, whose certificate this CA signed.
    pub async fn start(ca_file: &Path, server: u16) -> Self {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = config.with_single_cert(vec![leaf.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, ca_file): (u16, PathBuf) = (listener.local_addr().unwrap().port(), ca_file.to_owned());
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (acceptor, ca_file) = (acceptor.clone(), ca_file.clone());
                connections.spawn(async move {
                    let mut client = acceptor.accept(client).await.unwrap();
                    let mut server = over_tls(&ca_file, "localhost", server).await.unwrap();
                    // An end of either side is the end of the connection.
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { port, ca: issuer.pem(), _task: task }
    }
}
