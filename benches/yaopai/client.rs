//! The load generator: keep-alive HTTP/1.1 connections on loopback, each in a task of its own, for a bounded time.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use super::process::Server;

/// Connections at the same time.
pub const CONNECTIONS: usize = 16;

/// One connection.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

/// An answer, read to its end.
pub type Answer = Response<Bytes>;

impl Connection {
    /// Connects to `host:port`.
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = tokio::net::TcpStream::connect(address).await.with_context(|| address.to_owned())?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_owned() })
    }

    /// Sends one request and reads the whole answer.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(path).header("host", &self.host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes())))?;
        self.sender.ready().await?;
        let (parts, body) = self.sender.send_request(request).await?.into_parts();
        Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
    }
}

/// Complains unless the answer has that status.
pub fn expect(answer: &Answer, status: StatusCode) -> anyhow::Result<()> {
    let body = String::from_utf8_lossy(answer.body());
    ensure!(answer.status() == status, "expected {status}, got {}: {body}", answer.status());
    Ok(())
}

/// A member of an answer's JSON document.
pub fn member(answer: &Answer, name: &str) -> anyhow::Result<String> {
    let document: serde_json::Value = serde_json::from_slice(answer.body())?;
    let text = document.get(name).and_then(serde_json::Value::as_str);
    Ok(text.with_context(|| format!("no `{name}` in {document}"))?.to_owned())
}

/// What a scenario measured.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// A second on the wall clock.
    pub per_second: f64,
    /// Server CPU microseconds each.
    pub micros: f64,
    /// Milliseconds within which 99 of 100 were answered, with every connection busy.
    pub p99: f64,
}

/// One connection's way of doing one unit of work again and again.
pub trait Work: Send + 'static {
    /// One unit; an error ends the measurement.
    fn once(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// Lets every worker work for `time`, after a short warm-up, and counts the server's CPU meanwhile.
pub async fn measure<W: Work>(server: &Server, workers: Vec<W>, time: Duration) -> anyhow::Result<Measured> {
    let workers = run(workers, time / 8).await?.1;
    let (cpu, begun) = (server.cpu()?, Instant::now());
    let (mut took, _) = run(workers, time).await?;
    let wall = begun.elapsed().as_secs_f64();
    let cpu = server.cpu()? - cpu;
    let count = took.len() as f64;
    took.sort_unstable();
    let p99 = took.get(took.len() * 99 / 100).context("nothing was answered")?.as_secs_f64() * 1e3;
    Ok(Measured { per_second: count / wall, micros: cpu * 1e6 / count, p99 })
}

/// How long each unit took, and the workers for what comes next.
async fn run<W: Work>(workers: Vec<W>, time: Duration) -> anyhow::Result<(Vec<Duration>, Vec<W>)> {
    let end = Instant::now() + time;
    let tasks: Vec<_> = workers
        .into_iter()
        .map(|mut worker| {
            tokio::spawn(async move {
                let mut took = Vec::new();
                let mut now = Instant::now();
                while now < end {
                    let begun = now;
                    worker.once().await?;
                    now = Instant::now();
                    took.push(now - begun);
                }
                anyhow::Ok((took, worker))
            })
        })
        .collect();
    let (mut all, mut workers) = (Vec::new(), Vec::new());
    for task in tasks {
        let (took, worker) = task.await??;
        all.extend(took);
        workers.push(worker);
    }
    Ok((all, workers))
}
