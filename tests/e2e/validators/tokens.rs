//! Tokens to be refused, most of them signed with the broker's own key: nothing but the rule at hand is broken.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use yaopai::crypto::{MasterKey, SigningKey, jwt};
use yaopai::model::{Algorithm, KeyState};
use yaopai::random::Rng;
use yaopai::store::Db;

use crate::process::Installation;

/// A form of an application to one of the OAuth endpoints; the whole answer.
pub fn form(port: u16, (id, secret): (&str, &str), path: &str, body: &str) -> String {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
    let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nAuthorization: Basic {basic}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The broker's own key, stolen for the test.
pub struct Forge {
    key: SigningKey,
}

impl Forge {
    /// Opens the database of an installation with its master key.
    pub fn of(installation: &Installation) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let master = MasterKey::load_or_create(&installation.path("data/master.key"), &Rng::system()).unwrap();
        let rows = runtime.block_on(async {
            let db = Db::open(&format!("sqlite://{}", installation.path("data/yaopai.db").display()), 1).await.unwrap();
            let rows = db.read().await.unwrap().signing_keys().list().await.unwrap();
            db.close().await;
            rows
        });
        let row = rows.iter().find(|row| row.algorithm == Algorithm::Es256 && row.state == KeyState::Active).unwrap();
        let pkcs8 = master.open("signing-key", &row.sealed).unwrap();
        Self { key: SigningKey::from_pkcs8(Algorithm::Es256, &pkcs8).unwrap() }
    }

    /// Tokens like `good`, each with one thing wrong.
    pub fn bad(&self, good: &str) -> Vec<(&'static str, String)> {
        let part = |at: usize| good.split('.').nth(at).unwrap().to_owned();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part(1)).unwrap()).unwrap();
        let with = |changes: Value| {
            let mut claims = claims.clone();
            for (name, value) in changes.as_object().unwrap() {
                claims[name] = value.clone();
            }
            claims
        };
        let sign = |typ: &str, claims: &Value| jwt::sign(&self.key, typ, claims).unwrap();
        let iss = claims["iss"].as_str().unwrap();
        let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        let header = |header: Value| URL_SAFE_NO_PAD.encode(header.to_string());
        let foreign = SigningKey::generate(Algorithm::Es256).unwrap().0;
        let head = part(0);
        let foreign_under_our_kid = format!("{head}.{}", part(1));
        let signature = URL_SAFE_NO_PAD.encode(foreign.sign(foreign_under_our_kid.as_bytes()).unwrap());
        let id_token = json!({ "iss": iss, "sub": claims["sub"], "aud": claims["aud"], "iat": iat, "exp": exp, "auth_time": iat,
                               "status": claims["status"], "client_id": claims["client_id"], "jti": "x", "scope": claims["scope"] });
        vec![
            ("nothing", String::new()),
            ("no token at all", "abc".to_owned()),
            ("expired", sign("at+jwt", &with(json!({ "iat": iat - 7_200, "exp": iat - 3_600 })))),
            ("wrong audience", sign("at+jwt", &with(json!({ "aud": "https://other.example/api" })))),
            ("wrong issuer", sign("at+jwt", &with(json!({ "iss": "https://evil.example" })))),
            ("wrong issuer by a slash", sign("at+jwt", &with(json!({ "iss": format!("{iss}/") })))),
            ("alg none", format!("{}.{}.", header(json!({ "alg": "none", "typ": "at+jwt" })), part(1))),
            ("signature cut off", format!("{head}.{}.", part(1))),
            ("foreign key", jwt::sign(&foreign, "at+jwt", &claims).unwrap()),
            ("foreign key under our kid", format!("{foreign_under_our_kid}.{signature}")),
            ("id_token as access token", sign("JWT", &id_token)),
        ]
    }
}
