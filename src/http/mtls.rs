//! TLS that asks for a client certificate and takes any: TLS proves that the caller holds its key, and whose it is, is
//! judged later by what the application registered (RFC 8705 section 2). Nobody has to show one.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::http::Request;
use axum_server::accept::Accept;
use axum_server::tls_rustls::RustlsAcceptor;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::NoClientAuth;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tower::Service;

use crate::oidc::ClientCertificate;

/// TLS settings with this certificate and key, asking for a client certificate.
///
/// # Errors
/// When the files cannot be used.
pub(super) fn asking(certificate: &Path, key: &Path) -> io::Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    settings(certificate, key, Arc::new(AnyCertificate(provider)))
}

/// The same, asking for none.
///
/// # Errors
/// When the files cannot be used.
pub(super) fn plain(certificate: &Path, key: &Path) -> io::Result<Arc<ServerConfig>> {
    settings(certificate, key, Arc::new(NoClientAuth))
}

fn settings(certificate: &Path, key: &Path, verifier: Arc<dyn ClientCertVerifier>) -> io::Result<Arc<ServerConfig>> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate).map_err(io::Error::other)?.collect();
    let key = PrivateKeyDer::from_pem_file(key).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain.map_err(io::Error::other)?, key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Checks that the caller holds the key of its certificate, and nothing else.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Hands the certificate of a connection to its requests.
#[derive(Clone, Debug)]
pub(super) struct CertificateAcceptor(pub RustlsAcceptor);

/// A service whose requests carry the certificate of their connection.
#[derive(Clone, Debug)]
pub(super) struct WithCertificate<S> {
    service: S,
    certificate: Option<Arc<ClientCertificate>>,
}

impl<S: Send + 'static> Accept<TcpStream, S> for CertificateAcceptor {
    type Stream = TlsStream<TcpStream>;
    type Service = WithCertificate<S>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepting = self.0.accept(stream, service);
        Box::pin(async move {
            let (stream, service) = accepting.await?;
            let certificate = stream.get_ref().1.peer_certificates().and_then(certificate);
            Ok((stream, WithCertificate { service, certificate }))
        })
    }
}

fn certificate(shown: &[CertificateDer<'_>]) -> Option<Arc<ClientCertificate>> {
    let (own, chain) = shown.split_first()?;
    let chain = chain.iter().map(|der| der.to_vec()).collect();
    Some(Arc::new(ClientCertificate::new(own.to_vec(), chain)))
}

impl<S, B> Service<Request<B>> for WithCertificate<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        if let Some(certificate) = &self.certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        self.service.call(request)
    }
}
