//! The listener: serves until told to stop, then lets requests under way finish.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::mtls::{CertificateAcceptor, asking, plain};
use crate::config::{MtlsConfig, ServerConfig};

/// How often the files of the certificate are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

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
    let handle = stopping(server, &stop);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let tls = certificate(server, folder).await?;
    tracing::info!(listen = %listener.local_addr()?, url = %server.public_url, tls = tls.is_some(), "serving");
    match tls {
        Some(tls) => {
            let files = files(server.tls_cert_file.as_ref(), server.tls_key_file.as_ref(), folder);
            let _renewing = files.map(|files| renew(&tls, files, plain));
            axum_server::from_tcp_rustls(listener, tls)?.handle(handle).serve(service).await?;
        }
        None => axum_server::from_tcp(listener)?.handle(handle).serve(service).await?,
    }
    Ok(())
}

/// Serves `router` to applications, which are asked for a certificate, until `stop` (RFC 8705).
///
/// # Errors
/// [`ServeError`].
pub async fn serve_applications(
    listener: TcpListener,
    router: Router,
    (server, mtls): (&ServerConfig, &MtlsConfig),
    folder: &Path,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let handle = stopping(server, &stop);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let Some(files) = files(mtls.tls_cert_file.as_ref(), mtls.tls_key_file.as_ref(), folder) else { return Ok(()) };
    let (file, key) = files.clone();
    let settings = asking(&file, &key).map_err(|cause| ServeError::Certificate { file: shown(&file), cause })?;
    let tls = RustlsConfig::from_config(settings);
    let _renewing = renew(&tls, files, asking);
    tracing::info!(listen = %listener.local_addr()?, "serving applications with certificates");
    let server = axum_server::from_tcp_rustls(listener, tls)?.map(CertificateAcceptor);
    server.handle(handle).serve(service).await?;
    Ok(())
}

fn stopping(server: &ServerConfig, stop: &CancellationToken) -> Handle<SocketAddr> {
    let handle = Handle::new();
    let (stop, drain, stopping) = (stop.clone(), server.drain.as_std(), handle.clone());
    tokio::spawn(async move {
        stop.cancelled().await;
        stopping.graceful_shutdown(Some(drain));
    });
    handle
}

/// The certificate with its key, where `[server]` names one. Called early too, so that a fault is known before the first
/// start makes anything.
///
/// # Errors
/// [`ServeError::Certificate`].
pub async fn certificate(server: &ServerConfig, folder: &Path) -> Result<Option<RustlsConfig>, ServeError> {
    let files = files(server.tls_cert_file.as_ref(), server.tls_key_file.as_ref(), folder);
    let Some((file, key)) = files else { return Ok(None) };
    let loaded = RustlsConfig::from_pem_file(&file, key).await;
    loaded.map(Some).map_err(|cause| ServeError::Certificate { file: shown(&file), cause })
}

fn files(certificate: Option<&PathBuf>, key: Option<&PathBuf>, folder: &Path) -> Option<(PathBuf, PathBuf)> {
    Some((folder.join(certificate?), folder.join(key?)))
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

/// Reads TLS settings from the files of certificate and key.
type Read = fn(&Path, &Path) -> io::Result<Arc<rustls::ServerConfig>>;

/// Watches the files of certificate and key, and takes them over when they were replaced: connections that are open stay. Ends with
/// the value.
fn renew(tls: &RustlsConfig, (file, key): (PathBuf, PathBuf), read: Read) -> AbortOnDropHandle<()> {
    let tls = tls.clone();
    let changed = move |file: &Path, key: &Path| {
        let of = |path: &Path| std::fs::metadata(path).and_then(|about| about.modified()).ok();
        (of(file), of(key))
    };
    let mut known = changed(&file, &key);
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            let now = changed(&file, &key);
            if now == known {
                continue;
            }
            match read(&file, &key) {
                Ok(settings) => {
                    tls.reload_from_config(settings);
                    known = now;
                    tracing::info!(file = %file.display(), "the certificate was replaced");
                }
                // Both files are seldom written at once: the old pair serves on until the new one is whole.
                Err(error) => tracing::warn!(file = %file.display(), %error, "the new certificate cannot be used yet"),
            }
        }
    }))
}
