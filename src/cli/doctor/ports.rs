//! The addresses we listen on: free, or answered by ourselves.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::finding::Finding;
use crate::config::Config;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn check(config: &Config) -> Vec<Finding> {
    let mut findings = vec![server(config).await];
    if let Some(address) = config.gateway.listen {
        findings.push(match is_free(address) {
            Ok(()) => Finding::ok("gateway port", format!("{address} is free")),
            // The gateway answers nothing of its own: ours and a stranger's look alike.
            Err(_) if findings.iter().any(|finding| finding.message.ends_with(RUNNING)) => {
                Finding::ok("gateway port", format!("{address} is taken, {RUNNING}"))
            }
            Err(error) => Finding::failed(
                "gateway port",
                format!("{address}: {error}"),
                "stop what uses it, or change gateway.listen",
            ),
        });
    }
    findings
}

const RUNNING: &str = "the broker is running";

async fn server(config: &Config) -> Finding {
    let address = config.server.listen;
    let Err(error) = is_free(address) else {
        return Finding::ok("port", format!("{address} is free"));
    };
    // TLS hides who answers there; a handshake is enough of an answer for a doctor.
    if config.server.tls_cert_file.is_some() {
        let message = format!("{address} is taken; if it is not by the broker, it cannot start");
        return Finding::warning("port", message, "look who listens there: ss -ltnp");
    }
    match tokio::time::timeout(PATIENCE, health(address)).await {
        Ok(Ok(answer)) if is_ours(&answer) => Finding::ok("port", format!("{address}: {RUNNING}")),
        _ => Finding::failed("port", format!("{address}: {error}"), "stop what uses it, or change server.listen"),
    }
}

fn is_free(address: SocketAddr) -> std::io::Result<()> {
    TcpListener::bind(address).map(drop)
}

/// The answer to `GET /health`, head and body.
async fn health(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream
        .write_all(format!("GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())
        .await?;
    let mut answer = Vec::new();
    stream.take(4_096).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn is_ours(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 200") && answer.contains("x-request-id: ") && answer.ends_with("\r\n\r\nup\n")
}
