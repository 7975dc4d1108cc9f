//! Applications known by the address of a document: fetched, judged, asked about, kept within bounds.

use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use chrono::Duration;
use serde_json::{Value, json};
use yaopai::oidc::purge;

use super::{Client, Scene, VERIFIER, answer, authorize_path, challenge, claims, signed_in};
use crate::both;
use crate::harness::https::Https;
use crate::harness::prove::{ASSERTION, assertion, key};
use crate::harness::{App, Kind, Page, person};

/// The server of an application that nobody registered.
struct Agent {
    document: Arc<Mutex<Value>>,
    status: Arc<AtomicU16>,
    calls: Arc<AtomicUsize>,
    server: Https,
}

impl Agent {
    async fn start() -> Self {
        let document = Arc::new(Mutex::new(Value::Null));
        let status = Arc::new(AtomicU16::new(200));
        let calls = Arc::new(AtomicUsize::new(0));
        let (shown, state, counted) = (document.clone(), status.clone(), calls.clone());
        let answer = async move |uri: Uri| {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut document = shown.lock().unwrap().clone();
            // Each further path is an application of its own.
            if uri.path() != "/agent.json" {
                let host = document["redirect_uris"][0].as_str().unwrap().trim_end_matches("/cb").to_owned();
                document["client_id"] = format!("{host}{}", uri.path()).into();
            }
            (StatusCode::from_u16(state.load(Ordering::SeqCst)).unwrap(), document.to_string())
        };
        let server = Https::start(Router::new().route("/{*path}", get(answer))).await;
        let agent = Self { document, status, calls, server };
        agent.says(json!({}));
        agent
    }

    fn id(&self) -> String {
        format!("{}/agent.json", self.server.url)
    }

    fn redirect_uri(&self) -> String {
        format!("{}/cb", self.server.url)
    }

    /// What the document says, with changes.
    #[expect(clippy::needless_pass_by_value, reason = "a literal at every call")]
    fn says(&self, changes: Value) {
        let mut document = json!({
            "client_id": self.id(), "client_name": "Agent", "redirect_uris": [self.redirect_uri()], "scope": "openid email",
        });
        document.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        *self.document.lock().unwrap() = document;
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// A broker that takes documents of this server.
    async fn scene(&self, kind: Kind, more: &str) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let outgoing = self.server.outgoing(folder.path());
        let config = format!("{outgoing}\n[client_documents]\nenabled = true\nhosts = [\"localhost\"]\n{more}");
        let app = App::with_config(kind, &config).await;
        let user = person(&app.broker, "wang.fang", &["employee"]).await;
        let (session, browser) = signed_in(&app, &user).await;
        let scene = Scene { app, user, session, browser };
        // The authority's file is read at the first call.
        self.come(&scene, &format!("{}/first", self.server.url)).await;
        scene
    }

    /// An authorization request under the client id `id`.
    async fn come(&self, scene: &Scene, id: &str) -> Page {
        let redirect_uri = self.redirect_uri();
        let changes = [("client_id", id), ("redirect_uri", &redirect_uri)];
        scene.browser.get(&authorize_path(Client { id: "", secret: None, redirect_uri: "" }, &changes)).await
    }
}

async fn agree(scene: &Scene, page: &Page) -> Page {
    scene.browser.post(&page.form("/oauth2/consent").with("decision", "yes")).await
}

async fn post(scene: &Scene, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let answer = scene.app.browser().post(scene.app.at(path)).form(form).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
}

both!(
    /// OAUTH-138, OAUTH-147: nobody fetches anything, or says it could be fetched, unless it is switched on.
    documents_are_off_by_default,
    |kind| async move {
        let agent = Agent::start().await;
        let folder = tempfile::tempdir().unwrap();
        let app = App::with_config(kind, &agent.server.outgoing(folder.path())).await;
        let user = person(&app.broker, "wang.fang", &["employee"]).await;
        let (session, browser) = signed_in(&app, &user).await;
        let scene = Scene { app, user, session, browser };
        assert_eq!(agent.come(&scene, &agent.id()).await.status, 400);
        assert_eq!(agent.calls(), 0);
        let document = |scene: &Scene| scene.app.browser().get(scene.app.at("/.well-known/openid-configuration"));
        let told: Value = document(&scene).send().await.unwrap().json().await.unwrap();
        assert!(told.get("client_id_metadata_document_supported").is_none());
        let told: Value = document(&agent.scene(kind, "").await).send().await.unwrap().json().await.unwrap();
        assert_eq!(told["client_id_metadata_document_supported"], true);
    }
);

both!(
    /// OAUTH-018, OAUTH-033, OAUTH-141: a person signs in to an application that nobody registered, and is told so.
    a_person_agrees_to_an_application_that_nobody_registered,
    |kind| async move {
        let agent = Agent::start().await;
        let scene = agent.scene(kind, "").await;
        let page = agent.come(&scene, &agent.id()).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let text = page.texts("main").join(" ");
        assert!(text.contains("Agent (localhost, 未验证 · unverified)"), "{text}");
        let back = agree(&scene, &page).await;
        let code = answer(&back, "code").unwrap_or_else(|| panic!("{}", back.location()));
        let (id, redirect_uri) = (agent.id(), agent.redirect_uri());
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", redirect_uri.as_str()),
            ("client_id", id.as_str()),
            ("code_verifier", VERIFIER),
        ];
        let (status, tokens) = post(&scene, "/oauth2/token", &form).await;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(claims(&tokens["id_token"])["aud"], id);
        assert_eq!(scene.userinfo(&tokens).await.0, 200);
        // PKCE is not optional for it, whatever else it may be.
        let without = [("client_id", id.as_str()), ("redirect_uri", &redirect_uri), ("code_challenge", ""), ("code_challenge_method", "")];
        let page = scene.browser.get(&authorize_path(Client { id: "", secret: None, redirect_uri: "" }, &without)).await;
        assert_eq!(answer(&page, "error").as_deref(), Some("invalid_request"));
    }
);

both!(
    /// OAUTH-140, OAUTH-142, OAUTH-143: what cannot be believed makes an unknown application.
    a_document_that_cannot_be_believed_makes_no_application,
    |kind| async move {
        let agent = Agent::start().await;
        let scene = agent.scene(kind, "").await;
        let minute = || scene.app.clock().advance(Duration::minutes(2));
        for bad in [
            json!({ "client_id": format!("{}/other.json", agent.server.url) }),
            json!({ "client_secret": "mine" }),
            json!({ "token_endpoint_auth_method": "client_secret_post" }),
            json!({ "redirect_uris": ["https://evil.example/cb"] }),
            json!({ "scope": "openid admin" }),
            json!({ "padding": "x".repeat(6_000) }),
        ] {
            agent.says(bad.clone());
            minute();
            let page = agent.come(&scene, &agent.id()).await;
            assert_eq!((page.status.as_u16(), page.location()), (400, ""), "{bad}");
        }
        agent.says(json!({}));
        agent.status.store(404, Ordering::SeqCst);
        minute();
        assert_eq!(agent.come(&scene, &agent.id()).await.status, 400);
        agent.status.store(200, Ordering::SeqCst);
        // Whatever is sent, nobody makes us ask more than once a minute.
        let calls = agent.calls();
        for _ in 0..5 {
            assert_eq!(agent.come(&scene, &agent.id()).await.status, 400);
        }
        assert_eq!(agent.calls(), calls);
        minute();
        assert_eq!(agent.come(&scene, &agent.id()).await.status, 200);
        // Hosts that are not named are not called at all.
        for elsewhere in [agent.id().replace("localhost", "127.0.0.1"), "https://evil.example/agent.json".to_owned()] {
            assert_eq!(agent.come(&scene, &elsewhere).await.status, 400, "{elsewhere}");
        }
        assert_eq!(agent.calls(), calls + 1);
    }
);

both!(
    /// OAUTH-142: a document counts for ten minutes, a day when its server is away, and is forgotten when nobody comes.
    documents_are_kept_within_bounds,
    |kind| async move {
        let agent = Agent::start().await;
        let scene = agent.scene(kind, "at_most = 2\n").await;
        let calls = agent.calls();
        for _ in 0..3 {
            assert_eq!(agent.come(&scene, &agent.id()).await.status, 200);
        }
        assert_eq!(agent.calls(), calls + 1);
        // A third one has no room.
        assert_eq!(agent.come(&scene, &format!("{}/third", agent.server.url)).await.status, 400);
        // What changed is seen after ten minutes.
        agent.says(json!({ "client_name": "New name" }));
        scene.app.clock().advance(Duration::minutes(9));
        assert!(!agent.come(&scene, &agent.id()).await.text.contains("New name"));
        scene.app.clock().advance(Duration::minutes(1));
        assert!(agent.come(&scene, &agent.id()).await.text.contains("New name"));
        agent.status.store(503, Ordering::SeqCst);
        scene.app.clock().advance(Duration::hours(7));
        let (_, browser) = signed_in(&scene.app, &scene.user).await;
        let scene = Scene { browser, ..scene };
        assert_eq!(agent.come(&scene, &agent.id()).await.status, 200);
        scene.app.clock().advance(Duration::hours(18));
        assert_eq!(agent.come(&scene, &agent.id()).await.status, 400, "a day without an answer");
        scene.app.clock().advance(Duration::days(30));
        purge(&scene.app.broker).await.unwrap();
        let mut tx = scene.app.broker.db.read().await.unwrap();
        assert_eq!(tx.applications().count_documents().await.unwrap(), 0);
    }
);

both!(
    /// OAUTH-066, OAUTH-068: with a key of its own such an application proves itself; it has no secret to do it with.
    an_application_of_a_document_proves_itself_by_its_key,
    |kind| async move {
        let (own, other) = (key(), key());
        let agent = Agent::start().await;
        let method = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [own.public_jwk()] } });
        agent.says(method);
        let scene = agent.scene(kind, "").await;
        let (id, redirect_uri, made) = (agent.id(), agent.redirect_uri(), challenge(VERIFIER));
        let push = async |key| {
            let assertion = assertion(key, scene.app.clock(), &id, &scene.app.url, &json!({}));
            let form = [
                ("client_assertion_type", ASSERTION),
                ("client_assertion", &assertion),
                ("response_type", "code"),
                ("redirect_uri", &redirect_uri),
                ("scope", "openid"),
                ("code_challenge", &made),
                ("code_challenge_method", "S256"),
            ];
            post(&scene, "/oauth2/par", &form).await
        };
        // The first that is heard of it is that it pushes a request.
        let (status, body) = push(&own).await;
        assert_eq!(status, 201, "{body}");
        assert_eq!(push(&other).await.0, 401);
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", &id).append_pair("request_uri", body["request_uri"].as_str().unwrap());
        let page = scene.browser.get(&format!("/oauth2/authorize?{}", query.finish())).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(answer(&agree(&scene, &page).await, "code").is_some());
    }
);
