//! The gateway: forward-auth and the built-in proxy, before a system that shows exactly what reached it.

mod bound;
mod check;
mod proxy;
mod upstream;

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use yaopai::crypto::jwt;
use yaopai::http::{self, gateway::proxy_router, server};
use yaopai::model::{Algorithm, Grant, GrantDetails, GrantId, User};
use yaopai::oidc::KeyRing;

use crate::harness::{App, Kind};
use upstream::Upstream;

const CONFIG: &str = r#"
[[application]]
id = "ledger"
secret = { value = "a-secret-of-the-tests" }
grant_types = ["client_credentials"]
scopes = ["openid", "expense:read"]

[[application]]
id = "expense"
secret = { value = "a-secret-of-the-tests" }
redirect_uris = ["https://expense.example/cb"]
"#;

/// A broker with its proxy and a system behind it.
struct Gate {
    app: App,
    keys: KeyRing,
    proxy: SocketAddr,
    upstream: Upstream,
    stop: CancellationToken,
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Gate {
    async fn start(kind: Kind, server: &str) -> Self {
        let upstream = Upstream::start().await;
        let routes = format!(
            "{CONFIG}\n[[route]]\nname = \"expense-api\"\npath = \"/expense\"\nmethods = [\"GET\", \"POST\"]\n\
             upstream = \"http://{0}\"\nscopes = [\"expense:read\", \"expense:write\"]\nsessions = true\n\n\
             [[route]]\nname = \"tokens-only\"\npath = \"/machines\"\nmethods = [\"GET\"]\nroles = [\"robot-keeper\"]\n\
             department = \"east-sales\"\naudience = \"https://machines.example\"\nupstream = \"http://{0}\"\n",
            upstream.address
        );
        let app = App::with_server(kind, server, &routes).await;
        let keys = KeyRing::open(&app.broker).await.unwrap();
        let listener = server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let proxy = listener.local_addr().unwrap();
        let handled = proxy_router(http::App::new(app.broker.clone(), keys.clone()));
        let (stop, config) = (CancellationToken::new(), app.broker.config.clone());
        let stopping = stop.clone();
        tokio::spawn(async move {
            server::serve(listener, handled, &config.server, &config.folder, stopping).await.unwrap();
        });
        Self { app, keys, proxy, upstream, stop }
    }

    /// An access token of a person, as the code flow gives one.
    async fn token(&self, user: &User, scope: &str, audience: Option<&str>) -> String {
        let broker = &self.app.broker;
        let now = broker.clock.now();
        let grant = Grant {
            id: GrantId::new(&broker.rng, now),
            application_id: "expense".to_owned(),
            user_id: Some(user.id),
            session_id: None,
            scope: scope.to_owned(),
            auth_time: now,
            amr: "pwd".to_owned(),
            created_at: now,
            expires_at: now + chrono::Duration::hours(1),
            revoked_at: None,
            revoked_reason: None,
            details: yaopai::store::Json(GrantDetails::default()),
        };
        let mut tx = broker.db.write().await.unwrap();
        tx.grants().insert(&grant).await.unwrap();
        tx.commit().await.unwrap();
        let claims = json!({
            "iss": broker.config.server.issuer(),
            "sub": user.id.to_string(),
            "aud": audience.map_or_else(|| broker.config.default_audience(), str::to_owned),
            "client_id": "expense",
            "scope": scope,
            "iat": now.timestamp(),
            "exp": now.timestamp() + 600,
            "jti": broker.rng.token(),
            "grant": grant.id,
        });
        let key = self.keys.signer(broker, Algorithm::Es256).await.unwrap();
        jwt::sign(&key, "at+jwt", &claims).unwrap()
    }

    /// An access token of the ledger in its own name.
    async fn ledger(&self, scope: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        let request = self.app.browser().post(self.app.at("/oauth2/token")).form(&form);
        let answer = request.basic_auth("ledger", Some("a-secret-of-the-tests")).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Sends bytes to the proxy and reads until it closes.
    async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.proxy).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        // A connection that is reset after the answer has answered all the same; one that hangs has not.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(10), read).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A call through the proxy: request line, further header lines; the answer.
    async fn call(&self, line: &str, headers: &[&str]) -> String {
        let mut request = format!("{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.proxy);
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        self.raw(&(request + "\r\n")).await
    }

    /// The judgements in the audit log: (outcome, reason).
    async fn judged(&self) -> Vec<(String, String)> {
        let sql = "SELECT outcome, details FROM audit_log WHERE action = 'gateway_call' ORDER BY seq";
        let rows: Vec<(String, String)> = self.app.broker.db.read().await.unwrap().all(sql, &[]).await.unwrap();
        let reason = |details: &str| {
            let details: Value = serde_json::from_str(details).unwrap();
            details["reason"].as_str().unwrap().to_owned()
        };
        rows.into_iter().map(|(outcome, details)| (outcome, reason(&details))).collect()
    }
}

/// The status of a raw answer.
fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}
