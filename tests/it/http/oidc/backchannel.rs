//! Back-channel logout: who is told, what, how often, and what becomes of those who do not listen.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use yaopai::broker::Broker;
use yaopai::login;
use yaopai::model::{ApplicationSettings, AuthMethod, EndReason, GrantType, LogoutSettings, Session, SessionId};
use yaopai::net::Outgoing;
use yaopai::oidc::{self, Applications, KeyRing, NewApplication};
use yaopai::store::invalidations;

use super::{Client, OA, Scene, answer, authorize_path, claims, signed_in};
use crate::both;
use crate::harness::{App, Browser, Kind, person};

/// An application's logout address on loopback: what it got, and what it answers.
#[derive(Clone, Default)]
struct Ear {
    heard: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Ear {
    async fn open(&self) -> String {
        async fn hear(State(ear): State<Ear>, headers: HeaderMap, body: String) -> StatusCode {
            let status = ear.answers.lock().unwrap().pop_front().unwrap_or(200);
            ear.heard.lock().unwrap().push((headers, body));
            StatusCode::from_u16(status).unwrap()
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/logout", listener.local_addr().unwrap());
        let router = Router::new().route("/logout", axum::routing::post(hear)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// The logout tokens heard once there are `count`.
    async fn tokens(&self, count: usize) -> Vec<Value> {
        let begun = Instant::now();
        while self.count() < count {
            assert!(begun.elapsed() < Duration::from_secs(20), "heard {} of {count}", self.count());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|(_, body)| Value::from(body.strip_prefix("logout_token=").unwrap())).collect()
    }
}

/// A broker whose `oa` and `ledger` are told at these addresses, and which delivers.
async fn scene(kind: Kind, oa: &str, ledger: &str) -> (Scene, CancellationToken) {
    let told = |id: &str, uri: &str| {
        format!(
            "[[application]]\nid = \"{id}\"\nsecret = {{ value = \"a-secret-of-the-oa\" }}\n\
             redirect_uris = [\"https://{id}.example/cb\"]\npost_logout_redirect_uris = [\"https://{id}.example/bye\"]\n\
             logout = {{ backchannel_logout_uri = \"{uri}\", backchannel_logout_session_required = true }}\n"
        )
    };
    let config = format!(
        "[outgoing]\nallowed_networks = [\"127.0.0.0/8\"]\n{}{}[[application]]\nid = \"silent\"\n\
         secret = {{ value = \"a-secret-of-the-oa\" }}\nredirect_uris = [\"https://silent.example/cb\"]\n",
        told("oa", oa),
        told("ledger", ledger)
    );
    let app = App::with_config(kind, &config).await;
    let user = person(&app.broker, "wang.fang", &["employee"]).await;
    let (session, browser) = signed_in(&app, &user).await;
    let stop = deliver(&app).await;
    (Scene { app, user, session, browser }, stop)
}

/// A node that delivers until it is stopped.
pub(super) async fn deliver(app: &App) -> CancellationToken {
    let stop = CancellationToken::new();
    let keys = KeyRing::open(&app.broker).await.unwrap();
    let broker = Broker { net: Outgoing::new(app.broker.config.clone()), ..app.broker.clone() };
    tokio::spawn(oidc::tell_applications(broker, keys, Applications::default(), stop.clone()));
    stop
}

const LEDGER: Client =
    Client { id: "ledger", secret: Some("a-secret-of-the-oa"), redirect_uri: "https://ledger.example/cb" };

/// Another browser of the person.
struct Own {
    session: Session,
    browser: Browser,
}

/// Another session of the person, which reached `oa`.
async fn reaching(scene: &Scene) -> Own {
    let (session, browser) = signed_in(&scene.app, &scene.user).await;
    let page = browser.get(&authorize_path(OA, &[])).await;
    let code = answer(&page, "code").unwrap_or_else(|| panic!("{}", page.text));
    assert_eq!(scene.redeem(OA, &code).await.0, 200);
    Own { session, browser }
}

async fn waiting(scene: &Scene) -> i64 {
    let mut tx = scene.app.broker.db.read().await.unwrap();
    let (count,): (i64,) = tx.one("SELECT COUNT(*) FROM logout_deliveries", &[]).await.unwrap();
    count
}

/// Waits until nothing is on its way.
async fn all_told(scene: &Scene) {
    let begun = Instant::now();
    while waiting(scene).await > 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} wait", waiting(scene).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

both!(
    /// OIDC-088: one form field, the right claims, never a nonce, a signature that holds.
    an_application_is_sent_a_logout_token,
    |kind| async move {
        let ear = Ear::default();
        let (scene, _stop) = scene(kind, &ear.open().await, "http://127.0.0.1:9/").await;
        let tokens = scene.tokens(OA, "openid").await;
        let id = claims(&tokens["id_token"]);
        let hint = tokens["id_token"].as_str().unwrap();
        let page = scene.browser.get(&format!("/oauth2/logout?id_token_hint={hint}")).await;
        assert_eq!(page.status, 200);
        let heard = ear.tokens(1).await;
        let (headers, body) = ear.heard.lock().unwrap()[0].clone();
        assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        assert_eq!(fields.len(), 1);
        let token = claims(&heard[0]);
        let now = scene.app.clock().now().timestamp();
        assert_eq!(
            (&token["iss"], &token["aud"], &token["sub"], &token["sid"], &token["iat"]),
            (&json!(scene.app.url), &json!("oa"), &id["sub"], &id["sid"], &json!(now))
        );
        assert_eq!(token["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
        assert!(token.get("nonce").is_none() && !token["jti"].as_str().unwrap().is_empty());
        assert_eq!(token["exp"], json!(now + 120));
        let header = jsonwebtoken::decode_header(&fields[0].1).unwrap();
        assert_eq!(header.typ.as_deref(), Some("logout+jwt"));
        let jwks = scene.app.browser().get(scene.app.at("/oauth2/jwks")).send().await.unwrap();
        let jwks: jsonwebtoken::jwk::JwkSet = jwks.json().await.unwrap();
        let key = jsonwebtoken::DecodingKey::from_jwk(jwks.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut rules = jsonwebtoken::Validation::new(header.alg);
        rules.set_audience(&["oa"]);
        rules.validate_exp = false;
        jsonwebtoken::decode::<Value>(&fields[0].1, &key, &rules).unwrap();
        all_told(&scene).await;
        let audited = scene.audited("logout_delivery").await;
        assert_eq!(audited.len(), 1);
        assert!(audited[0].0 == "success" && audited[0].1.contains("signed_out"), "{audited:?}");
    }
);

both!(
    /// OIDC-090, WEB-007: whatever ends a session, its applications are told, and nobody else.
    every_kind_of_end_is_told,
    |kind| async move {
        let ear = Ear::default();
        let (scene, _stop) = scene(kind, &ear.open().await, "http://127.0.0.1:9/").await;
        let broker = scene.app.broker.clone();
        let mut expected: Vec<(SessionId, &str)> = Vec::new();
        let trace = ("203.0.113.7", "r");

        // Signed out at the portal.
        let own = reaching(&scene).await;
        let form = own.browser.get("/logout").await.form("/logout");
        own.browser.post(&form).await;
        expected.push((own.session.id, "signed_out"));
        // Ended from the list of another browser, and with all others.
        let other = reaching(&scene).await;
        let here = reaching(&scene).await;
        let mine = login::CurrentSession::Person(here.session.clone(), Box::new(scene.user.clone()));
        assert!(login::end_session(&broker, &mine, other.session.id, trace).await.unwrap());
        expected.push((other.session.id, "revoked"));
        let another = reaching(&scene).await;
        login::end_others(&broker, &mine, trace).await.unwrap();
        expected.push((another.session.id, "revoked"));
        // Signed out everywhere.
        login::sign_out_everywhere(&broker, &mine, trace).await.unwrap();
        expected.push((here.session.id, "signed_out"));
        // Replaced by somebody else's sign-in at the same browser.
        let replaced = reaching(&scene).await;
        person(&broker, "li.na", &["employee"]).await;
        let other = Browser::new(&scene.app.url);
        let form = other.get("/login").await.form("/login");
        let form = form.with("login", "li.na").with("password", crate::harness::PASSWORD);
        other.plant("yaopai", &replaced.browser.cookie("yaopai").unwrap());
        assert_eq!(other.post(&form).await.status, 303);
        expected.push((replaced.session.id, "replaced"));
        // Ended by an administrator.
        let ended = reaching(&scene).await;
        let mut tx = broker.db.write().await.unwrap();
        assert!(tx.sessions().end(ended.session.id, EndReason::Revoked, broker.clock.now()).await.unwrap());
        tx.commit().await.unwrap();
        expected.push((ended.session.id, "revoked"));
        // Run out.
        let idle = reaching(&scene).await;
        scene.app.clock().advance(TimeDelta::hours(2) + TimeDelta::seconds(1));
        assert!(login::end_expired(&broker).await.unwrap() >= 1);
        expected.push((idle.session.id, "expired"));
        // Disabled by a sync: this is what its transaction calls.
        let disabled = reaching(&scene).await;
        let before = invalidations();
        let mut tx = broker.db.write().await.unwrap();
        tx.revoke_people(&[scene.user.id], EndReason::Disabled, broker.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert!(invalidations() > before);
        expected.push((disabled.session.id, "disabled"));

        let tokens = ear.tokens(expected.len()).await;
        all_told(&scene).await;
        let mut told: Vec<String> =
            tokens.iter().map(|token| claims(token)["sid"].as_str().unwrap().to_owned()).collect();
        let mut sids: Vec<String> = expected.iter().map(|(id, _)| id.to_string()).collect();
        told.sort();
        sids.sort();
        assert_eq!(told, sids);
        let audited = scene.audited("logout_delivery").await;
        for (id, reason) in expected {
            let of_it: Vec<_> = audited.iter().filter(|(_, details)| details.contains(&id.to_string())).collect();
            assert!(of_it.len() == 1 && of_it[0].1.contains(reason), "{reason}: {of_it:?}");
        }
    }
);

both!(
    /// OIDC-089: a dead application delays nobody; it is tried again, ever later, and given up after a day.
    a_dead_application_delays_nobody_and_is_given_up,
    |kind| async move {
        let ear = Ear::default();
        // Port 9 of loopback: nobody listens.
        let (scene, _stop) = scene(kind, &ear.open().await, "http://127.0.0.1:9/").await;
        scene.tokens(OA, "openid").await;
        let dead = scene.tokens(LEDGER, "openid").await;
        let begun = Instant::now();
        let hint = dead["id_token"].as_str().unwrap();
        assert_eq!(scene.browser.get(&format!("/oauth2/logout?id_token_hint={hint}")).await.status, 200);
        ear.tokens(1).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        for (attempts, wait) in [(1, 5), (2, 15), (3, 60), (4, 300), (5, 900), (6, 3_600), (7, 3_600)] {
            let begun = Instant::now();
            loop {
                let mut tx = scene.app.broker.db.read().await.unwrap();
                let sql = "SELECT attempts, due_at FROM logout_deliveries WHERE last_error IS NOT NULL";
                let row: Option<(i64, yaopai::time::Instant)> = tx.optional(sql, &[]).await.unwrap();
                drop(tx);
                let seen = row.map(|(tried, due)| (tried, (due - scene.app.clock().now()).num_seconds()));
                if seen == Some((attempts, wait)) {
                    break;
                }
                assert!(begun.elapsed() < Duration::from_secs(20), "{seen:?} instead of {attempts}, {wait}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            scene.app.clock().advance(TimeDelta::seconds(wait));
        }
        let backlog = scene.app.broker.db.read().await.unwrap().logout_deliveries().backlog().await.unwrap();
        assert!(backlog.len() == 1 && backlog[0].application_id == "ledger", "{backlog:?}");
        scene.app.clock().advance(oidc::GIVE_UP);
        all_told(&scene).await;
        let of_it: Vec<_> =
            scene.audited("logout_delivery").await.into_iter().filter(|(outcome, _)| outcome == "failure").collect();
        assert_eq!(of_it.len(), 2, "the first failure and the end: {of_it:?}");
        assert!(of_it[0].1.contains("false") && of_it[1].1.contains("true"), "{of_it:?}");
        assert_eq!(ear.count(), 1);
    }
);

both!(
    /// An error answer is tried again, and a yes ends it.
    an_error_is_tried_again,
    |kind| async move {
        let ear = Ear::default();
        ear.answers.lock().unwrap().extend([500, 400, 302, 204]);
        let (scene, _stop) = scene(kind, &ear.open().await, "http://127.0.0.1:9/").await;
        let own = reaching(&scene).await;
        let form = own.browser.get("/logout").await.form("/logout");
        own.browser.post(&form).await;
        for round in 1..=4 {
            let tokens = ear.tokens(round).await;
            assert_eq!(claims(&tokens[round - 1])["sid"], json!(own.session.id));
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(ear.count(), round, "not before its time");
            scene.app.clock().advance(TimeDelta::minutes(2));
        }
        all_told(&scene).await;
    }
);

both!(
    /// The queue is part of the transaction that ends the session; two nodes share it; what a killed node took comes back.
    nothing_is_lost_and_nothing_told_twice,
    |kind| async move {
        let ear = Ear::default();
        let (scene, stop) = scene(kind, &ear.open().await, "http://127.0.0.1:9/").await;
        stop.cancel();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let broker = scene.app.broker.clone();
        let own = reaching(&scene).await;
        let mut tx = broker.db.write().await.unwrap();
        tx.sessions().end(own.session.id, EndReason::Revoked, broker.clock.now()).await.unwrap();
        drop(tx);
        assert_eq!(waiting(&scene).await, 0, "rolled back with the end of the session");
        for _ in 0..12 {
            reaching(&scene).await;
        }
        let mut tx = broker.db.write().await.unwrap();
        tx.revoke_people(&[scene.user.id], EndReason::Disabled, broker.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(waiting(&scene).await, 13);
        // A node takes some and dies.
        let now = broker.clock.now();
        let mut tx = broker.db.write().await.unwrap();
        let taken = tx.logout_deliveries().take("oa", now, now + TimeDelta::seconds(30), 4).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(taken.len(), 4);
        let (_one, _two) = (deliver(&scene.app).await, deliver(&scene.app).await);
        ear.tokens(9).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!((ear.count(), waiting(&scene).await), (9, 4), "taken ones are left alone");
        scene.app.clock().advance(TimeDelta::seconds(31));
        let tokens = ear.tokens(13).await;
        all_told(&scene).await;
        let mut sids: Vec<String> = tokens.iter().map(|token| claims(token)["sid"].to_string()).collect();
        sids.sort();
        sids.dedup();
        assert_eq!(sids.len(), 13, "each once");
    }
);

both!(
    /// An application that is removed is told of the sessions that reached it, without a `sub` that nobody can know any more.
    a_removed_application_is_told,
    |kind| async move {
        let ear = Ear::default();
        let (scene, _stop) = scene(kind, "http://127.0.0.1:9/", "http://127.0.0.1:9/").await;
        let settings = ApplicationSettings {
            redirect_uris: vec!["https://late.example/cb".to_owned()],
            grant_types: vec![GrantType::AuthorizationCode],
            scopes: vec!["openid".to_owned()],
            require_pkce: true,
            logout: LogoutSettings { backchannel_logout_uri: Some(ear.open().await), ..LogoutSettings::default() },
            ..ApplicationSettings::default()
        };
        let new = NewApplication {
            id: "late".to_owned(),
            name: "late".to_owned(),
            auth_method: AuthMethod::ClientSecretBasic,
            settings,
        };
        oidc::add_application(&scene.app.broker, new).await.unwrap();
        let late = Client { id: "late", secret: None, redirect_uri: "https://late.example/cb" };
        let page = scene.authorize(late, &[]).await;
        assert!(answer(&page, "code").is_some(), "{}", page.text);
        oidc::remove_application(&scene.app.broker, "late").await.unwrap();
        let token = claims(&ear.tokens(1).await[0]);
        assert_eq!((&token["sid"], &token["aud"]), (&json!(scene.session.id), &json!("late")));
        assert!(token.get("sub").is_none());
    }
);
