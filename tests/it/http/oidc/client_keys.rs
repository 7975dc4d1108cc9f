//! The public keys of an application, fetched from its `jwks_uri`.

use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use chrono::Duration;
use serde_json::{Value, json};
use yaopai::crypto::foreign::{Rules, read};
use yaopai::crypto::{SigningKey, jwt};
use yaopai::http::App as State;
use yaopai::model::{Algorithm, ProofAlgorithm};
use yaopai::oidc::{ClientKeyError, KeyRing, verify_by_application};

use crate::harness::https::Https;
use crate::harness::{App, Kind};

const RULES: Rules<'_> = Rules { algorithms: ProofAlgorithm::ASYMMETRIC, types: &["JWT"] };

/// An application's own server, with its key set.
struct Keys {
    set: Arc<Mutex<Value>>,
    status: Arc<AtomicU16>,
    calls: Arc<AtomicUsize>,
    server: Https,
}

impl Keys {
    async fn start(keys: &[&SigningKey]) -> Self {
        let set = Arc::new(Mutex::new(published(keys)));
        let status = Arc::new(AtomicU16::new(200));
        let calls = Arc::new(AtomicUsize::new(0));
        let (shown, state, counted) = (set.clone(), status.clone(), calls.clone());
        let answer = async move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let set = shown.lock().unwrap().to_string();
            (StatusCode::from_u16(state.load(Ordering::SeqCst)).unwrap(), set)
        };
        let server = Https::start(Router::new().route("/jwks", get(answer))).await;
        Self { set, status, calls, server }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn published(keys: &[&SigningKey]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.public_jwk()).collect::<Vec<_>>() })
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap().0
}

/// A broker that knows the application `far` with its keys at `url`.
async fn scene(keys: &Keys) -> (App, State) {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "{}\n[[application]]\nid = \"far\"\nsecret = {{ value = \"a-secret-of-far-away\" }}\n\
         [application.proof]\njwks_uri = \"{}/jwks\"\n",
        keys.server.outgoing(folder.path()),
        keys.server.url
    );
    let app = App::with_config(Kind::Sqlite, &config).await;
    let ring = KeyRing::open(&app.broker).await.unwrap();
    let state = State::new(app.broker.clone(), ring);
    // The authority's file is read at the first call.
    verify(&state, "a.b.c").await.unwrap_err();
    let _ = verify(&state, &jwt::sign(&key(), "JWT", &json!({})).unwrap()).await;
    (app, state)
}

async fn verify(state: &State, token: &str) -> Result<Value, ClientKeyError> {
    let app = state.applications.find(&state.broker, "far").await.unwrap().unwrap();
    verify_by_application(state.provider(), &app, read(token, &RULES)?).await.map(Value::Object)
}

/// OAUTH-160, GW-043
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_unknown_key_ids_is_one_fetch_a_minute() {
    let own = key();
    let keys = Keys::start(&[&own]).await;
    let (app, state) = scene(&keys).await;
    let good = jwt::sign(&own, "JWT", &json!({ "a": 1 })).unwrap();
    assert_eq!(verify(&state, &good).await.unwrap()["a"], 1);
    let before = keys.calls();
    let flood = (0..50).map(|_| {
        let state = state.clone();
        tokio::spawn(async move { verify(&state, &jwt::sign(&key(), "JWT", &json!({})).unwrap()).await })
    });
    for one in flood.collect::<Vec<_>>() {
        assert!(matches!(one.await.unwrap(), Err(ClientKeyError::Token(_))));
    }
    assert_eq!(keys.calls(), before);
    app.clock().advance(Duration::seconds(61));
    for _ in 0..5 {
        verify(&state, &jwt::sign(&key(), "JWT", &json!({})).unwrap()).await.unwrap_err();
    }
    assert_eq!(keys.calls(), before + 1);
    assert!(verify(&state, &good).await.is_ok());
}

/// OAUTH-160, OIDC-071, OIDC-074, GW-044: a new key of the application counts within a minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_key_is_found_and_a_failing_address_leaves_the_old_set_for_a_day() {
    let (own, next) = (key(), key());
    let keys = Keys::start(&[&own]).await;
    let (app, state) = scene(&keys).await;
    let token = |key| jwt::sign(key, "JWT", &json!({})).unwrap();
    assert!(verify(&state, &token(&own)).await.is_ok());
    *keys.set.lock().unwrap() = published(&[&next]);
    assert!(verify(&state, &token(&own)).await.is_ok(), "the set is as it was for ten minutes");
    app.clock().advance(Duration::seconds(61));
    assert!(verify(&state, &token(&next)).await.is_ok());
    assert!(verify(&state, &token(&own)).await.is_err(), "what is no longer published no longer counts");
    for (status, set) in
        [(500, published(&[&own])), (200, json!("<html>")), (200, json!({ "keys": [] })), (302, published(&[&own]))]
    {
        keys.status.store(status, Ordering::SeqCst);
        *keys.set.lock().unwrap() = set;
        app.clock().advance(Duration::minutes(11));
        assert!(verify(&state, &token(&next)).await.is_ok(), "{status}");
    }
    app.clock().advance(Duration::hours(25));
    assert_eq!(verify(&state, &token(&next)).await.err(), Some(ClientKeyError::Status(302)));
    assert_eq!(verify(&state, &token(&next)).await.err(), Some(ClientKeyError::Waiting));
}
