//! The scenarios over HTTP, each against the same running broker.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;

use super::client::{CONNECTIONS, Connection, Measured, Work, expect, measure, member};
use super::person::{Person, Refresher, sign_in};
use super::stage::{SECRET, Stage};

/// The same request again and again.
#[derive(Debug)]
struct Repeat {
    connection: Connection,
    request: Sent,
}

/// A request.
#[derive(Clone, Debug)]
struct Sent {
    method: &'static str,
    path: &'static str,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Sent {
    fn get(path: &'static str) -> Self {
        Self { method: "GET", path, headers: Vec::new(), body: String::new() }
    }

    fn post(path: &'static str, body: String) -> Self {
        Self { method: "POST", path, headers: Vec::new(), body }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Work for Repeat {
    async fn once(&mut self) -> anyhow::Result<()> {
        let headers: Vec<(&str, &str)> =
            self.request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = self.connection.send(self.request.method, self.request.path, &headers, &self.request.body).await?;
        expect(&answer, StatusCode::OK)
    }
}

/// One line of the table.
#[derive(Debug)]
pub struct Line {
    /// What was measured.
    pub name: &'static str,
    /// The numbers.
    pub measured: Measured,
}

/// The measuring of one broker.
#[derive(Debug)]
struct Bench<'a> {
    stage: &'a Stage,
    time: Duration,
    lines: Vec<Line>,
}

/// Measures every scenario for `time` each.
pub async fn all(stage: &Stage, time: Duration) -> anyhow::Result<Vec<Line>> {
    let mut bench = Bench { stage, time, lines: Vec::new() };
    bench.repeat("health page (the HTTP floor)", &stage.broker, &Sent::get("/health")).await?;
    bench.repeat("JWKS", &stage.broker, &Sent::get("/oauth2/jwks")).await?;
    let basic = format!("Basic {}", STANDARD.encode(format!("ledger:{SECRET}")));
    let token = Sent::post("/oauth2/token", "grant_type=client_credentials&scope=expense%3Aread".to_owned());
    let token = token.with("authorization", &*basic);
    bench.repeat("client_credentials (ES256)", &stage.broker, &token).await?;
    let service = service_token(stage, &basic).await?;
    let introspect = Sent::post("/oauth2/introspect", format!("token={service}")).with("authorization", &*basic);
    bench.repeat("introspection", &stage.broker, &introspect).await?;
    bench.people(&service).await?;
    Ok(bench.lines)
}

async fn service_token(stage: &Stage, basic: &str) -> anyhow::Result<String> {
    let mut connection = Connection::open(&stage.broker).await?;
    let body = "grant_type=client_credentials&scope=expense%3Aread";
    let answer = connection.send("POST", "/oauth2/token", &[("authorization", basic)], body).await?;
    expect(&answer, StatusCode::OK)?;
    member(&answer, "access_token")
}

impl Bench<'_> {
    async fn repeat(&mut self, name: &'static str, address: &str, request: &Sent) -> anyhow::Result<()> {
        let mut workers = Vec::new();
        for _ in 0..CONNECTIONS {
            workers.push(Repeat { connection: Connection::open(address).await?, request: request.clone() });
        }
        self.measure(name, workers).await
    }

    async fn measure<W: Work>(&mut self, name: &'static str, workers: Vec<W>) -> anyhow::Result<()> {
        eprintln!("measuring: {name}");
        let measured = measure(&self.stage.server, workers, self.time).await;
        let measured = measured.map_err(|error| error.context(name))?;
        self.lines.push(Line { name, measured });
        Ok(())
    }

    async fn people(&mut self, service: &str) -> anyhow::Result<()> {
        let stage = self.stage;
        let cookie = sign_in(&stage.broker).await?;
        let mut people = Vec::new();
        for _ in 0..CONNECTIONS {
            people.push(Person::at(&stage.broker, &cookie).await?);
        }
        let tokens = Person::at(&stage.broker, &cookie).await?.code_flow().await?;
        let bearer = format!("Bearer {}", tokens.access);
        let userinfo = Sent::get("/oauth2/userinfo").with("authorization", &*bearer);
        self.repeat("userinfo", &stage.broker, &userinfo).await?;
        let mut chains = Vec::new();
        for person in &mut people {
            let tokens = person.code_flow().await?;
            chains.push(Refresher::at(&stage.broker, tokens.refresh).await?);
        }
        self.measure("refresh (rotation, access and ID token)", chains).await?;
        self.measure("code flow on a session (2 requests)", people).await?;
        self.gateway(&bearer, &format!("Bearer {service}")).await
    }

    async fn gateway(&mut self, person: &str, service: &str) -> anyhow::Result<()> {
        let stage = self.stage;
        let check = Sent::get("/gateway/check")
            .with("x-forwarded-method", "GET")
            .with("x-forwarded-proto", "http")
            .with("x-forwarded-host", &*stage.gateway)
            .with("x-forwarded-uri", "/expense")
            .with("x-forwarded-for", "198.51.100.7");
        let named = check.clone().with("authorization", service);
        self.repeat("gateway, forward-auth, a service", &stage.broker, &named).await?;
        let named = check.with("authorization", person);
        self.repeat("gateway, forward-auth, a person", &stage.broker, &named).await?;
        let call = Sent::get("/expense").with("authorization", person);
        self.repeat("gateway, built-in proxy, a person", &stage.gateway, &call).await
    }
}
