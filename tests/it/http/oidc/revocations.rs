//! The change feed and the status lists: what those hear who check tokens by themselves.

use std::io::Read as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use yaopai::model::EndReason;
use yaopai::oidc::purge;

use super::{Client, OA, Scene, claims, signed_in};
use crate::both;
use crate::harness::prove::{Proof, key};
use crate::harness::{App, Kind, person};

const CONFIG: &str = r#"
[[application]]
id = "oa"
secret = { value = "a-secret-of-the-oa" }
redirect_uris = ["https://oa.example/cb"]
scopes = ["openid", "offline_access"]
logout = { status_list = true }

[[application]]
id = "batch"
secret = { value = "a-secret-of-batch" }
grant_types = ["client_credentials"]
scopes = ["expense:read"]
logout = { status_list = true }

[[application]]
id = "plain"
secret = { value = "a-secret-of-plain" }
grant_types = ["client_credentials"]
scopes = ["expense:read"]

[[application]]
id = "validator"
secret = { value = "a-secret-of-validator" }
grant_types = ["client_credentials"]
scopes = ["revocations:read", "expense:read"]

[[application]]
id = "guard"
secret = { value = "a-secret-of-the-guard" }
grant_types = ["client_credentials"]
scopes = ["revocations:read"]
proof = { dpop_bound_access_tokens = true }
"#;

const BATCH: Client = Client { id: "batch", secret: Some("a-secret-of-batch"), redirect_uri: "" };
const PLAIN: Client = Client { id: "plain", secret: Some("a-secret-of-plain"), redirect_uri: "" };
const VALIDATOR: Client = Client { id: "validator", secret: Some("a-secret-of-validator"), redirect_uri: "" };

async fn scene(kind: Kind) -> Scene {
    let app = App::with_config(kind, CONFIG).await;
    let user = person(&app.broker, "wang.fang", &["employee"]).await;
    let (session, browser) = signed_in(&app, &user).await;
    Scene { app, user, session, browser }
}

/// A token of a service in its own name.
async fn own_token(scene: &Scene, client: Client, scope: &str) -> Value {
    let form = [("grant_type", "client_credentials"), ("scope", scope)];
    let (status, body) = scene.post(client, "/oauth2/token", &form).await;
    assert_eq!(status, 200, "{body}");
    body["access_token"].clone()
}

/// Address and place of a token's status.
fn place(token: &Value) -> (String, usize) {
    let status = &claims(token)["status"]["status_list"];
    let place = usize::try_from(status["idx"].as_u64().unwrap()).unwrap();
    (status["uri"].as_str().unwrap().to_owned(), place)
}

/// The claims of the list at `uri`, with its headers checked.
async fn list(scene: &Scene, uri: &str) -> Value {
    let answer = scene.app.browser().get(uri).header("accept", "application/statuslist+jwt").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/statuslist+jwt");
    let token = Value::from(answer.text().await.unwrap());
    let header = jsonwebtoken::decode_header(token.as_str().unwrap()).unwrap();
    assert_eq!(header.typ.as_deref(), Some("statuslist+jwt"));
    claims(&token)
}

async fn is_revoked(scene: &Scene, token: &Value) -> bool {
    let (uri, place) = place(token);
    let list = list(scene, &uri).await;
    assert_eq!((&list["sub"], &list["status_list"]["bits"]), (&json!(uri), &json!(1)));
    let bytes = URL_SAFE_NO_PAD.decode(list["status_list"]["lst"].as_str().unwrap()).unwrap();
    let mut bits = Vec::new();
    flate2::read::ZlibDecoder::new(bytes.as_slice()).read_to_end(&mut bits).unwrap();
    bits[place / 8] >> (place % 8) & 1 == 1
}

both!(
    /// Every kind of revocation shows on the list, at once on the node that does it.
    a_list_shows_what_was_revoked,
    |kind| async move {
        let scene = scene(kind).await;
        let person = scene.tokens(OA, "openid").await["access_token"].clone();
        let again = scene.tokens(OA, "openid").await["access_token"].clone();
        let service = own_token(&scene, BATCH, "expense:read").await;
        let other = own_token(&scene, BATCH, "expense:read").await;
        let all = [&person, &again, &service, &other];
        for token in all {
            assert!(!is_revoked(&scene, token).await);
        }
        let places: std::collections::BTreeSet<_> = all.map(place).into_iter().collect();
        assert_eq!(places.len(), 4, "each token has its own place");
        // A single token, by its application.
        let form = [("token", service.as_str().unwrap())];
        assert_eq!(scene.post(BATCH, "/oauth2/revoke", &form).await.0, 200);
        assert!(is_revoked(&scene, &service).await && !is_revoked(&scene, &other).await);
        // The session with its grants.
        let mut tx = scene.app.broker.db.write().await.unwrap();
        tx.sessions().end(scene.session.id, EndReason::Revoked, scene.app.clock().now()).await.unwrap();
        tx.commit().await.unwrap();
        assert!(is_revoked(&scene, &person).await && is_revoked(&scene, &again).await);
        // The application.
        let mut tx = scene.app.broker.db.write().await.unwrap();
        let mut app = tx.applications().find("batch").await.unwrap().unwrap();
        app.enabled = false;
        tx.applications().update(&app).await.unwrap();
        tx.commit().await.unwrap();
        assert!(is_revoked(&scene, &other).await);
        // Who is not switched to it names no place, and an unknown list is not there.
        assert!(claims(&own_token(&scene, PLAIN, "expense:read").await).get("status").is_none());
        let gone = scene.app.browser().get(scene.app.at("/oauth2/status/nothing")).send().await.unwrap();
        assert_eq!(gone.status(), 404);
        let lists = scene.app.browser().get(scene.app.at("/oauth2/status")).send().await.unwrap();
        let lists: Value = lists.json().await.unwrap();
        assert_eq!(lists["status_lists"], json!([place(&person).0]));
    }
);

const SUM: &str = "SELECT (SELECT COUNT(*) FROM status_entries) + (SELECT COUNT(*) FROM status_lists) \
                   + (SELECT COUNT(*) FROM revocations)";

both!(
    /// The tables hold what lives, and no more.
    lists_and_revocations_are_cleared_away,
    |kind| async move {
        let scene = scene(kind).await;
        let token = own_token(&scene, BATCH, "expense:read").await;
        scene.post(BATCH, "/oauth2/revoke", &[("token", token.as_str().unwrap())]).await;
        let count = async |sql: &'static str| {
            let (count,): (i64,) = scene.app.broker.db.read().await.unwrap().one(sql, &[]).await.unwrap();
            count
        };
        assert_eq!(count(SUM).await, 3);
        purge(&scene.app.broker).await.unwrap();
        assert_eq!(count(SUM).await, 3, "what may still matter stays");
        scene.app.clock().advance(TimeDelta::days(3));
        purge(&scene.app.broker).await.unwrap();
        assert_eq!(count(SUM).await, 0);
    }
);

/// A follower of the feed, line by line.
struct Following {
    answer: reqwest::Response,
    text: String,
}

impl Following {
    async fn start(scene: &Scene, token: &Value, last: Option<&str>) -> Self {
        let mut request = scene.app.browser().get(scene.app.at("/oauth2/revocations"));
        request = request.bearer_auth(token.as_str().unwrap());
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { answer, text: String::new() }
    }

    /// The next event: its id, and the claims of its token.
    async fn next(&mut self) -> (String, Value) {
        let waiting = async {
            loop {
                if let Some((block, rest)) = self.text.split_once("\n\n") {
                    let (block, rest) = (block.to_owned(), rest.to_owned());
                    self.text = rest;
                    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                    if let (Some(id), Some(data)) = (field("id: "), field("data: ")) {
                        assert_eq!(field("event: ").as_deref(), Some("revoked"));
                        let header = jsonwebtoken::decode_header(&data).unwrap();
                        assert_eq!(header.typ.as_deref(), Some("secevent+jwt"));
                        return (id, claims(&Value::from(data)));
                    }
                    continue;
                }
                let chunk = self.answer.chunk().await.unwrap().unwrap();
                self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap()
    }
}

/// What an event says.
fn revoked(event: &Value) -> &Value {
    &event["events"]["urn:yaopai:event:revoked"]
}

both!(
    /// The feed tells every revocation within a second, in order, and goes on where a follower left.
    a_follower_hears_of_revocations,
    |kind| async move {
        let scene = scene(kind).await;
        let tokens = scene.tokens(OA, "openid").await;
        let service = own_token(&scene, PLAIN, "expense:read").await;
        let own = own_token(&scene, VALIDATOR, "revocations:read").await;
        let mut following = Following::start(&scene, &own, None).await;
        let since = Instant::now();
        assert_eq!(scene.post(PLAIN, "/oauth2/revoke", &[("token", service.as_str().unwrap())]).await.0, 200);
        let (first, event) = following.next().await;
        println!("a single token: {:?} from revocation to event", since.elapsed());
        assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
        assert_eq!(revoked(&event)["tokens"], json!([claims(&service)["jti"]]));
        assert_eq!((&event["iss"], &event["aud"]), (&json!(scene.app.url), &json!("validator")));
        let since = Instant::now();
        let mut tx = scene.app.broker.db.write().await.unwrap();
        tx.revoke_people(&[scene.user.id], EndReason::Disabled, scene.app.clock().now()).await.unwrap();
        tx.commit().await.unwrap();
        let (second, event) = following.next().await;
        assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
        assert_eq!(revoked(&event)["grants"], json!([claims(&tokens["access_token"])["grant"]]));
        assert!(first.parse::<i64>().unwrap() < second.parse::<i64>().unwrap());
        drop(following);
        // Whoever comes back goes on after the last; whoever comes anew hears all that may matter.
        let mut tx = scene.app.broker.db.write().await.unwrap();
        tx.applications().revoke_grants("oa", scene.app.clock().now()).await.unwrap();
        tx.commit().await.unwrap();
        let (third, event) = Following::start(&scene, &own, Some(&second)).await.next().await;
        assert_eq!(revoked(&event)["applications"][0]["client_id"], "oa");
        let (last, event) = Following::start(&scene, &own, None).await.next().await;
        assert_eq!(last, third);
        let of_all = revoked(&event);
        let counts = ["tokens", "grants", "applications"].map(|name| of_all[name].as_array().unwrap().len());
        assert_eq!(counts, [1, 1, 1]);
    }
);

both!(
    /// Only a service's own token with the scope opens the feed, and its end closes it.
    the_feed_is_for_those_who_may_read_it,
    |kind| async move {
        let scene = scene(kind).await;
        let ask = async |token: Option<&Value>| {
            let mut request = scene.app.browser().get(scene.app.at("/oauth2/revocations"));
            if let Some(token) = token {
                request = request.bearer_auth(token.as_str().unwrap());
            }
            let answer = request.send().await.unwrap();
            let challenge = answer.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
            (answer.status().as_u16(), challenge.unwrap_or_default())
        };
        assert_eq!(ask(None).await.0, 401);
        assert_eq!(ask(Some(&json!("a.b.c"))).await.0, 401);
        for token in [own_token(&scene, VALIDATOR, "expense:read").await, scene.tokens(OA, "openid").await["access_token"].clone()] {
            let (status, challenge) = ask(Some(&token)).await;
            assert!(status == 403 && challenge.contains("insufficient_scope"), "{status} {challenge}");
        }
        let own = own_token(&scene, VALIDATOR, "revocations:read").await;
        let mut following = Following::start(&scene, &own, None).await;
        scene.post(VALIDATOR, "/oauth2/revoke", &[("token", own.as_str().unwrap())]).await;
        following.next().await;
        let ended = async {
            while following.answer.chunk().await.unwrap().is_some() {}
        };
        tokio::time::timeout(Duration::from_secs(10), ended).await.unwrap();
    }
);

both!(
    /// OAUTH-077, OAUTH-085: a bound token opens the feed for who proves its key, and for nobody else.
    a_bound_token_opens_the_feed_with_its_proof,
    |kind| async move {
        let scene = scene(kind).await;
        let (own, other, clock) = (key(), key(), scene.app.clock().clone());
        let (token_url, feed_url) = (scene.app.at("/oauth2/token"), scene.app.at("/oauth2/revocations"));
        let proof = Proof::new(&own, "POST", &token_url).sign(&clock);
        let form = [("grant_type", "client_credentials"), ("scope", "revocations:read")];
        let post = scene.app.browser().post(&token_url).basic_auth("guard", Some("a-secret-of-the-guard")).form(&form);
        let given: Value = post.header("DPoP", proof).send().await.unwrap().json().await.unwrap();
        let token = given["access_token"].as_str().unwrap().to_owned();
        let ask = async |scheme: &str, proof: Option<&str>| {
            let get = scene.app.browser().get(&feed_url).header("authorization", format!("{scheme} {token}"));
            let get = proof.into_iter().fold(get, |get, proof| get.header("DPoP", proof));
            get.send().await.unwrap()
        };
        let once = Proof::new(&own, "GET", &feed_url).of(&token).sign(&clock);
        let answer = ask("DPoP", Some(&once)).await;
        assert_eq!(answer.status(), 200);
        let mut following = Following { answer, text: String::new() };
        let service = own_token(&scene, PLAIN, "expense:read").await;
        assert_eq!(scene.post(PLAIN, "/oauth2/revoke", &[("token", service.as_str().unwrap())]).await.0, 200);
        let (_, event) = following.next().await;
        assert_eq!((&event["aud"], &revoked(&event)["tokens"]), (&json!("guard"), &json!([claims(&service)["jti"]])));
        for (what, scheme, proof) in [
            ("replayed", "DPoP", Some(once)),
            ("no proof", "DPoP", None),
            ("bearer", "Bearer", None),
            ("another key", "DPoP", Some(Proof::new(&other, "GET", &feed_url).of(&token).sign(&clock))),
            ("another address", "DPoP", Some(Proof::new(&own, "GET", &token_url).of(&token).sign(&clock))),
        ] {
            assert_eq!(ask(scheme, proof.as_deref()).await.status(), 401, "{what}");
        }
    }
);
