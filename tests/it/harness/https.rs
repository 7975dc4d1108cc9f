//! An HTTPS server on loopback with a certificate authority of its own: what the broker calls by itself.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;

/// A server; it ends with the value.
pub struct Https {
    /// Where it is reached, without a trailing slash; its name is `localhost`.
    pub url: String,
    /// Its certificate authority, PEM.
    pub ca: String,
    handle: Handle<SocketAddr>,
}

impl Https {
    /// Serves `router`.
    pub async fn start(router: Router) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = rcgen::CertifiedIssuer::self_signed(params, key).unwrap();
        let leaf_key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
        let pem = (leaf.pem().into_bytes(), leaf_key.serialize_pem().into_bytes());
        let tls = RustlsConfig::from_pem(pem.0, pem.1).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let handle = Handle::new();
        let server = axum_server::from_tcp_rustls(listener, tls).unwrap().handle(handle.clone());
        tokio::spawn(async move { server.serve(router.into_make_service()).await });
        Self { url, ca: issuer.pem(), handle }
    }

    /// `[outgoing]` of a broker that may call it; writes the authority's certificate into `folder`.
    pub fn outgoing(&self, folder: &Path) -> String {
        let file = folder.join("outgoing-ca.pem");
        std::fs::write(&file, &self.ca).unwrap();
        format!("[outgoing]\nallowed_networks = [\"127.0.0.0/8\", \"::1/128\"]\nca_file = \"{}\"\n", file.display())
    }

    /// A configuration that may call it.
    pub fn config(&self, folder: &Path) -> Arc<yaopai::config::Config> {
        let text = format!("[server]\npublic_url = \"http://localhost\"\n{}", self.outgoing(folder));
        Arc::new(yaopai::config::Config::parse(&folder.join("yaopai.toml"), &text, &[]).unwrap())
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}
