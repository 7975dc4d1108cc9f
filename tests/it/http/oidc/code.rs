//! Redeeming codes.

use std::sync::Arc;

use base64::Engine as _;
use chrono::Duration;
use serde_json::Value;
use yaopai::http::{self, routes};
use yaopai::model::{EndReason, Status};
use yaopai::oidc::{Caller, KeyRing, Params, Presented, answer_token_request};

use super::{Client, EXPENSE, LEGACY, OA, SPA, Scene, VERIFIER, claims, redemption};
use crate::both;
use crate::harness::save;

both!(
    /// OIDC-018, OIDC-019, OIDC-020, OIDC-023, OIDC-053, OIDC-059, OAUTH-040, OAUTH-133, OAUTH-135, OAUTH-136
    a_code_becomes_tokens,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let auth_time = scene.app.clock().now();
        scene.app.clock().advance(Duration::seconds(100));
        for client in [OA, SPA, EXPENSE] {
            let code = scene.code(client, &[("scope", "openid profile")]).await;
            let (status, body) = scene.redeem(client, &code).await;
            assert_eq!(status, 200, "{body}");
            assert_eq!((&body["token_type"], &body["scope"]), (&"Bearer".into(), &"openid profile".into()));
            let access = claims(&body["access_token"]);
            let id = claims(&body["id_token"]);
            for claims in [&access, &id] {
                assert_eq!(claims["iss"], scene.app.url);
                assert_eq!(claims["sub"], scene.user.id.to_string());
                assert_eq!(claims["auth_time"], auth_time.timestamp());
                assert_eq!(claims["amr"], serde_json::json!(["pwd"]));
                assert_eq!(claims["sid"], scene.session.id.to_string());
                assert!(claims.get("roles").is_none());
            }
            assert_eq!((&id["aud"], &id["nonce"]), (&client.id.into(), &"n-0".into()));
            let hash = yaopai::crypto::sha256(body["access_token"].as_str().unwrap().as_bytes());
            assert_eq!(id["at_hash"], base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&hash[..16]));
            let api = if client.id == "expense" { "https://expense.example/api".into() } else { scene.app.at("/api") };
            assert_eq!((&access["aud"], &access["client_id"]), (&api.into(), &client.id.into()));
            let (status, about) = scene.userinfo(&body).await;
            assert_eq!((status, &about["sub"]), (200, &id["sub"]));
            // An independent reading of the standard verifies both.
            let keys = scene.app.browser().get(scene.app.at("/oauth2/jwks")).send().await.unwrap();
            let keys: jsonwebtoken::jwk::JwkSet = keys.json().await.unwrap();
            for token in [&body["id_token"], &body["access_token"]] {
                let token = token.as_str().unwrap();
                let header = jsonwebtoken::decode_header(token).unwrap();
                let key = keys.find(header.kid.as_deref().unwrap()).unwrap();
                let mut rules = jsonwebtoken::Validation::new(header.alg);
                rules.validate_aud = false;
                rules.validate_exp = false;
                let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
                jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap();
            }
        }
    }
);

both!(
    /// OAUTH-028, OIDC-049, OIDC-050
    a_second_use_kills_what_the_first_gave,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let code = scene.code(OA, &[]).await;
        let (_, first) = scene.redeem(OA, &code).await;
        assert_eq!(scene.userinfo(&first).await.0, 200);
        scene.app.clock().advance(Duration::seconds(90));
        let (status, body) = scene.redeem(OA, &code).await;
        assert_eq!((status, &body["error"]), (400, &"invalid_grant".into()));
        assert_eq!(scene.userinfo(&first).await.0, 401);
        assert_eq!(scene.refresh(OA, first["refresh_token"].as_str().unwrap()).await.0, 400);
        assert_eq!(scene.audited("token_reuse").await.len(), 1);
    }
);

both!(
    /// OAUTH-029
    of_many_redemptions_at_once_one_wins,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let code = scene.code(SPA, &[]).await;
        // A second node on the same database.
        let keys = KeyRing::open(&scene.app.broker).await.unwrap();
        let second = Arc::new(http::App::new(scene.app.broker.clone(), keys));
        drop(routes::router((*second).clone()));
        let form = Params::parse(
            &url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(redemption(SPA, &code))
                .append_pair("client_id", "spa")
                .finish(),
        )
        .unwrap();
        let caller = Caller { address: [127, 0, 0, 1].into(), request_id: "r".into() };
        let mut tasks = Vec::new();
        for turn in 0..20 {
            let (second, form, caller) = (second.clone(), form.clone(), caller.clone());
            let url = scene.app.at("/oauth2/token");
            let (client, body) = (scene.app.browser(), form.encode());
            tasks.push(tokio::spawn(async move {
                if turn % 2 == 0 {
                    return answer_token_request(second.provider(), &caller, &Presented::default(), &form).await.is_ok();
                }
                let post = client.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
                post.send().await.unwrap().status() == 200
            }));
        }
        let mut won = 0;
        for task in tasks {
            won += u32::from(task.await.unwrap());
        }
        assert_eq!(won, 1);
    }
);

both!(
    /// OAUTH-030, OAUTH-031, OAUTH-032, OAUTH-034, OAUTH-035, OIDC-104
    a_code_is_bound_to_application_address_and_verifier,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let refused = |answer: (u16, Value)| assert_eq!((answer.0, &answer.1["error"]), (400, &"invalid_grant".into()));
        // Another application's attempt leaves the code to its owner.
        let code = scene.code(OA, &[]).await;
        refused(scene.redeem(Client { redirect_uri: OA.redirect_uri, ..EXPENSE }, &code).await);
        assert_eq!(scene.redeem(OA, &code).await.0, 200);
        for changes in [
            vec![("redirect_uri", "")],
            vec![("redirect_uri", "https://oa.example/q?tenant=1")],
            vec![("code_verifier", "")],
            vec![("code_verifier", "a-verifier-of-the-tests-that-is-wrong-0123456789")],
            vec![("code_verifier", "short")],
            vec![("code_verifier", "a+verifier/of=the tests that holds what it may not")],
        ] {
            let code = scene.code(OA, &[]).await;
            let mut form = redemption(OA, &code);
            for (name, value) in &changes {
                form.retain(|(known, _)| known != name);
                form.push((name, value));
            }
            refused(scene.post(OA, "/oauth2/token", &form).await);
            refused(scene.redeem(OA, &code).await);
        }
        let none = [("code_challenge", ""), ("code_challenge_method", "")];
        let code = scene.code(LEGACY, &none).await;
        let mut form = redemption(LEGACY, &code);
        form.push(("code_verifier", VERIFIER));
        refused(scene.post(LEGACY, "/oauth2/token", &form).await);
        let code = scene.code(LEGACY, &none).await;
        let (status, body) = scene.redeem(LEGACY, &code).await;
        assert_eq!(status, 200);
        assert!(body.get("refresh_token").is_none(), "not registered for it");
        let code = scene.code(OA, &[]).await;
        scene.app.clock().advance(Duration::seconds(60));
        refused(scene.redeem(OA, &code).await);
        for cut in [0, 1, 42] {
            refused(scene.redeem(OA, &format!("x{}", &code[..cut])).await);
        }
    }
);

both!(
    /// OAUTH-062, OAUTH-063
    a_code_dies_with_the_session_and_the_person,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let code = scene.code(OA, &[]).await;
        let mut tx = scene.app.broker.db.write().await.unwrap();
        let now = scene.app.clock().now();
        tx.sessions().end(scene.session.id, EndReason::SignedOut, now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(scene.redeem(OA, &code).await.0, 400);
        let (_, browser) = crate::http::oidc::signed_in(&scene.app, &scene.user).await;
        let scene = Scene { browser, ..scene };
        let code = scene.code(OA, &[]).await;
        save(&scene.app.broker, &yaopai::model::User { status: Status::Disabled, ..scene.user.clone() }).await;
        assert_eq!(scene.redeem(OA, &code).await.0, 400);
    }
);

both!(
    /// OAUTH-053
    nothing_that_opens_a_door_is_stored_as_it_is,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let code = scene.code(OA, &[]).await;
        let (_, tokens) = scene.redeem(OA, &code).await;
        let mut tx = scene.app.broker.db.read().await.unwrap();
        let mut stored = Vec::new();
        for sql in [
            "SELECT code_hash FROM authorization_codes",
            "SELECT token_hash FROM refresh_tokens",
            "SELECT secret_hash FROM applications WHERE secret_hash IS NOT NULL",
            "SELECT token_hash FROM sessions",
            "SELECT details FROM audit_log",
            "SELECT sealed FROM signing_keys",
        ] {
            stored.extend(tx.all::<(String,)>(sql, &[]).await.unwrap().into_iter().map(|row| row.0));
        }
        assert!(stored.len() > 10);
        for secret in [
            code.as_str(),
            tokens["refresh_token"].as_str().unwrap(),
            tokens["access_token"].as_str().unwrap(),
            OA.secret.unwrap(),
            &scene.browser.cookie("yaopai").unwrap(),
        ] {
            assert!(stored.iter().all(|value| !value.contains(secret)));
        }
    }
);
