//! The OpenID provider, endpoint by endpoint.

mod authorize;
mod backchannel;
mod basic;
mod ciba;
mod claims;
mod client_auth;
mod client_credentials;
mod client_document;
mod client_keys;
mod code;
mod consent;
mod device;
mod discovery;
mod dpop;
mod exchange;
mod fapi;
mod introspect;
mod jwt_bearer;
mod keys;
mod logout;
mod master_key;
mod mtls;
mod par;
mod reauth;
mod refresh;
mod registration;
mod registration_pages;
mod request_object;
mod resources;
mod response;
mod revocations;
mod rust_clients;
mod sector;
mod session_end;
mod step_up;
mod test_login;
mod tokens;
mod userinfo;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use yaopai::login::{SessionOrigin, open_session};
use yaopai::model::{Session, User};

use crate::harness::{App, Browser, Kind, Page, person};

/// Applications of these tests: two confidential ones, a public one, one without PKCE, one for few people.
const CONFIG: &str = r#"
[[application]]
id = "oa"
secret = { value = "a-secret-of-the-oa" }
redirect_uris = ["https://oa.example/cb", "https://oa.example/q?tenant=1"]
post_logout_redirect_uris = ["https://oa.example/bye"]
scopes = ["openid", "profile", "email", "phone", "offline_access", "org", "roles", "expense:read"]

[[application]]
id = "expense"
auth_method = "client_secret_post"
secret = { value = "a-secret-of-expense" }
redirect_uris = ["https://expense.example/cb"]
audience = ["https://expense.example/api"]

[[application]]
id = "spa"
auth_method = "none"
redirect_uris = ["https://spa.example/cb", "http://127.0.0.1/cb", "com.example.app:/cb"]

[[application]]
id = "legacy"
secret = { value = "a-secret-of-legacy" }
redirect_uris = ["https://legacy.example/cb"]
grant_types = ["authorization_code"]
require_pkce = false

[[application]]
id = "hr-files"
secret = { value = "a-secret-of-hr-files" }
redirect_uris = ["https://hr.example/cb"]
"#;

const VERIFIER: &str = "a-verifier-of-the-tests-that-is-long-enough-0123456789";
const OA: Client = Client { id: "oa", secret: Some("a-secret-of-the-oa"), redirect_uri: "https://oa.example/cb" };
const SPA: Client = Client { id: "spa", secret: None, redirect_uri: "https://spa.example/cb" };
const EXPENSE: Client =
    Client { id: "expense", secret: Some("a-secret-of-expense"), redirect_uri: "https://expense.example/cb" };
const LEGACY: Client =
    Client { id: "legacy", secret: Some("a-secret-of-legacy"), redirect_uri: "https://legacy.example/cb" };

/// An application as the tests play it.
#[derive(Clone, Copy, Debug)]
struct Client {
    id: &'static str,
    secret: Option<&'static str>,
    redirect_uri: &'static str,
}

/// A broker with the applications above, one employee, and their signed-in browser.
struct Scene {
    app: App,
    user: User,
    session: Session,
    browser: Browser,
}

impl Scene {
    async fn start(kind: Kind) -> Self {
        Self::of(kind, CONFIG).await
    }

    /// The same with other applications.
    async fn of(kind: Kind, config: &str) -> Self {
        let app = App::with_config(kind, config).await;
        let user = person(&app.broker, "wang.fang", &["employee"]).await;
        let (session, browser) = signed_in(&app, &user).await;
        Self { app, user, session, browser }
    }

    /// The authorization request of `client`, with changes: an empty value leaves a parameter out.
    async fn authorize(&self, client: Client, changes: &[(&str, &str)]) -> Page {
        self.browser.get(&authorize_path(client, changes)).await
    }

    /// A code for `client`.
    async fn code(&self, client: Client, changes: &[(&str, &str)]) -> String {
        let page = self.authorize(client, changes).await;
        assert_eq!(page.status, 303, "{}", page.text);
        answer(&page, "code").unwrap_or_else(|| panic!("no code in {}", page.location()))
    }

    /// A form at one of the provider's endpoints, with the client's way to prove itself.
    async fn post(&self, client: Client, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let mut form = form.to_vec();
        let mut request = self.app.browser().post(self.app.at(path));
        match (client.id, client.secret) {
            ("expense", Some(secret)) => form.extend([("client_id", client.id), ("client_secret", secret)]),
            (_, Some(secret)) => request = request.basic_auth(client.id, Some(secret)),
            (_, None) => form.push(("client_id", client.id)),
        }
        let answer = request.form(&form).send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn redeem(&self, client: Client, code: &str) -> (u16, Value) {
        self.post(client, "/oauth2/token", &redemption(client, code)).await
    }

    /// Tokens of a whole code flow.
    async fn tokens(&self, client: Client, scope: &str) -> Value {
        let code = self.code(client, &[("scope", scope)]).await;
        let (status, body) = self.redeem(client, &code).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn refresh(&self, client: Client, token: &str) -> (u16, Value) {
        self.post(client, "/oauth2/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Status of `UserInfo` with this access token, and its claims.
    async fn userinfo(&self, tokens: &Value) -> (u16, Value) {
        let token = tokens["access_token"].as_str().unwrap();
        let answer = self.app.browser().get(self.app.at("/oauth2/userinfo")).bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    /// What is recorded under an action: outcome and details.
    async fn audited(&self, action: &'static str) -> Vec<(String, String)> {
        let mut tx = self.app.broker.db.read().await.unwrap();
        tx.all("SELECT outcome, details FROM audit_log WHERE action = $1 ORDER BY seq", &[&action]).await.unwrap()
    }
}

/// A browser with a session of `user`.
async fn signed_in(app: &App, user: &User) -> (Session, Browser) {
    let origin = SessionOrigin { address: "203.0.113.7".into(), user_agent: "test".into(), amr: "pwd".into() };
    let mut tx = app.broker.db.write().await.unwrap();
    let (session, token) = open_session(&app.broker, &mut tx, Ok(user.id), &origin).await.unwrap();
    tx.commit().await.unwrap();
    let browser = Browser::new(&app.url);
    browser.plant("yaopai", &token);
    (session, browser)
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(yaopai::crypto::sha256(verifier.as_bytes()))
}

fn authorize_path(client: Client, changes: &[(&str, &str)]) -> String {
    let challenge = challenge(VERIFIER);
    let mut params = vec![
        ("response_type", "code"),
        ("client_id", client.id),
        ("redirect_uri", client.redirect_uri),
        ("scope", "openid"),
        ("state", "s-._~"),
        ("nonce", "n-0"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        match params.iter_mut().find(|(known, _)| known == name) {
            Some(param) => param.1 = value,
            None => params.push((name, value)),
        }
    }
    params.retain(|(_, value)| !value.is_empty());
    format!("/oauth2/authorize?{}", url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish())
}

fn redemption(client: Client, code: &str) -> Vec<(&str, &str)> {
    let mut form = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", client.redirect_uri)];
    if client.id != "legacy" {
        form.push(("code_verifier", VERIFIER));
    }
    form
}

/// A parameter of the redirect back to the application, from its query or its fragment.
fn answer(page: &Page, name: &str) -> Option<String> {
    let url = url::Url::parse(page.location()).ok()?;
    let fragment = url::form_urlencoded::parse(url.fragment().unwrap_or_default().as_bytes());
    url.query_pairs().chain(fragment).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The claims of a JWT, unverified.
fn claims(token: &Value) -> Value {
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
