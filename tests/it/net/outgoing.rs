//! The guarded client, against a server that does what it should not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};
use url::Url;
use yaopai::config::Config;
use yaopai::net::{MAX_ANSWER, NetError, Outgoing};

use crate::harness::https::Https;

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn strict() -> Outgoing {
    let text = "[server]\npublic_url = \"http://localhost\"";
    Outgoing::new(Arc::new(Config::parse(std::path::Path::new("t.toml"), text, &[]).unwrap()))
}

/// OAUTH-100, OAUTH-142, GW-053
#[tokio::test]
async fn what_is_not_public_is_not_called_however_it_is_written() {
    let server = Https::start(Router::new().route("/", get(async || "called"))).await;
    let port = url(&server.url).port().unwrap();
    for host in [
        "localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "169.254.169.254",
        "0.0.0.0",
        "10.0.0.1",
    ] {
        let address = url(&format!("https://{host}:{port}/"));
        let answer = strict().get(&address, "*/*").await;
        assert!(matches!(answer, Err(NetError::Forbidden(_))), "{host}: {answer:?}");
    }
    for address in ["https://user@example.org/", "ftp://example.org/", "file:///etc/passwd", "http://1.1.1.1/"] {
        let answer = strict().get(&url(address), "*/*").await;
        assert!(matches!(answer, Err(NetError::Address(_))), "{address}: {answer:?}");
    }
}

/// OAUTH-100, GW-043, GW-044, GW-053
#[tokio::test]
async fn answers_are_bounded_and_redirects_are_answers() {
    let router = Router::new()
        .route("/", get(async || "hello"))
        .route("/away", get(async || Redirect::temporary("https://localhost:1/")))
        .route("/long", get(async || "x".repeat(MAX_ANSWER + 1)))
        .route("/slow", get(async || tokio::time::sleep(Duration::from_mins(1)).await))
        .route("/echo", post(async |body: String| body));
    let server = Https::start(router).await;
    let folder = tempfile::tempdir().unwrap();
    let net = Outgoing::new(server.config(folder.path()));
    let at = |path: &str| url(&format!("{}{path}", server.url));
    let answer = net.get(&at("/"), "*/*").await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"hello".as_slice()));
    assert_eq!(net.get(&at("/away"), "*/*").await.unwrap().status, 307);
    assert!(matches!(net.get(&at("/long"), "*/*").await, Err(NetError::TooLong(_))));
    let echoed = net.post(&at("/echo"), "text/plain", b"body".to_vec(), Some("Bearer x")).await.unwrap();
    assert_eq!(echoed.body, b"body");
    let began = Instant::now();
    let slow = (0..8).map(|_| {
        let (net, slow) = (net.clone(), at("/slow"));
        tokio::spawn(async move { net.get(&slow, "*/*").await })
    });
    let mut busy = 0;
    for call in slow.collect::<Vec<_>>() {
        match call.await.unwrap() {
            Err(NetError::Busy(_)) => busy += 1,
            Err(NetError::Timeout(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(busy, 4, "one host takes four calls at once");
    assert!(began.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn a_certificate_of_nobody_we_trust_is_refused() {
    let server = Https::start(Router::new().route("/", get(async || "hello"))).await;
    let other = Https::start(Router::new()).await;
    let folder = tempfile::tempdir().unwrap();
    let net = Outgoing::new(other.config(folder.path()));
    let answer = net.get(&url(&server.url), "*/*").await;
    assert!(matches!(answer, Err(NetError::Unreachable(..))), "{answer:?}");
}
