//! What applications sign in these tests: assertions and DPoP proofs, good ones and bad ones.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use yaopai::crypto::{SigningKey, sha256};
use yaopai::model::Algorithm;
use yaopai::time::Clock;

/// The type of client assertions.
pub const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap().0
}

/// A compact JWS; `signature` is made by `key` whatever the header says.
pub fn jws(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).unwrap()))
}

pub fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The public half without what DPoP does not want.
pub fn jwk(key: &SigningKey) -> Value {
    let mut jwk = key.public_jwk().clone();
    for member in ["kid", "use", "alg"] {
        jwk.as_object_mut().unwrap().remove(member);
    }
    jwk
}

/// `base` with changes; null removes a member.
pub fn changed(base: Value, changes: &Value) -> Value {
    let Value::Object(mut map) = base else { panic!("no object") };
    for (name, value) in changes.as_object().cloned().unwrap_or_else(Map::new) {
        if value.is_null() {
            map.remove(&name)
        } else {
            map.insert(name, value)
        };
    }
    Value::Object(map)
}

/// A number that no other call gives.
pub fn unique() -> String {
    yaopai::random::Rng::system().token()
}

/// A client assertion for `audience`, with changes of its claims.
pub fn assertion(key: &SigningKey, clock: &Clock, id: &str, audience: &str, changes: &Value) -> String {
    let now = clock.now().timestamp();
    let claims = json!({ "iss": id, "sub": id, "aud": audience, "iat": now, "exp": now + 60, "jti": unique() });
    let header = json!({ "alg": key.algorithm().as_str(), "kid": key.kid(), "typ": "JWT" });
    jws(key, &header, &changed(claims, changes))
}

/// A DPoP proof, with changes of header and claims.
pub struct Proof<'a> {
    pub key: &'a SigningKey,
    pub method: &'a str,
    pub url: &'a str,
    pub token: Option<&'a str>,
    pub header: Value,
    pub claims: Value,
}

impl<'a> Proof<'a> {
    pub fn new(key: &'a SigningKey, method: &'a str, url: &'a str) -> Self {
        Self { key, method, url, token: None, header: json!({}), claims: json!({}) }
    }

    pub fn of(mut self, token: &'a str) -> Self {
        self.token = Some(token);
        self
    }

    pub fn header(mut self, header: Value) -> Self {
        self.header = header;
        self
    }

    pub fn claims(mut self, claims: Value) -> Self {
        self.claims = claims;
        self
    }

    pub fn sign(self, clock: &Clock) -> String {
        let header = json!({ "typ": "dpop+jwt", "alg": self.key.algorithm().as_str(), "jwk": jwk(self.key) });
        let mut claims =
            json!({ "jti": unique(), "htm": self.method, "htu": self.url, "iat": clock.now().timestamp() });
        if let Some(token) = self.token {
            claims["ath"] = URL_SAFE_NO_PAD.encode(sha256(token.as_bytes())).into();
        }
        jws(self.key, &changed(header, &self.header), &changed(claims, &self.claims))
    }
}
