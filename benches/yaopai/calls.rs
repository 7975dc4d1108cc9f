//! The scenarios over HTTP, each against the same running broker.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;

use super::client::{CONNECTIONS, Connection, Measured, Work, expect, measure, member};
use super::person::{Person, Refresher, SCOPE};
use super::stage::{ALGORITHMS, SECRET};
use super::target::Target;

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

/// One line of a table.
#[derive(Clone, Debug)]
pub struct Line {
    /// What was measured.
    pub name: String,
    /// The numbers.
    pub measured: Measured,
}

/// The measuring of one provider.
#[derive(Debug)]
pub struct Bench<'a> {
    target: Target<'a>,
    time: Duration,
    /// What was measured so far.
    pub lines: Vec<Line>,
}

/// The name of a scenario that signs.
pub fn signing(what: &str, algorithm: &str) -> String {
    format!("{what} ({algorithm})")
}

fn basic(service: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{service}:{SECRET}")))
}

const OWN_NAME: &str = "grant_type=client_credentials&scope=expense%3Aread";

impl<'a> Bench<'a> {
    /// Measures `target`, each scenario for `time`.
    pub fn of(target: Target<'a>, time: Duration) -> Self {
        Self { target, time, lines: Vec::new() }
    }

    /// What every provider is asked.
    pub async fn provider(&mut self) -> anyhow::Result<()> {
        let paths = *self.target.paths;
        self.repeat("JWKS", &Sent::get(paths.jwks)).await?;
        for algorithm in ALGORITHMS {
            let request = Sent::post(paths.token, OWN_NAME.to_owned());
            let request = request.with("authorization", basic(&format!("ledger-{algorithm}")));
            self.repeat(&signing("client_credentials", algorithm), &request).await?;
        }
        let token = self.service_token(paths.introspected).await?;
        let introspect = Sent::post(paths.introspect, format!("token={token}"));
        self.repeat("introspection", &introspect.with("authorization", basic(paths.introspected))).await?;
        let bearer = format!("Bearer {}", self.person_token(SCOPE).await?);
        self.repeat("userinfo", &Sent::get(paths.userinfo).with("authorization", bearer)).await?;
        for algorithm in ALGORITHMS {
            self.person(algorithm).await?;
        }
        Ok(())
    }

    /// What only we have: the floor of HTTP, and the gateway.
    pub async fn ours(&mut self, gateway: &str) -> anyhow::Result<()> {
        self.repeat("health page (the HTTP floor)", &Sent::get("/health")).await?;
        let person = format!("Bearer {}", self.person_token("openid expense:read").await?);
        let service = format!("Bearer {}", self.service_token("ledger").await?);
        let check = Sent::get("/gateway/check")
            .with("x-forwarded-method", "GET")
            .with("x-forwarded-proto", "http")
            .with("x-forwarded-host", gateway)
            .with("x-forwarded-uri", "/expense")
            .with("x-forwarded-for", "198.51.100.7");
        let named = check.clone().with("authorization", service);
        self.repeat("gateway, forward-auth, a service", &named).await?;
        let named = check.with("authorization", &*person);
        self.repeat("gateway, forward-auth, a person", &named).await?;
        let call = Sent::get("/expense").with("authorization", person);
        self.repeat_at("gateway, built-in proxy, a person", gateway, &call).await
    }

    /// An access token of a service in its own name.
    async fn service_token(&self, service: &str) -> anyhow::Result<String> {
        let mut connection = Connection::open(self.target.address).await?;
        let authorization = basic(service);
        let headers = [("authorization", authorization.as_str())];
        let answer = connection.send("POST", self.target.paths.token, &headers, OWN_NAME).await?;
        expect(&answer, StatusCode::OK)?;
        member(&answer, "access_token")
    }

    /// An access token of a person.
    async fn person_token(&self, scope: &str) -> anyhow::Result<String> {
        Ok(Person::at(&self.target, "oa-ES256", scope).await?.code_flow().await?.access)
    }

    async fn person(&mut self, algorithm: &str) -> anyhow::Result<()> {
        self.refresh(algorithm).await?;
        let mut people = Vec::new();
        for _ in 0..CONNECTIONS {
            people.push(Person::at(&self.target, &format!("oa-{algorithm}"), SCOPE).await?);
        }
        self.measure(&signing("code flow on a session, 2 requests", algorithm), people).await
    }

    /// Refreshes, a chain of tokens on each connection.
    pub async fn refresh(&mut self, algorithm: &str) -> anyhow::Result<()> {
        let client = format!("oa-{algorithm}");
        let mut chains = Vec::new();
        for _ in 0..CONNECTIONS {
            let tokens = Person::at(&self.target, &client, SCOPE).await?.code_flow().await?;
            chains.push(Refresher::at(&self.target, &client, tokens.refresh).await?);
        }
        self.measure(&signing("refresh", algorithm), chains).await
    }

    async fn repeat(&mut self, name: &str, request: &Sent) -> anyhow::Result<()> {
        self.repeat_at(name, self.target.address, request).await
    }

    async fn repeat_at(&mut self, name: &str, address: &str, request: &Sent) -> anyhow::Result<()> {
        let mut workers = Vec::new();
        for _ in 0..CONNECTIONS {
            workers.push(Repeat { connection: Connection::open(address).await?, request: request.clone() });
        }
        self.measure(name, workers).await
    }

    async fn measure<W: Work>(&mut self, name: &str, workers: Vec<W>) -> anyhow::Result<()> {
        eprintln!("measuring: {name}");
        let measured = measure(self.target.server, workers, self.time).await;
        let measured = measured.map_err(|error| error.context(name.to_owned()))?;
        self.lines.push(Line { name: name.to_owned(), measured });
        Ok(())
    }
}
