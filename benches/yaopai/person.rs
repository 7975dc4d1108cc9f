//! A person at the broker: signs in by the form, then goes through the code flow on that session.

use anyhow::{Context as _, ensure};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::StatusCode;
use hyper::header::{LOCATION, SET_COOKIE};
use scraper::{Html, Selector};
use url::form_urlencoded::Serializer;
use yaopai::sample;

use super::client::{Answer, Connection, Work, expect, member};
use super::stage::{REDIRECT, SECRET};
use super::target::Target;

/// A PKCE verifier: the same each time, since nobody listens here.
const VERIFIER: &str = "bench-verifier-0123456789-0123456789-0123456789";

/// A signed-in person on a connection.
#[derive(Debug)]
pub struct Person {
    connection: Connection,
    cookie: String,
    authorize: String,
    token: &'static str,
    client: String,
}

/// Tokens of one code flow.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Access token.
    pub access: String,
    /// Refresh token.
    pub refresh: String,
}

/// Signs in by the form; the value of the `Cookie` header that carries the session.
pub async fn sign_in(address: &str) -> anyhow::Result<String> {
    let mut sign_in = SignIn::at(address).await?;
    let done = sign_in.send().await?;
    expect(&done, StatusCode::SEE_OTHER).context("signing in")?;
    sign_in.jar.extend(cookies(&done));
    Ok(sign_in.jar.join("; "))
}

/// The sign-in form in a browser, filled in.
#[derive(Debug)]
pub struct SignIn {
    connection: Connection,
    action: String,
    body: String,
    origin: String,
    jar: Vec<String>,
}

impl SignIn {
    /// Asks for the form.
    pub async fn at(address: &str) -> anyhow::Result<Self> {
        let mut connection = Connection::open(address).await?;
        let page = connection.send("GET", "/login", &[], "").await?;
        expect(&page, StatusCode::OK)?;
        let jar = cookies(&page);
        let (action, mut fields) = form(&String::from_utf8_lossy(page.body()))?;
        fields.push(("login".to_owned(), sample::CLERK.login.to_owned()));
        fields.push(("password".to_owned(), sample::PASSWORD.to_owned()));
        let body = Serializer::new(String::new()).extend_pairs(&fields).finish();
        Ok(Self { connection, action, body, origin: format!("http://{address}"), jar })
    }

    /// Sends it.
    pub async fn send(&mut self) -> anyhow::Result<Answer> {
        let jar = self.jar.join("; ");
        let headers = [("cookie", jar.as_str()), ("origin", self.origin.as_str())];
        self.connection.send("POST", &self.action, &headers, &self.body).await
    }
}

/// The cookies that an answer sets, as `name=value`.
pub fn cookies(answer: &Answer) -> Vec<String> {
    let set = answer.headers().get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    set.filter_map(|value| value.split(';').next()).map(str::to_owned).collect()
}

fn form(html: &str) -> anyhow::Result<(String, Vec<(String, String)>)> {
    let html = Html::parse_document(html);
    let select = |css: &str| Selector::parse(css).map_err(|error| anyhow::anyhow!("{css}: {error}"));
    let (forms, hidden, password) = (select("form")?, select("input[type=hidden]")?, select("input[name=password]")?);
    let form = html.select(&forms).find(|form| form.select(&password).next().is_some()).context("no sign-in form")?;
    let fields = form
        .select(&hidden)
        .filter_map(|input| Some((input.attr("name")?.to_owned(), input.attr("value").unwrap_or_default().to_owned())));
    let action = form.attr("action").filter(|action| action.starts_with('/')).unwrap_or("/login");
    Ok((action.to_owned(), fields.collect()))
}

/// Where an answer sends the browser.
pub fn location(answer: &Answer) -> anyhow::Result<String> {
    ensure!(answer.status().is_redirection(), "expected a redirect, got {}", answer.status());
    Ok(answer.headers().get(LOCATION).context("no Location")?.to_str()?.to_owned())
}

/// What every provider is asked for.
pub const SCOPE: &str = "openid profile";

/// The query of an authorization request of `client`.
pub fn authorize_query(client: &str, scope: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()));
    Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", client)
        .append_pair("redirect_uri", REDIRECT)
        .append_pair("scope", scope)
        .append_pair("state", "bench")
        .append_pair("nonce", "bench")
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .finish()
}

impl Person {
    /// The person signed in at `target`, on a connection of their own, about to use `client`.
    pub async fn at(target: &Target<'_>, client: &str, scope: &str) -> anyhow::Result<Self> {
        Ok(Self {
            connection: Connection::open(target.address).await?,
            cookie: target.cookie.clone(),
            authorize: format!("{}?{}", target.paths.authorize, authorize_query(client, scope)),
            token: target.paths.token,
            client: client.to_owned(),
        })
    }

    /// Authorization request, code, tokens: two requests.
    pub async fn code_flow(&mut self) -> anyhow::Result<Tokens> {
        let back = self.connection.send("GET", &self.authorize, &[("cookie", &self.cookie)], "").await?;
        let location = location(&back)?;
        let location = url::Url::parse(&location).with_context(|| format!("sent to `{location}`"))?;
        let code = location.query_pairs().find(|(name, _)| name == "code");
        let (_, code) = code.with_context(|| format!("no code in {location}"))?;
        let body = Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("client_id", &self.client)
            .append_pair("client_secret", SECRET)
            .append_pair("redirect_uri", REDIRECT)
            .append_pair("code_verifier", VERIFIER)
            .append_pair("code", &code)
            .finish();
        let answer = self.connection.send("POST", self.token, &[], &body).await?;
        expect(&answer, StatusCode::OK)?;
        Ok(Tokens { access: member(&answer, "access_token")?, refresh: member(&answer, "refresh_token")? })
    }
}

impl Work for Person {
    async fn once(&mut self) -> anyhow::Result<()> {
        self.code_flow().await.map(drop)
    }
}

/// A chain of refresh tokens, each used once.
#[derive(Debug)]
pub struct Refresher {
    connection: Connection,
    path: &'static str,
    client: String,
    token: String,
}

impl Refresher {
    /// A chain that begins with `token`.
    pub async fn at(target: &Target<'_>, client: &str, token: String) -> anyhow::Result<Self> {
        let connection = Connection::open(target.address).await?;
        Ok(Self { connection, path: target.paths.token, client: client.to_owned(), token })
    }
}

impl Work for Refresher {
    async fn once(&mut self) -> anyhow::Result<()> {
        let body = Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", &self.client)
            .append_pair("client_secret", SECRET)
            .append_pair("refresh_token", &self.token)
            .finish();
        let answer = self.connection.send("POST", self.path, &[], &body).await?;
        expect(&answer, StatusCode::OK)?;
        self.token = member(&answer, "refresh_token")?;
        Ok(())
    }
}
