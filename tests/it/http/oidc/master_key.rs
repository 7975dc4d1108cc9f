//! The master key changes: everything is sealed anew at once, or nothing is.

use std::sync::Arc;

use chrono::Duration;
use serde_json::json;
use yaopai::broker::Broker;
use yaopai::crypto::MasterKey;
use yaopai::model::{ApplicationSettings, AuthMethod, GrantType};
use yaopai::oidc::{
    KeyRing, MasterChangeError, NewApplication, Sealed, add_application, adopt_master, rewrap, rotate_secret,
};

use super::{Client, OA, Scene};
use crate::both;
use crate::harness::Kind;

fn first() -> MasterKey {
    MasterKey::from_bytes([42; 32])
}

fn second() -> MasterKey {
    MasterKey::from_bytes([43; 32])
}

async fn adopted(broker: &Broker, master: MasterKey) -> Result<MasterKey, MasterChangeError> {
    adopt_master(&broker.db, &broker.clock, &broker.rng, master).await
}

/// Every sealed value as it is stored.
async fn stored(broker: &Broker) -> Vec<String> {
    let mut tx = broker.db.read().await.unwrap();
    let mut all: Vec<String> = tx.master_key().hash_key().await.unwrap().into_iter().collect();
    all.extend(tx.master_key().private_keys().await.unwrap().into_iter().map(|(_, sealed)| sealed));
    for (_, sealed, old) in tx.master_key().secrets().await.unwrap() {
        all.push(sealed);
        all.extend(old);
    }
    let notifications = tx.master_key().notifications().await.unwrap();
    all.extend(notifications.into_iter().filter_map(|(_, details)| details.0.notification));
    all
}

const PING: &str = r#"
[[application]]
id = "desk"
secret = { value = "a-secret-of-the-desk" }
grant_types = ["urn:openid:params:grant-type:ciba"]
scopes = ["openid"]
grants = { backchannel_mode = "ping", backchannel_notification_endpoint = "https://desk.example/told" }
"#;
const DESK: Client = Client { id: "desk", secret: Some("a-secret-of-the-desk"), redirect_uri: "" };

/// A broker with something of every kind that is sealed; how many values that is.
async fn scene(kind: Kind) -> (Scene, usize) {
    let scene = Scene::of(kind, &format!("{}{PING}", super::CONFIG)).await;
    let broker = &scene.app.broker;
    let new = NewApplication {
        id: "signs".to_owned(),
        name: "signs".to_owned(),
        auth_method: AuthMethod::ClientSecretJwt,
        settings: ApplicationSettings {
            grant_types: vec![GrantType::ClientCredentials],
            ..ApplicationSettings::default()
        },
    };
    add_application(broker, new).await.unwrap();
    rotate_secret(broker, "signs", Some(Duration::hours(1))).await.unwrap();
    let asked = [("scope", "openid"), ("login_hint", "wang.fang"), ("client_notification_token", "0123456789abcdef")];
    let (status, body) = scene.post(DESK, "/oauth2/bc-authorize", &asked).await;
    assert_eq!(status, 200, "{body}");
    adopted(broker, first()).await.unwrap();
    let all = stored(broker).await.len();
    assert!(all >= 1 + 5 + 2 + 1, "{all}");
    (scene, all)
}

both!(everything_is_sealed_anew_and_no_hash_changes, |kind| async move {
    let (scene, all) = scene(kind).await;
    let broker = &scene.app.broker;
    let tokens = scene.tokens(OA, "openid offline_access").await;
    let is_foreign = |outcome| matches!(outcome, Err(MasterChangeError::Foreign));
    assert!(is_foreign(adopted(broker, second()).await), "alone, the new key opens nothing");
    let both = adopted(broker, second().with_old(&first())).await.unwrap();
    assert_eq!(both.token_hash("session", "x"), broker.master.token_hash("session", "x"));
    let change = |is_asked| rewrap(&broker.db, &broker.clock, &broker.rng, &both, is_asked);
    let before = stored(broker).await;
    assert_eq!(change(true).await.unwrap(), Sealed { old: all, all });
    assert_eq!(stored(broker).await, before, "asking changes nothing");
    assert_eq!(change(false).await.unwrap(), Sealed { old: all, all });
    let after = stored(broker).await;
    assert!(before.iter().all(|sealed| !after.contains(sealed)) && after.len() == all);
    assert_eq!(change(false).await.unwrap(), Sealed { old: 0, all }, "once is enough");
    // The new key alone does everything now, and the old one nothing.
    let alone = adopted(broker, second()).await.unwrap();
    assert_eq!(alone.token_hash("session", "x"), broker.master.token_hash("session", "x"));
    assert!(is_foreign(adopted(broker, first()).await));
    let broker = Broker { master: Arc::new(alone), ..broker.clone() };
    let keys = KeyRing::open(&broker).await.unwrap();
    let token = tokens["access_token"].as_str().unwrap();
    assert!(yaopai::oidc::verify_access_token(&broker, &keys, token).await.is_ok());
    // A refresh token that was hashed before is found by the node that holds the old key, and by any other.
    assert_eq!(scene.refresh(OA, tokens["refresh_token"].as_str().unwrap()).await.0, 200);
    let changes = scene.audited("key_admin").await;
    let changes: Vec<_> = changes.iter().filter(|(_, details)| details.contains("master key changed")).collect();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(changes[0].1.contains(&json!(all).to_string()));
});

both!(what_does_not_open_leaves_everything_as_it_was, |kind| async move {
    let (scene, _) = scene(kind).await;
    let broker = &scene.app.broker;
    let mut tx = broker.db.write().await.unwrap();
    tx.proofs().keep_secret("signs", "bm90LXNlYWxlZC1ieS1hbnlib2R5", None).await.unwrap();
    tx.commit().await.unwrap();
    let both = adopted(broker, second().with_old(&first())).await.unwrap();
    let before = stored(broker).await;
    let error = rewrap(&broker.db, &broker.clock, &broker.rng, &both, false).await.unwrap_err().to_string();
    assert!(error.contains("the secret of application `signs`") && error.contains("nothing was changed"), "{error}");
    assert_eq!(stored(broker).await, before);
});
