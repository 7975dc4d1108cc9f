//! Token exchange (RFC 8693): who may speak for whom, towards whom.

use chrono::Duration;
use serde_json::{Value, json};
use yaopai::model::Status;

use super::{Client, OA, Scene, claims, redemption, signed_in};
use crate::both;
use crate::harness::prove::{Proof, key};
use crate::harness::{App, Kind, person, save};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const CONFIG: &str = r#"
[[application]]
id = "oa"
secret = { value = "a-secret-of-the-oa" }
redirect_uris = ["https://oa.example/cb"]
grant_types = ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange"]
scopes = ["openid", "profile", "offline_access", "expense:read", "expense:write"]

[[application]]
id = "expense"
auth_method = "client_secret_post"
secret = { value = "a-secret-of-expense" }
redirect_uris = ["https://expense.example/cb"]
grant_types = ["authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"]
scopes = ["openid", "expense:read", "expense:write"]
audience = ["https://expense.example/api"]

[[application]]
id = "ledger"
secret = { value = "a-secret-of-the-ledger" }
redirect_uris = ["https://ledger.example/cb"]
grant_types = ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"]
scopes = ["expense:read", "expense:write"]
audience = ["https://ledger.example/api"]

[[application]]
id = "archive"
secret = { value = "a-secret-of-the-archive" }
redirect_uris = ["https://archive.example/cb"]
grant_types = ["client_credentials"]
scopes = ["expense:read"]
audience = ["https://archive.example/api"]

[[application]]
id = "report"
secret = { value = "a-secret-of-the-report" }
grant_types = ["client_credentials"]
scopes = ["expense:read"]
audience = ["https://ledger.example/api"]

[[application]]
id = "guarded"
secret = { value = "a-secret-of-the-guarded" }
redirect_uris = ["https://guarded.example/cb"]
audience = ["expense"]
scopes = ["openid", "expense:read"]
grants = { may_act = "somebody-else" }

[[application]]
id = "spa"
auth_method = "none"
redirect_uris = ["https://spa.example/cb"]
grant_types = ["authorization_code"]
"#;
const EXPENSE: Client =
    Client { id: "expense", secret: Some("a-secret-of-expense"), redirect_uri: "https://expense.example/cb" };
const LEDGER: Client =
    Client { id: "ledger", secret: Some("a-secret-of-the-ledger"), redirect_uri: "https://ledger.example/cb" };
const REPORT: Client = Client { id: "report", secret: Some("a-secret-of-the-report"), redirect_uri: "" };
const GUARDED: Client =
    Client { id: "guarded", secret: Some("a-secret-of-the-guarded"), redirect_uri: "https://guarded.example/cb" };

async fn start(kind: Kind) -> Scene {
    let app = App::with_config(kind, CONFIG).await;
    let user = person(&app.broker, "wang.fang", &["employee"]).await;
    let (session, browser) = signed_in(&app, &user).await;
    Scene { app, user, session, browser }
}

/// Applications with their secrets.
const OWN: (&str, &str) = ("oa", "a-secret-of-the-oa");
const LEDGERS: (&str, &str) = ("ledger", "a-secret-of-the-ledger");

fn text(tokens: &Value) -> String {
    tokens["access_token"].as_str().unwrap().to_owned()
}

impl Scene {
    async fn own_token(&self, client: Client) -> String {
        let (status, body) = self.post(client, "/oauth2/token", &[("grant_type", "client_credentials")]).await;
        assert_eq!(status, 200, "{body}");
        text(&body)
    }

    /// An exchange; an empty value leaves a parameter out.
    async fn exchange(&self, client: Client, subject: &str, changes: &[(&str, &str)]) -> (u16, Value) {
        let mut form = vec![("grant_type", GRANT), ("subject_token", subject), ("subject_token_type", ACCESS)];
        for (name, value) in changes {
            form.retain(|(known, _)| known != name);
            form.push((name, value));
        }
        form.retain(|(_, value)| !value.is_empty());
        self.post(client, "/oauth2/token", &form).await
    }

    /// The expense system acts for the person at the ledger.
    async fn delegated(&self, subject: &str, more: &[(&str, &str)]) -> (u16, Value) {
        let actor = self.own_token(EXPENSE).await;
        let form = [("actor_token", actor.as_str()), ("actor_token_type", ACCESS), ("audience", "ledger")];
        self.exchange(EXPENSE, subject, &[&form[..], more].concat()).await
    }

    async fn is_active(&self, client: Client, token: &str) -> bool {
        let (status, body) = self.post(client, "/oauth2/introspect", &[("token", token)]).await;
        assert_eq!(status, 200);
        body["active"] == true
    }
}

both!(
    /// OAUTH-115, OAUTH-117, OAUTH-119, OAUTH-114
    a_service_acts_for_a_person_and_says_so,
    |kind| async move {
        let scene = start(kind).await;
        let tokens = scene.tokens(EXPENSE, "openid expense:read expense:write").await;
        scene.app.clock().advance(Duration::seconds(100));
        let (status, body) = scene.delegated(&text(&tokens), &[("scope", "expense:read")]).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!((&body["issued_token_type"], &body["token_type"]), (&ACCESS.into(), &"Bearer".into()));
        assert_eq!((&body["scope"], &body["expires_in"]), (&"expense:read".into(), &json!(500)), "not past the other's end");
        assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
        let derived = claims(&body["access_token"]);
        assert_eq!((&derived["sub"], &derived["client_id"]), (&scene.user.id.to_string().into(), &"expense".into()));
        assert_eq!((&derived["act"], &derived["aud"]), (&json!({ "sub": "app:expense" }), &"https://ledger.example/api".into()));
        let (_, about) = scene.post(LEDGER, "/oauth2/introspect", &[("token", &text(&body))]).await;
        assert_eq!((&about["active"], &about["act"]["sub"]), (&json!(true), &"app:expense".into()));

        // Handed on: the chain grows inwards, and policy sees the one who acts now.
        let (status, refused) = scene.exchange(LEDGER, &text(&body), &[("audience", "archive")]).await;
        assert_eq!((status, &refused["error"]), (400, &"invalid_target".into()));
        let denied = scene.audited("token_issue").await.into_iter().filter(|(outcome, _)| outcome == "denied");
        let denied: Vec<Value> = denied.map(|(_, details)| serde_json::from_str(&details).unwrap()).collect();
        assert_eq!(denied.len(), 1);
        assert_eq!((&denied[0]["actor"], &denied[0]["mode"]), (&"app:ledger".into(), &"delegation".into()));

        let mut tx = scene.app.broker.db.read().await.unwrap();
        let sql = "SELECT actor, subject, details FROM audit_log WHERE details LIKE '%token-exchange%' AND outcome = 'success'";
        let rows: Vec<(String, String, String)> = tx.all(sql, &[]).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].0.as_str(), rows[0].1.as_str()), ("app:expense", format!("user:{}", scene.user.id).as_str()));
        assert!(rows[0].2.contains("\"actor\":\"app:expense\"") && rows[0].2.contains("\"target\":\"ledger\""));
    }
);

both!(
    /// OAUTH-113, OAUTH-114, OAUTH-119, OAUTH-120, OAUTH-122
    nothing_is_exchanged_that_policy_does_not_permit,
    |kind| async move {
        let scene = start(kind).await;
        let oa = text(&scene.tokens(OA, "openid expense:read expense:write offline_access").await);
        let read = [("audience", "expense"), ("scope", "expense:read")];
        let (status, body) = scene.exchange(OA, &oa, &read).await;
        assert_eq!(status, 200, "{body}");
        let derived = claims(&body["access_token"]);
        assert!(derived.get("act").is_none(), "it speaks as the person");
        assert_eq!((&derived["aud"], &derived["sub"]), (&"https://expense.example/api".into(), &scene.user.id.to_string().into()));
        let (status, _) = scene.exchange(OA, &oa, &[("resource", "https://expense.example/api"), read[1]]).await;
        assert_eq!(status, 200);
        let target = |answer: (u16, Value)| assert_eq!((answer.0, &answer.1["error"]), (400, &"invalid_target".into()), "{}", answer.1);
        target(scene.exchange(OA, &oa, &[("audience", "expense"), ("scope", "expense:write")]).await);
        target(scene.exchange(OA, &oa, &[("audience", "expense")]).await);
        target(scene.exchange(OA, &oa, &[("audience", "ledger"), read[1]]).await);
        target(scene.exchange(OA, &oa, &[read[1]]).await);
        for resource in ["/api", "https://expense.example/api#x", "https://nobody.example/api", "https://expense.example/"] {
            target(scene.exchange(OA, &oa, &[("resource", resource), read[1]]).await);
        }
        target(scene.exchange(OA, &oa, &[("audience", "nobody"), read[1]]).await);
        for scope in ["expense:delete", "expense:read profile", "expense:read offline_access"] {
            let (status, body) = scene.exchange(OA, &oa, &[("audience", "expense"), ("scope", scope)]).await;
            assert_eq!((status, &body["error"]), (400, &"invalid_scope".into()), "{scope}");
        }
        let (status, body) = scene.exchange(Client { id: "spa", secret: None, redirect_uri: "" }, &oa, &read).await;
        assert_eq!((status, &body["error"]), (400, &"unauthorized_client".into()));
        let (status, body) = scene.exchange(REPORT, &oa, &read).await;
        assert_eq!((status, &body["error"]), (400, &"unauthorized_client".into()));

        // Nobody speaks as somebody who administers, whatever policy says of employees.
        let admin = person(&scene.app.broker, "chen.jie", &["employee", "it-admin"]).await;
        let (session, browser) = signed_in(&scene.app, &admin).await;
        let scene = Scene { user: admin, session, browser, app: scene.app };
        let oa = text(&scene.tokens(OA, "openid expense:read").await);
        target(scene.exchange(OA, &oa, &read).await);
        let tokens = scene.tokens(EXPENSE, "openid expense:read").await;
        assert_eq!(scene.delegated(&text(&tokens), &[]).await.0, 200, "acting for them is seen, and policy's to permit");
    }
);

both!(
    /// OAUTH-111, OAUTH-112, OAUTH-116, OAUTH-134
    only_good_tokens_that_came_to_the_right_place_count,
    |kind| async move {
        let scene = start(kind).await;
        let tokens = scene.tokens(EXPENSE, "openid expense:read").await;
        let (subject, actor) = (text(&tokens), scene.own_token(EXPENSE).await);
        let invalid = |answer: (u16, Value)| {
            assert_eq!((answer.0, &answer.1["error"]), (400, &"invalid_request".into()), "{}", answer.1);
        };
        let id_token = tokens["id_token"].as_str().unwrap();
        for changes in [
            vec![("subject_token", "")],
            vec![("subject_token_type", "")],
            vec![("subject_token", ""), ("subject_token_type", "")],
            vec![("actor_token_type", ACCESS)],
            vec![("actor_token", actor.as_str())],
            vec![("subject_token_type", "urn:ietf:params:oauth:token-type:id_token")],
            vec![("subject_token_type", "urn:ietf:params:oauth:token-type:saml2")],
            vec![("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")],
            vec![("subject_token", id_token)],
            vec![("subject_token", "nonsense")],
            vec![("subject_token", tokens["refresh_token"].as_str().unwrap())],
            vec![("actor_token", id_token), ("actor_token_type", ACCESS)],
        ] {
            invalid(scene.exchange(EXPENSE, &subject, &[&[("audience", "ledger")], &changes[..]].concat()).await);
        }
        // A token that was given to another application, and one that names who may act.
        let oa = text(&scene.tokens(OA, "openid expense:read").await);
        invalid(scene.delegated(&oa, &[]).await);
        let guarded = text(&scene.tokens(GUARDED, "openid expense:read").await);
        assert_eq!(claims(&Value::String(guarded.clone()))["may_act"], json!({ "sub": "app:somebody-else" }));
        invalid(scene.delegated(&guarded, &[]).await);
        invalid(scene.exchange(EXPENSE, &guarded, &[("audience", "ledger")]).await);

        assert_eq!(scene.delegated(&subject, &[]).await.0, 200);
        let mut user = scene.user.clone();
        user.status = Status::Disabled;
        save(&scene.app.broker, &user).await;
        tokio::time::sleep(yaopai::oidc::STALENESS + std::time::Duration::from_millis(100)).await;
        invalid(scene.delegated(&subject, &[]).await);
        user.status = Status::Active;
        save(&scene.app.broker, &user).await;
        tokio::time::sleep(yaopai::oidc::STALENESS + std::time::Duration::from_millis(100)).await;
        scene.app.clock().advance(Duration::seconds(601));
        invalid(scene.delegated(&subject, &[]).await);
    }
);

both!(
    /// OAUTH-118, OAUTH-131
    what_was_exchanged_dies_with_what_it_came_from,
    |kind| async move {
        let scene = start(kind).await;
        let tokens = scene.tokens(EXPENSE, "openid expense:read").await;
        let (_, derived) = scene.delegated(&text(&tokens), &[]).await;
        let derived = text(&derived);
        assert!(scene.is_active(LEDGER, &derived).await);
        // The subject's own token is given back.
        assert_eq!(scene.post(EXPENSE, "/oauth2/revoke", &[("token", &text(&tokens))]).await.0, 200);
        assert!(!scene.is_active(LEDGER, &derived).await);

        // Its refresh token, and so the whole grant, is given back.
        let tokens = scene.tokens(EXPENSE, "openid expense:read").await;
        let (_, derived) = scene.delegated(&text(&tokens), &[]).await;
        let derived = text(&derived);
        assert!(scene.is_active(LEDGER, &derived).await);
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(scene.post(EXPENSE, "/oauth2/revoke", &[("token", refresh)]).await.0, 200);
        assert!(!scene.is_active(LEDGER, &derived).await);

        // A service's token, handed on: it dies with the service, and with the token in between.
        let own = scene.own_token(REPORT).await;
        let (status, body) = scene.exchange(LEDGER, &own, &[("audience", "archive"), ("scope", "expense:read")]).await;
        assert_eq!(status, 200, "{body}");
        let handed = claims(&body["access_token"]);
        assert_eq!((&handed["sub"], &handed["client_id"]), (&"app:report".into(), &"ledger".into()));
        let archive = Client { id: "archive", secret: Some("a-secret-of-the-archive"), redirect_uri: "" };
        assert!(scene.is_active(archive, &text(&body)).await);
        let mut tx = scene.app.broker.db.write().await.unwrap();
        let mut report = tx.applications().find("report").await.unwrap().unwrap();
        report.enabled = false;
        tx.applications().update(&report).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!scene.is_active(archive, &text(&body)).await);
    }
);

both!(
    /// OAUTH-075, OAUTH-114: what a token is bound to is proved where it is exchanged.
    a_bound_token_is_exchanged_by_who_holds_its_key,
    |kind| async move {
        let scene = start(kind).await;
        let (own, other, clock) = (key(), key(), scene.app.clock().clone());
        let url = scene.app.at("/oauth2/token");
        let post = async |(id, secret): (&str, &str), form: &[(&str, &str)], key: Option<&yaopai::crypto::SigningKey>| {
            let mut request = scene.app.browser().post(&url).basic_auth(id, Some(secret)).form(form);
            if let Some(key) = key {
                request = request.header("DPoP", Proof::new(key, "POST", &url).sign(&clock));
            }
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        };
        let code = scene.code(OA, &[("scope", "openid expense:read expense:write")]).await;
        let (status, tokens) = post(OWN, &redemption(OA, &code), Some(&own)).await;
        assert_eq!((status, &tokens["token_type"]), (200, &"DPoP".into()), "{tokens}");
        let bound = text(&tokens);
        let form = [
            ("grant_type", GRANT),
            ("subject_token", bound.as_str()),
            ("subject_token_type", ACCESS),
            ("audience", "expense"),
            ("scope", "expense:read"),
        ];
        for (what, key) in [("no proof", None), ("another key", Some(&other))] {
            let (status, body) = post(OWN, &form, key).await;
            assert_eq!((status, &body["error"]), (400, &"invalid_request".into()), "{what}: {body}");
            assert!(body["error_description"].as_str().unwrap().contains("bound"), "{what}: {body}");
        }
        let (status, body) = post(OWN, &form, Some(&own)).await;
        assert_eq!((status, &body["token_type"]), (200, &"DPoP".into()), "{body}");
        assert_eq!(claims(&body["access_token"])["cnf"]["jkt"], own.kid());
        // An actor's token is no weaker; a token that is bound to nothing needs nothing.
        let form = [&form[..], &[("actor_token", bound.as_str()), ("actor_token_type", ACCESS)]].concat();
        assert_eq!(post(OWN, &form, None).await.1["error"], "invalid_request");
        let plain = text(&scene.tokens(OA, "openid expense:read").await);
        assert_eq!(scene.exchange(OA, &plain, &[("audience", "expense"), ("scope", "expense:read")]).await.0, 200);
        // A service that checks proofs itself may pass on what others sent, but not its own token without its key.
        let service = [("grant_type", "client_credentials")];
        let (_, sent) = post(("report", "a-secret-of-the-report"), &service, Some(&own)).await;
        let (_, kept) = post(LEDGERS, &service, Some(&own)).await;
        let (sent, kept) = (text(&sent), text(&kept));
        let judged = async |token: &str| {
            let form = [("grant_type", GRANT), ("subject_token", token), ("subject_token_type", ACCESS)];
            post(LEDGERS, &form, None).await.1["error"].as_str().unwrap_or("none").to_owned()
        };
        assert_eq!((judged(&sent).await, judged(&kept).await), ("invalid_request".into(), "invalid_request".into()));
        let mut tx = scene.app.broker.db.write().await.unwrap();
        let mut ledger = tx.applications().find("ledger").await.unwrap().unwrap();
        ledger.settings.grants.exchanges_bound_tokens = true;
        tx.applications().update(&ledger).await.unwrap();
        tx.commit().await.unwrap();
        // What it may do with it is for policy, which is asked only now.
        assert_eq!((judged(&sent).await, judged(&kept).await), ("invalid_target".into(), "invalid_request".into()));
    }
);
