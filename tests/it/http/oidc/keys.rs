//! Key rotation.

use base64::Engine as _;
use chrono::Duration;
use serde_json::Value;
use yaopai::model::{Algorithm, KeyState};
use yaopai::oidc::{KeyError, KeyRing, key_times, list_keys, revoke_key, rotate, rotate_due, verify_access_token};

use super::{OA, Scene, claims};
use crate::both;

fn kid(token: &Value) -> String {
    jsonwebtoken::decode_header(token.as_str().unwrap()).unwrap().kid.unwrap()
}

async fn set_of(keys: &KeyRing, broker: &yaopai::broker::Broker) -> Value {
    serde_json::from_str(&keys.jwks(broker).await).unwrap()
}

both!(
    /// OIDC-073, GW-045
    a_rotation_is_seen_by_nobody,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let broker = &scene.app.broker;
        // Another node, whose keys were read before the rotation.
        let other = KeyRing::open(broker).await.unwrap();
        let before = scene.tokens(OA, "openid offline_access").await;
        assert!(matches!(rotate(broker, Algorithm::Es256, false).await, Err(KeyError::TooSoon { .. })));
        scene.app.clock().advance(Duration::days(1));
        let ring = KeyRing::open(broker).await.unwrap();
        ring.rotate(broker, Algorithm::Es256, false).await.unwrap();
        let signer = ring.signer(broker, Algorithm::Es256).await.unwrap();
        assert_ne!(signer.kid(), kid(&before["access_token"]));
        assert!(other.find(broker, signer.kid()).await.is_some(), "the other node knew the key before it signed");
        assert!(ring.find(broker, &kid(&before["id_token"])).await.is_some(), "the old key is still published");
        let states = |rows: &[yaopai::model::SigningKeyRow]| {
            let mut states: Vec<KeyState> =
                rows.iter().filter(|row| row.algorithm == Algorithm::Es256).map(|row| row.state).collect();
            states.sort_unstable();
            states
        };
        let rows = list_keys(broker).await.unwrap();
        assert_eq!(states(&rows), [KeyState::Next, KeyState::Active, KeyState::Retired]);
        assert_eq!(rows.len(), 11, "the other algorithms were left alone");
        // A key retired long ago goes with the next rotation; --now does not wait.
        scene.app.clock().advance(Duration::days(3));
        ring.rotate(broker, Algorithm::Es256, true).await.unwrap();
        let rows = list_keys(broker).await.unwrap();
        assert_eq!(states(&rows), [KeyState::Next, KeyState::Active, KeyState::Retired]);
        assert!(ring.find(broker, &kid(&before["id_token"])).await.is_none());
    }
);

both!(
    /// GW-046: what a stolen key signed is refused by us within seconds, also what was believed a moment before.
    a_stolen_key_is_out_of_use_at_once,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let broker = &scene.app.broker;
        let ring = KeyRing::open(broker).await.unwrap();
        let before = scene.tokens(OA, "openid offline_access").await;
        let token = before["access_token"].as_str().unwrap();
        assert!(verify_access_token(broker, &ring, token).await.is_ok());
        assert_eq!(scene.userinfo(&before).await.0, 200);
        let stolen = kid(&before["access_token"]);
        let next = list_keys(broker).await.unwrap();
        let next = next.iter().find(|row| row.algorithm == Algorithm::Es256 && row.state == KeyState::Next).unwrap();
        revoke_key(broker, &stolen).await.unwrap();
        assert!(matches!(revoke_key(broker, &stolen).await, Err(KeyError::Unknown(_))));
        assert!(matches!(revoke_key(broker, "nobody").await, Err(KeyError::Unknown(_))));
        assert_eq!(list_keys(broker).await.unwrap().len(), 10, "one that signs and one that waits of each");
        // A node that starts now knows nothing of it; one that runs reads the table again every five seconds.
        let other = KeyRing::open(broker).await.unwrap();
        assert!(other.find(broker, &stolen).await.is_none());
        assert_eq!(other.signer(broker, Algorithm::Es256).await.unwrap().kid(), next.kid);
        assert!(!set_of(&other, broker).await.to_string().contains(&stolen));
        let begun = std::time::Instant::now();
        while verify_access_token(broker, &ring, token).await.is_ok() || scene.userinfo(&before).await.0 == 200 {
            assert!(begun.elapsed() < std::time::Duration::from_secs(20), "still believed");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        // The hint of the stolen key signs nobody out, the person stays signed in, and what is signed now is good.
        let hint = before["id_token"].as_str().unwrap();
        let page = scene.browser.get(&format!("/oauth2/logout?id_token_hint={hint}")).await;
        assert_eq!(page.status, 400);
        let after = scene.refresh(OA, before["refresh_token"].as_str().unwrap()).await.1;
        assert_eq!((kid(&after["access_token"]), scene.userinfo(&after).await.0), (next.kid.clone(), 200));
        let waiting = list_keys(broker).await.unwrap();
        let waiting = waiting.iter().find(|row| row.algorithm == Algorithm::Es256 && row.state == KeyState::Next);
        revoke_key(broker, &waiting.unwrap().kid).await.unwrap();
        assert_eq!(list_keys(broker).await.unwrap().len(), 10);
        assert_eq!(scene.audited("key_admin").await.iter().filter(|(_, text)| text.contains("revoked")).count(), 2);
    }
);

both!(
    /// GW-043
    a_flood_of_unknown_keys_costs_nothing,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let ring = KeyRing::open(&scene.app.broker).await.unwrap();
        let tokens = scene.tokens(OA, "openid").await;
        let good = tokens["access_token"].as_str().unwrap();
        let (_, rest) = good.split_once('.').unwrap();
        for turn in 0..200 {
            let header = format!(r#"{{"typ":"at+jwt","alg":"ES256","kid":"unknown-{turn}"}}"#);
            let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
            assert!(verify_access_token(&scene.app.broker, &ring, &format!("{header}.{rest}")).await.is_err());
        }
        assert!(verify_access_token(&scene.app.broker, &ring, good).await.is_ok());
    }
);

both!(
    /// OIDC-020, OIDC-025 (with RS256 as the configured algorithm), OAUTH-133
    every_algorithm_signs_what_clients_verify,
    |kind| async move {
    for algorithm in ["ES256", "ES384", "RS256", "PS256", "EdDSA"] {
        let config = format!("[oidc]\nalgorithm = \"{algorithm}\"\n{}", crate::http::oidc::CONFIG);
        let app = crate::harness::App::with_config(kind, &config).await;
        let user = crate::harness::person(&app.broker, "wang.fang", &["employee"]).await;
        let (session, browser) = crate::http::oidc::signed_in(&app, &user).await;
        let scene = Scene { app, user, session, browser };
        let tokens = scene.tokens(OA, "openid").await;
        let token = tokens["id_token"].as_str().unwrap();
        let keys = scene.app.browser().get(scene.app.at("/oauth2/jwks")).send().await.unwrap();
        let keys: jsonwebtoken::jwk::JwkSet = keys.json().await.unwrap();
        let header = jsonwebtoken::decode_header(token).unwrap();
        assert_eq!(format!("{:?}", header.alg), algorithm);
        let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut rules = jsonwebtoken::Validation::new(header.alg);
        rules.validate_exp = false;
        rules.set_audience(&["oa"]);
        jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap();
        assert_eq!(claims(&tokens["id_token"])["at_hash"], left_half(algorithm, &tokens["access_token"]));
        assert_eq!(scene.userinfo(&tokens).await.0, 200);
    }
});

/// What `at_hash` has to be, by the hash that the algorithm is named for.
fn left_half(algorithm: &str, token: &Value) -> String {
    use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
    let hash = match algorithm {
        "ES384" => &SHA384,
        "EdDSA" => &SHA512,
        _ => &SHA256,
    };
    let hash = digest(hash, token.as_str().unwrap().as_bytes());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2])
}

both!(
    /// HA-015, GW-045, OIDC-073: two nodes on one database change each key once, when its time has come; every key was
    /// published by the other node before it signed, and is until its last token is dead.
    keys_change_by_schedule_and_once,
    |kind| async move {
        let extra = "[oidc]\nkey_publish_ahead = \"1h\"\n[oidc.keys]\nrotate_every = \"10d\"\n";
        let app = crate::harness::App::with_config(kind, &format!("{extra}{}", crate::http::oidc::CONFIG)).await;
        let user = crate::harness::person(&app.broker, "wang.fang", &["employee"]).await;
        let (session, browser) = crate::http::oidc::signed_in(&app, &user).await;
        let scene = Scene { app, user, session, browser };
        let broker = &scene.app.broker;
        let other = KeyRing::open(broker).await.unwrap();
        assert_eq!(rotate_due(broker).await.unwrap(), [], "nothing is due");
        let before = scene.tokens(OA, "openid").await;
        let published = set_of(&other, broker).await;
        let begun = list_keys(broker).await.unwrap()[0].created_at;
        for times in key_times(broker).await.unwrap() {
            let signs = if times.row.state == KeyState::Active { begun } else { begun + Duration::days(10) };
            let retires = signs + Duration::days(10);
            // The longest-lived token lives ten minutes; a day is to spare.
            let drops = retires + Duration::minutes(10) + Duration::days(1);
            assert_eq!((times.signs_at, times.retires_at, times.drops_at), (Some(signs), Some(retires), Some(drops)));
        }
        scene.app.clock().advance(Duration::days(10));
        let (one, two) = tokio::join!(rotate_due(broker), rotate_due(broker));
        let mut changed = [one.unwrap(), two.unwrap()].concat();
        changed.sort_unstable();
        assert_eq!(changed, Algorithm::ALL, "each once");
        let third = KeyRing::open(broker).await.unwrap();
        for algorithm in Algorithm::ALL {
            let signer = third.signer(broker, *algorithm).await.unwrap();
            let known = published["keys"].as_array().unwrap().iter().any(|key| key["kid"] == signer.kid());
            assert!(known, "the other node published the {algorithm} key before it signed");
        }
        assert_eq!(rotate_due(broker).await.unwrap(), [], "the next ones wait for their time");
        let old = kid(&before["id_token"]);
        let set = set_of(&third, broker).await;
        assert!(set["keys"].as_array().unwrap().iter().any(|key| key["kid"] == old), "still published");
        assert_eq!(list_keys(broker).await.unwrap().len(), 15, "active, next and retired of each");
        scene.app.clock().advance(Duration::days(1) + Duration::minutes(11));
        assert_eq!(rotate_due(broker).await.unwrap(), []);
        assert_eq!(list_keys(broker).await.unwrap().len(), 10, "the retired ones are dropped");
        let told = scene.audited("key_admin").await;
        assert_eq!(told.iter().filter(|(_, details)| details.contains("rotated")).count(), 5);
        assert_eq!(told.iter().filter(|(_, details)| details.contains("dropped")).count(), 1);
    }
);
