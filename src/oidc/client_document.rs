//! Applications known by the address of a document (OAuth Client ID Metadata Document): the `client_id` is an `https`
//! address, and what is found there says what the application is. Nobody registers it; the person is asked, and is told
//! that nobody has looked at it.
//!
//! Off unless `[client_documents]` switches it on, for the hosts that it names. The document is fetched by the guarded
//! client, when an application comes to the authorization endpoint or proves itself for the first time; it counts for
//! [`FRESH`], and for [`USABLE`] when it cannot be fetched again, and nobody makes us ask more often than once in
//! [`AGAIN`]. What was read is a row like that of any other application, so that tokens, consent and revocation know
//! nothing of it; how many there may be is bounded.
//!
//! Judged strictly: `client_id` is the address to the letter, there is no secret and no way to authenticate that rests on
//! one, every address is on the document's own host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use moka::sync::Cache;
use serde_json::{Value, json};
use url::Url;

use super::Provider;
use super::registration::{Registrable, RegistrationFault, check};
use crate::audit::{self, Action, Event, Outcome};
use crate::config::{ClientDocumentsConfig, is_host_of};
use crate::crypto::strict_json;
use crate::model::{Application, AuthMethod};
use crate::net::NetError;
use crate::store::{Json, StoreError};
use crate::time::Instant;

/// What every such client id begins with.
const SCHEME: &str = "https://";
/// Characters of a client id at the most.
const LONGEST: usize = 255;
/// Bytes of a document at the most.
const MAX: usize = 5 * 1_024;
/// How long a fetched document counts as new.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// How soon after one attempt the next may be made.
const AGAIN: TimeDelta = TimeDelta::minutes(1);
/// How long a document is used when it cannot be fetched again.
const USABLE: TimeDelta = TimeDelta::hours(24);
/// A document that has not changed is noted as read so often, and not with every fetch.
const NOTED: TimeDelta = TimeDelta::hours(1);
/// Addresses whose attempts are remembered.
const CAPACITY: u64 = 10_000;
/// How long they are.
const IDLE: Duration = Duration::from_hours(1);

/// Why a document makes no application. For the log: outside, the application is as unknown as any.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Net(#[from] NetError),
    #[error("the address answers with status {0}")]
    Status(u16),
    #[error("the document is no JSON object of at most 5 KiB, or holds a member twice")]
    Malformed,
    #[error("client_id in the document is not its address")]
    Id,
    #[error("the document holds a secret, or wants to prove itself by one")]
    Secret,
    #[error(transparent)]
    Metadata(#[from] RegistrationFault),
    #[error("client_documents.at_most is reached")]
    Full,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// When documents were fetched.
#[derive(Debug)]
pub(super) struct ClientDocuments(Cache<String, Arc<Slot>>);

#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    fetched: Option<Instant>,
    tried: Option<Instant>,
}

impl Default for ClientDocuments {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(CAPACITY).time_to_idle(IDLE).build())
    }
}

impl Slot {
    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, with: impl FnOnce(&mut State)) {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn is_fresh(&self, now: Instant) -> bool {
        self.state().fetched.is_some_and(|at| now - at < FRESH)
    }

    fn is_waiting(&self, now: Instant) -> bool {
        self.state().tried.is_some_and(|at| now - at < AGAIN)
    }
}

/// The application of this id that is at hand; one that is known by a document and was never seen is fetched.
pub(super) async fn known(provider: Provider<'_>, id: &str) -> Result<Option<Arc<Application>>, StoreError> {
    let found = provider.applications.find(provider.broker, id).await?;
    if !id.starts_with(SCHEME) || found.as_ref().is_some_and(|app| app.declared) {
        return Ok(found);
    }
    match found {
        Some(app) if address(&provider.broker.config.client_documents, id).is_some() => Ok(Some(app)),
        // Switched off since it was read.
        Some(_) => Ok(None),
        None => find(provider, id).await,
    }
}

/// The application of this id; one that is known by a document, as the document says now.
pub(super) async fn find(provider: Provider<'_>, id: &str) -> Result<Option<Arc<Application>>, StoreError> {
    let broker = provider.broker;
    let found = provider.applications.find(broker, id).await?;
    if !id.starts_with(SCHEME) || found.as_ref().is_some_and(|app| app.declared) {
        return Ok(found);
    }
    let Some(address) = address(&broker.config.client_documents, id) else { return Ok(None) };
    let slot = provider.applications.documents().0.get_with(id.to_owned(), Arc::default);
    let now = broker.clock.now();
    if found.is_some() && slot.is_fresh(now) {
        return Ok(found);
    }
    let _one = slot.fetching.lock().await;
    let usable = found.filter(|app| now - app.updated_at < USABLE);
    if slot.is_fresh(now) {
        return provider.applications.find(broker, id).await;
    }
    if slot.is_waiting(now) {
        return Ok(usable);
    }
    slot.change(|state| state.tried = Some(now));
    match read(provider, id, &address, now).await {
        Ok(()) => {
            slot.change(|state| state.fetched = Some(now));
            provider.applications.find(broker, id).await
        }
        Err(Unusable::Store(error)) => Err(error),
        // What answers, and says something else than it did, is believed; what does not answer is waited for.
        Err(why) => {
            tracing::warn!(client_id = ?id, %why, "the document of an application is not used");
            Ok(usable.filter(|_| matches!(why, Unusable::Net(_) | Unusable::Status(_))))
        }
    }
}

/// The address that `id` is, where it may be one: of an allowed host, with a path, without user, fragment and steps
/// upwards, and written the way that it is read.
fn address(config: &ClientDocumentsConfig, id: &str) -> Option<Url> {
    if !config.enabled || id.len() > LONGEST {
        return None;
    }
    let url = Url::parse(id).ok()?;
    let is_plain = url.scheme() == "https"
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
        && url.query().is_none()
        && url.path() != "/"
        && url.as_str() == id;
    (is_plain && is_host_of(&config.hosts, &url)).then_some(url)
}

/// Fetches the document and writes what it says.
async fn read(provider: Provider<'_>, id: &str, address: &Url, now: Instant) -> Result<(), Unusable> {
    let broker = provider.broker;
    let answer = broker.net.get(address, "application/json").await?;
    if answer.status != 200 {
        return Err(Unusable::Status(answer.status));
    }
    let wanted = judge(&broker.config.client_documents, broker.config.mtls.is_some(), id, address, &answer.body)?;
    let mut tx = broker.db.write().await?;
    let before = tx.applications().find(id).await?;
    let app = application(id, address, wanted, before.as_ref(), now);
    let change = match &before {
        None if tx.applications().count_documents().await? >= i64::from(broker.config.client_documents.at_most) => {
            return Err(Unusable::Full);
        }
        None => {
            tx.applications().insert(&app).await?;
            "its document was read"
        }
        Some(before) if Application { updated_at: before.updated_at, ..app.clone() } == *before => {
            if now - before.updated_at >= NOTED {
                tx.applications().update(&app).await?;
                tx.commit().await?;
            }
            return Ok(());
        }
        Some(_) => {
            tx.applications().update(&app).await?;
            "its document changed"
        }
    };
    let event = Event::new(Action::ApplicationAdmin, Outcome::Success, "document", format!("app:{id}"))
        .with(json!({ "change": change }));
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    Ok(())
}

/// What a document makes of an application.
fn judge(
    config: &ClientDocumentsConfig,
    has_mtls: bool,
    id: &str,
    address: &Url,
    body: &[u8],
) -> Result<Registrable, Unusable> {
    let Some(Value::Object(mut members)) = (body.len() <= MAX).then(|| strict_json(body).ok()).flatten() else {
        return Err(Unusable::Malformed);
    };
    if members.get("client_id").and_then(Value::as_str) != Some(id) {
        return Err(Unusable::Id);
    }
    if members.keys().any(|name| name.starts_with("client_secret")) {
        return Err(Unusable::Secret);
    }
    // Nobody has looked at it, so nobody vouches for it either.
    members.remove("software_statement");
    members.entry("token_endpoint_auth_method").or_insert_with(|| AuthMethod::None.as_str().into());
    let wanted = check(&config.bounds(address.host_str().unwrap_or_default()), has_mtls, &members)?;
    if wanted.has_secret() { Err(Unusable::Secret) } else { Ok(wanted) }
}

fn application(
    id: &str,
    address: &Url,
    wanted: Registrable,
    before: Option<&Application>,
    now: Instant,
) -> Application {
    let host = address.host_str().unwrap_or_default();
    Application {
        id: id.to_owned(),
        name: format!("{} ({host}, 未验证 · unverified)", wanted.name.as_deref().unwrap_or(host)),
        declared: false,
        enabled: true,
        auth_method: wanted.auth_method,
        secret_hash: None,
        secret_since: None,
        old_secret_hash: None,
        old_secret_until: None,
        settings: Json(wanted.settings),
        created_at: before.map_or(now, |app| app.created_at),
        updated_at: now,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{address, judge};
    use crate::config::ClientDocumentsConfig;
    use crate::model::ConsentRule;

    const ID: &str = "https://agent.example/client.json";

    fn config() -> ClientDocumentsConfig {
        let hosts = vec!["agent.example".to_owned(), "*.agents.example".to_owned()];
        ClientDocumentsConfig { enabled: true, hosts, ..ClientDocumentsConfig::default() }
    }

    fn judged(changes: &Value) -> bool {
        let mut document = json!({ "client_id": ID, "redirect_uris": ["https://agent.example/cb"] });
        for (name, value) in changes.as_object().unwrap() {
            document[name] = value.clone();
        }
        judge(&config(), false, ID, &ID.parse().unwrap(), document.to_string().as_bytes()).is_ok()
    }

    /// OAUTH-142, OAUTH-147
    #[test]
    fn only_a_plain_address_of_an_allowed_host_is_fetched() {
        for good in [ID, "https://a.agents.example:8443/x/y"] {
            assert!(address(&config(), good).is_some(), "{good}");
        }
        for bad in [
            "https://agent.example",
            "https://agent.example/",
            "http://agent.example/client.json",
            "https://user@agent.example/client.json",
            "https://agent.example/client.json#x",
            "https://agent.example/client.json?x=1",
            "https://agent.example/a/../client.json",
            "https://agent.example/./client.json",
            "https://agent.example:443/client.json",
            "https://AGENT.example/client.json",
            "https://agent.example/a b",
            "https://agent.example.evil.example/client.json",
            "https://agents.example/client.json",
            "https://127.0.0.1/client.json",
            "https:/agent.example/client.json",
            &format!("https://agent.example/{}", "x".repeat(300)),
        ] {
            assert!(address(&config(), bad).is_none(), "{bad}");
        }
        assert!(address(&ClientDocumentsConfig { enabled: false, ..config() }, ID).is_none());
    }

    /// OAUTH-140, OAUTH-143, OAUTH-147
    #[test]
    fn a_document_is_judged_strictly() {
        assert!(judged(&json!({})));
        assert!(judged(&json!({ "client_name": "Agent", "surprise": 1, "software_statement": "x" })));
        assert!(judged(
            &json!({ "jwks_uri": "https://agent.example/jwks", "token_endpoint_auth_method": "private_key_jwt" })
        ));
        for bad in [
            json!({ "client_id": "https://agent.example/other.json" }),
            json!({ "client_id": null }),
            json!({ "client_secret": "x" }),
            json!({ "client_secret_expires_at": 0 }),
            json!({ "token_endpoint_auth_method": "client_secret_basic" }),
            json!({ "token_endpoint_auth_method": "client_secret_jwt" }),
            json!({ "token_endpoint_auth_method": "private_key_jwt" }),
            json!({ "redirect_uris": ["https://other.example/cb"] }),
            json!({ "redirect_uris": ["http://127.0.0.1/cb"] }),
            json!({ "redirect_uris": ["com.example.agent:/cb"] }),
            json!({ "redirect_uris": [] }),
            json!({ "jwks_uri": "https://other.example/jwks", "token_endpoint_auth_method": "private_key_jwt" }),
            json!({ "logo_uri": "https://other.example/logo" }),
            json!({ "grant_types": ["client_credentials"], "redirect_uris": [] }),
            json!({ "scope": "openid admin" }),
            json!({ "client_name": "<b>" }),
            json!({ "padding": "x".repeat(6_000) }),
        ] {
            assert!(!judged(&bad), "{bad}");
        }
        let document = json!({ "client_id": ID, "redirect_uris": ["http://127.0.0.1/cb"] }).to_string();
        let open = ClientDocumentsConfig { loopback: true, ..config() };
        let wanted = judge(&open, false, ID, &ID.parse().unwrap(), document.as_bytes()).ok().unwrap();
        assert!(wanted.settings.require_pkce && wanted.settings.identity.consent == ConsentRule::Once);
        for bad in ["", "[]", "{", &format!("{{\"client_id\":\"{ID}\",\"client_id\":\"{ID}\"}}")] {
            assert!(judge(&config(), false, ID, &ID.parse().unwrap(), bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
