//! Dynamic client registration (RFC 7591) and its management (RFC 7592).
//!
//! Off unless the configuration switches it on; then whoever holds an initial access token (made on the command line,
//! for so many uses and so long) may register an application. What it may be is bounded by the configuration: hosts,
//! grants, scopes. Id and secret are ours to choose; people are always asked for consent, and see the name marked as
//! unverified.

mod document;
mod proof;
mod statement;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

pub use self::document::RegistrationFault;
use self::document::read;
pub(super) use self::document::{Registrable, check};
use super::client::PURPOSE as SECRET;
use super::{Caller, Provider};
use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::crypto::constant_time_eq;
use crate::model::{Application, Registration};
use crate::store::{Json, StoreError};

/// Purpose under which initial access tokens are hashed.
const INITIAL: &str = "registration-initial";
/// Purpose under which registration access tokens are hashed.
const MANAGEMENT: &str = "registration-access";

/// Makes an initial access token that is good for `uses` registrations within `life`; it is stored nowhere.
///
/// # Errors
/// When the database fails.
pub async fn registration_token(broker: &Broker, life: TimeDelta, uses: i64) -> Result<String, StoreError> {
    let now = broker.clock.now();
    let token = broker.rng.token();
    let mut tx = broker.db.write().await?;
    tx.registrations().permit(&broker.master.token_hash(INITIAL, &token), uses, now, now + life).await?;
    let event = Event::new(Action::ApplicationAdmin, Outcome::Success, "cli", "registration")
        .with(json!({ "change": "initial access token made", "uses": uses, "until": now + life }));
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    Ok(token)
}

/// Where and with what an application manages its registration; `endpoint` is the address of the registration endpoint.
fn answer(mut document: Map<String, Value>, id: &str, endpoint: &str, token: Option<&str>) -> Map<String, Value> {
    document.insert("client_id".to_owned(), id.into());
    document.insert("registration_client_uri".to_owned(), format!("{endpoint}/{id}").into());
    if let Some(token) = token {
        document.insert("registration_access_token".to_owned(), token.into());
    }
    document
}

/// Registers an application (RFC 7591 section 3).
///
/// # Errors
/// [`RegistrationFault`].
pub async fn register(
    provider: Provider<'_>,
    caller: &Caller,
    bearer: Option<&str>,
    body: &[u8],
    endpoint: &str,
) -> Result<Map<String, Value>, RegistrationFault> {
    let broker = provider.broker;
    if !broker.config.registration.enabled {
        return Err(RegistrationFault::Off);
    }
    let initial = broker.master.token_hash(INITIAL, bearer.ok_or(RegistrationFault::Token)?);
    let wanted = read(provider, body).await?;
    let now = broker.clock.now();
    let (id, secret) = (broker.rng.uuid(now).to_string(), wanted.has_secret().then(|| broker.rng.token()));
    let token = broker.rng.token();
    let mut document = wanted.document.clone();
    document.insert("client_id_issued_at".to_owned(), now.timestamp().into());
    let app = application(broker, &id, wanted, secret.as_deref(), None);
    let row = Registration {
        application_id: id.clone(),
        token_hash: broker.master.token_hash(MANAGEMENT, &token),
        document: Json(document.clone()),
        created_at: now,
        updated_at: now,
    };
    let mut tx = broker.db.write().await?;
    // Taken last: a token is not spent on what is refused, and of two that use it up at once one wins.
    if !tx.registrations().consume(&initial, now).await? {
        return Err(RegistrationFault::Token);
    }
    tx.applications().insert(&app).await?;
    tx.registrations().insert(&row).await?;
    audit::append(&mut tx, now, &[event(caller, &id, "registered")]).await?;
    tx.commit().await?;
    if let Some(secret) = secret {
        document.insert("client_secret".to_owned(), secret.into());
        document.insert("client_secret_expires_at".to_owned(), 0.into());
    }
    Ok(answer(document, &id, endpoint, Some(&token)))
}

fn event(caller: &Caller, id: &str, change: &str) -> Event {
    Event::new(Action::ApplicationAdmin, Outcome::Success, "registration", format!("app:{id}"))
        .from_request(caller.address.to_string(), &caller.request_id)
        .with(json!({ "change": change }))
}

/// The application that was asked for; `before` is what it replaces.
fn application(
    broker: &Broker,
    id: &str,
    wanted: Registrable,
    secret: Option<&str>,
    before: Option<&Application>,
) -> Application {
    let now = broker.clock.now();
    let fresh = secret.map(|secret| broker.master.token_hash(SECRET, secret));
    let kept = before.filter(|_| wanted.has_secret());
    Application {
        id: id.to_owned(),
        // Shown to people, so it says everywhere that nobody has looked at it.
        name: format!("{} (未验证 · unverified)", wanted.name.as_deref().unwrap_or(id)),
        declared: false,
        enabled: true,
        auth_method: wanted.auth_method,
        secret_since: if fresh.is_some() { Some(now) } else { kept.and_then(|app| app.secret_since) },
        secret_hash: fresh.or_else(|| kept.and_then(|app| app.secret_hash.clone())),
        old_secret_hash: None,
        old_secret_until: None,
        settings: Json(wanted.settings),
        created_at: before.map_or(now, |app| app.created_at),
        updated_at: now,
    }
}

/// The registration that `bearer` manages, with its application.
async fn managed(
    provider: Provider<'_>,
    id: &str,
    bearer: Option<&str>,
) -> Result<(Registration, Application), RegistrationFault> {
    let broker = provider.broker;
    if !broker.config.registration.enabled {
        return Err(RegistrationFault::Off);
    }
    let hash = broker.master.token_hash(MANAGEMENT, bearer.ok_or(RegistrationFault::Token)?);
    let mut tx = broker.db.read().await?;
    let found = tx.registrations().find(id, &hash).await?.ok_or(RegistrationFault::Token)?;
    let app = tx.applications().find(id).await?.filter(|app| app.enabled).ok_or(RegistrationFault::Token)?;
    Ok((found, app))
}

/// What is registered (RFC 7592 section 2.1). Secret and token are not shown again.
///
/// # Errors
/// [`RegistrationFault`].
pub async fn read_registration(
    provider: Provider<'_>,
    id: &str,
    bearer: Option<&str>,
    endpoint: &str,
) -> Result<Map<String, Value>, RegistrationFault> {
    let (found, _) = managed(provider, id, bearer).await?;
    Ok(answer(found.document.0, id, endpoint, bearer))
}

/// Replaces everything that was registered (RFC 7592 section 2.2); the registration access token changes.
///
/// # Errors
/// [`RegistrationFault`].
pub async fn replace_registration(
    provider: Provider<'_>,
    caller: &Caller,
    (id, bearer): (&str, Option<&str>),
    body: &[u8],
    endpoint: &str,
) -> Result<Map<String, Value>, RegistrationFault> {
    let broker = provider.broker;
    let (found, before) = managed(provider, id, bearer).await?;
    let sent = document::members(body)?;
    if sent.get("client_id").and_then(Value::as_str) != Some(id) {
        return Err(RegistrationFault::Metadata("client_id is missing or another application's"));
    }
    let ours =
        ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];
    if ours.iter().any(|name| sent.contains_key(*name)) {
        return Err(RegistrationFault::Metadata("the body holds members that only the server sets"));
    }
    if let Some(secret) = sent.get("client_secret") {
        let shown = broker.master.token_hash(SECRET, secret.as_str().unwrap_or_default());
        let is_own = before.secret_hash.as_ref().is_some_and(|own| constant_time_eq(own.as_bytes(), shown.as_bytes()));
        if !is_own {
            return Err(RegistrationFault::Metadata("client_secret is not the application's: it is ours to choose"));
        }
    }
    let wanted = read(provider, body).await?;
    let now = broker.clock.now();
    let secret = (wanted.has_secret() && before.secret_hash.is_none()).then(|| broker.rng.token());
    let token = broker.rng.token();
    let mut document = wanted.document.clone();
    document.insert("client_id_issued_at".to_owned(), found.created_at.timestamp().into());
    let app = application(broker, id, wanted, secret.as_deref(), Some(&before));
    let row = Registration {
        token_hash: broker.master.token_hash(MANAGEMENT, &token),
        document: Json(document.clone()),
        updated_at: now,
        ..found.clone()
    };
    let mut tx = broker.db.write().await?;
    if !tx.registrations().replace(&row, &found.token_hash).await? {
        return Err(RegistrationFault::Token);
    }
    tx.applications().update(&app).await?;
    audit::append(&mut tx, now, &[event(caller, id, "registration replaced")]).await?;
    tx.commit().await?;
    if let Some(secret) = secret {
        document.insert("client_secret".to_owned(), secret.into());
        document.insert("client_secret_expires_at".to_owned(), 0.into());
    }
    Ok(answer(document, id, endpoint, Some(&token)))
}

/// Removes the application with everything issued to it (RFC 7592 section 2.3).
///
/// # Errors
/// [`RegistrationFault`].
pub async fn remove_registration(
    provider: Provider<'_>,
    caller: &Caller,
    id: &str,
    bearer: Option<&str>,
) -> Result<(), RegistrationFault> {
    let broker = provider.broker;
    managed(provider, id, bearer).await?;
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    if !tx.registrations().delete(id).await? {
        return Err(RegistrationFault::Token);
    }
    tx.applications().revoke_grants(id, now).await?;
    tx.applications().delete(id).await?;
    audit::append(&mut tx, now, &[event(caller, id, "removed by itself")]).await?;
    tx.commit().await?;
    Ok(())
}
