//! The listener: serves until told to stop, then lets requests under way finish.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use tokio_util::sync::CancellationToken;

use crate::config::ServerConfig;

/// The listener cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {cause}; stop what uses it, or set {key} to another port")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// The key of the configuration that names it.
        key: &'static str,
        /// What the system says.
        cause: io::Error,
    },
    /// The certificate or key cannot be used.
    #[error(
        "the certificate `{file}` with its key cannot be used: {cause}; both must be PEM files that belong together"
    )]
    Certificate {
        /// The certificate file.
        file: String,
        /// What is wrong.
        cause: io::Error,
    },
    /// The server failed while serving.
    #[error("the server failed: {0}")]
    Serve(#[from] io::Error),
}

/// Takes the address, so that a port in use is known before anything else starts.
///
/// # Errors
/// [`ServeError::Listen`].
pub fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    bind_of(address, "server.listen")
}

/// Takes the address that `key` of the configuration names.
///
/// # Errors
/// [`ServeError::Listen`].
pub fn bind_of(address: SocketAddr, key: &'static str) -> Result<TcpListener, ServeError> {
    let listener = TcpListener::bind(address).map_err(|cause| ServeError::Listen { address, key, cause })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves `router` until `stop`, then waits for requests under way, at most `server.drain`.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    server: &ServerConfig,
    folder: &Path,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let handle = Handle::new();
    let drain = server.drain.as_std();
    let stopping = handle.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        stopping.graceful_shutdown(Some(drain));
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let tls = certificate(server, folder).await?;
    tracing::info!(listen = %listener.local_addr()?, url = %server.public_url, tls = tls.is_some(), "serving");
    match tls {
        Some(tls) => axum_server::from_tcp_rustls(listener, tls)?.handle(handle).serve(service).await?,
        None => axum_server::from_tcp(listener)?.handle(handle).serve(service).await?,
    }
    Ok(())
}

/// The certificate with its key, where `[server]` names one. Called early too, so that a fault is known before the first
/// start makes anything.
///
/// # Errors
/// [`ServeError::Certificate`].
pub async fn certificate(server: &ServerConfig, folder: &Path) -> Result<Option<RustlsConfig>, ServeError> {
    let (Some(cert), Some(key)) = (&server.tls_cert_file, &server.tls_key_file) else { return Ok(None) };
    let file = folder.join(cert);
    let loaded = RustlsConfig::from_pem_file(&file, folder.join(key)).await;
    loaded.map(Some).map_err(|cause| ServeError::Certificate { file: file.display().to_string(), cause })
}
