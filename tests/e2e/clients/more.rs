//! `openid-client` beyond the code flow: JAR, JARM, the hybrid flow, a device, CIBA, registration, back-channel logout.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use yaopai::crypto::SigningKey;
use yaopai::model::Algorithm;

use super::{Kind, SECRET, finish, installation, node};
use crate::process::free_port;

pub fn play(kind: Kind) {
    let redirect_uri = "https://app.example/callback";
    let installation = installation(kind, redirect_uri);
    let (own, pkcs8) = SigningKey::generate(Algorithm::Es256).unwrap();
    let (jwks, ear) = (json!({ "keys": [own.public_jwk()] }), free_port());
    let text = std::fs::read_to_string(installation.path("yaopai.toml")).unwrap();
    let app = |id: &str, rest: &str| {
        format!("[[application]]\nid = \"{id}\"\nsecret = {{ value = \"{SECRET}\" }}\n{rest}\n\n")
    };
    let redirects = format!("redirect_uris = [\"{redirect_uri}\"]\n");
    let careful = app(
        "careful",
        &format!(
            "{redirects}post_logout_redirect_uris = [\"http://127.0.0.1:1/bye\"]\n\
             request = {{ require_signed_request_object = true }}\nproof = {{ jwks = '{jwks}' }}\n\
             logout = {{ backchannel_logout_uri = \"http://127.0.0.1:{ear}/logout\" }}"
        ),
    );
    let hybrid = app("hybrid", &format!("{redirects}request = {{ response_types = [\"code\", \"code id_token\"] }}"));
    let tv = "grant_types = [\"urn:ietf:params:oauth:grant-type:device_code\", \"refresh_token\"]";
    let desk = "grant_types = [\"urn:openid:params:grant-type:ciba\"]";
    installation.configure(&format!(
        "{text}\n[outgoing]\nallowed_networks = [\"127.0.0.0/8\"]\n\n[registration]\nenabled = true\n\
         hosts = [\"app.example\"]\ngrant_types = [\"client_credentials\"]\nscopes = [\"report:read\"]\n\n\
         {careful}{hybrid}{}{}",
        app("tv", tv),
        app("desk", desk)
    ));
    let token = installation.run(&["app", "registration-token", "--ttl", "1h", "--json"]);
    let token: serde_json::Value = serde_json::from_slice(&token.stdout).unwrap();
    let more = json!({
        "redirect_uri": redirect_uri,
        "key": STANDARD.encode(&*pkcs8),
        "kid": own.kid(),
        "ear": ear,
        "registration_token": token.get("initial_access_token"),
    });
    finish(node("more_client.mjs"), &installation, more);
}
