//! Following the issuer's change feed, so that what is revoked is refused within a second.
//!
//! What the feed names is remembered for as long as a token can live. The feed counts as current while the line
//! speaks at least every [`SILENCE`]: a line that went dead is noticed, and tokens are then looked up on their lists.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::header;
use moka::sync::Cache;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::claims::{ALGORITHMS, Claims, VerifyError};
use super::client::{Client, ClientError};
use super::keys::Keys;
use crate::crypto::foreign::{self, Rules};

/// The line speaks at least so often, or it is dead.
const SILENCE: Duration = Duration::from_secs(3);
/// Wait before a new line is opened after a failure.
const AGAIN: Duration = Duration::from_secs(1);
/// The same after a line that ended in order.
const AT_ONCE: Duration = Duration::from_millis(100);
/// How long a revocation is remembered: longer than any access token lives.
const REMEMBERED: Duration = Duration::from_hours(26);
/// Revocations remembered.
const CAPACITY: u64 = 1_000_000;
/// Bytes of one event at the most.
const MAX_EVENT: usize = 64 * 1024;
/// The member of `events`.
const EVENT: &str = "urn:yaopai:event:revoked";

/// How a validator proves itself when it follows: an application with `client_secret_basic`, the grant
/// `client_credentials` and the scope `revocations:read`.
#[derive(Clone)]
pub struct FeedCredentials {
    /// Its client id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
}

impl std::fmt::Debug for FeedCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FeedCredentials({}, hidden)", self.client_id)
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    grants: Vec<String>,
    #[serde(default)]
    tokens: Vec<String>,
    #[serde(default)]
    applications: Vec<Application>,
}

#[derive(Deserialize)]
struct Application {
    client_id: String,
    before: i64,
}

/// What the feed has named.
#[derive(Debug)]
pub(super) struct Revoked {
    names: Cache<String, i64>,
    current: AtomicBool,
}

impl Default for Revoked {
    fn default() -> Self {
        let names = Cache::builder().max_capacity(CAPACITY).time_to_live(REMEMBERED).build();
        Self { names, current: AtomicBool::new(false) }
    }
}

impl Revoked {
    /// Whether the feed has named what the token rests on.
    pub(super) fn names(&self, claims: &Claims) -> bool {
        let grant = claims.grant.as_deref().is_some_and(|grant| self.names.contains_key(&format!("grant:{grant}")));
        let before = self.names.get(&format!("app:{}", claims.client_id));
        grant
            || self.names.contains_key(&format!("jti:{}", claims.jti))
            || before.is_some_and(|before| claims.iat <= before)
    }

    /// Whether the line is alive.
    pub(super) fn is_current(&self) -> bool {
        self.current.load(Ordering::SeqCst)
    }

    fn note(&self, event: Event) {
        for grant in event.grants {
            self.names.insert(format!("grant:{grant}"), 0);
        }
        for token in event.tokens {
            self.names.insert(format!("jti:{token}"), 0);
        }
        for app in event.applications {
            self.names.insert(format!("app:{}", app.client_id), app.before);
        }
    }
}

/// Follows until the process ends: opens the line, reads it, and opens it again where it broke.
pub(super) async fn follow(
    client: &Client,
    keys: &Keys,
    issuer: &str,
    revoked: &Revoked,
    credentials: &FeedCredentials,
) {
    let mut last = None;
    loop {
        let ended = line(client, keys, issuer, revoked, credentials, &mut last).await;
        revoked.current.store(false, Ordering::SeqCst);
        // A line that ended with its token is opened again at once: nothing is missed for long.
        let wait = match ended {
            Ok(()) => AT_ONCE,
            Err(error) => {
                tracing::warn!(%error, issuer, "the change feed is lost; tokens are looked up on their status lists");
                AGAIN
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// One line, from its opening to its end.
async fn line(
    client: &Client,
    keys: &Keys,
    issuer: &str,
    revoked: &Revoked,
    credentials: &FeedCredentials,
    last: &mut Option<String>,
) -> Result<(), VerifyError> {
    let token = access_token(client, issuer, credentials).await?;
    let mut request = Request::get(format!("{issuer}/oauth2/revocations"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::ACCEPT, "text/event-stream");
    if let Some(last) = &last {
        request = request.header("last-event-id", last.as_str());
    }
    let request = request.body(Full::default()).map_err(|_| ClientError::Address(issuer.to_owned()))?;
    let answer = client.send(request).await?;
    if answer.status() != 200 {
        return Err(ClientError::Status(answer.status().as_u16()).into());
    }
    let mut body = answer.into_body();
    let mut text = String::new();
    while let Some(chunk) = chunk(&mut body).await? {
        text.push_str(&chunk);
        while let Some((block, rest)) = text.split_once("\n\n") {
            if let Some((id, event)) = read(client, keys, &credentials.client_id, block).await? {
                revoked.note(event);
                *last = Some(id);
            }
            // A block of which nothing is to be read is the line's sign of life. What came before it is known by now.
            revoked.current.store(is_sign_of_life(block) || revoked.is_current(), Ordering::SeqCst);
            text = rest.to_owned();
        }
        if text.len() > MAX_EVENT {
            return Err(ClientError::Answer("an event of the feed is too long").into());
        }
    }
    Ok(())
}

fn is_sign_of_life(block: &str) -> bool {
    block.starts_with(':')
}

/// What comes next; a line that is silent for too long is dead.
async fn chunk(body: &mut Incoming) -> Result<Option<String>, ClientError> {
    loop {
        let frame = tokio::time::timeout(SILENCE, body.frame()).await;
        let frame = frame.map_err(|_| ClientError::Unreachable("the feed is silent".to_owned()))?;
        let Some(frame) = frame else { return Ok(None) };
        let frame = frame.map_err(|error| ClientError::Unreachable(error.to_string()))?;
        if let Ok(data) = frame.into_data() {
            let text = String::from_utf8(data.to_vec());
            return text.map(Some).map_err(|_| ClientError::Answer("the feed is no text"));
        }
    }
}

/// The event of a block: its id, and what it names. A comment is none; a forged event ends the line.
async fn read(client: &Client, keys: &Keys, own: &str, block: &str) -> Result<Option<(String, Event)>, VerifyError> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let (Some(id), Some(data)) = (field("id:"), field("data:")) else { return Ok(None) };
    let unverified = foreign::read(data, &Rules { algorithms: ALGORITHMS, types: &["secevent+jwt"] })?;
    let fitting = keys.fitting(client, &unverified).await?;
    let claims = unverified.verify(fitting.iter())?;
    if claims.get("aud").and_then(Value::as_str) != Some(own) {
        return Err(VerifyError::Audience);
    }
    let mut events: HashMap<String, Value> = claims
        .get("events")
        .cloned()
        .and_then(|events| serde_json::from_value(events).ok())
        .ok_or(VerifyError::Claims)?;
    let event = events.remove(EVENT).ok_or(VerifyError::Claims)?;
    let event = serde_json::from_value(event).map_err(|_| VerifyError::Claims)?;
    Ok(Some((id.to_owned(), event)))
}

async fn access_token(client: &Client, issuer: &str, credentials: &FeedCredentials) -> Result<String, ClientError> {
    // RFC 6749 section 2.3.1: both are form-encoded first.
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let basic = format!("{}:{}", encoded(&credentials.client_id), encoded(&credentials.client_secret));
    let form = Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("scope", "revocations:read")
        .finish();
    let request = Request::post(format!("{issuer}/oauth2/token"))
        .header(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(basic)))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form)))
        .map_err(|_| ClientError::Address(issuer.to_owned()))?;
    let answer: Value = serde_json::from_slice(&client.read(request).await?)
        .map_err(|_| ClientError::Answer("the token answer is no JSON"))?;
    let token = answer.get("access_token").and_then(Value::as_str);
    token.map(str::to_owned).ok_or(ClientError::Answer("the token answer holds no token"))
}
