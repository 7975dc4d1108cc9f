//! Test logins: an operator makes a one-time link on the command line, an administrator opens it, signs in, and sees what
//! the application would be told of them.
//!
//! Nothing is issued: what is shown is made by the code that makes tokens, and not signed, so that nobody can use it.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::preview::{Preview, PreviewError, preview};
use super::{Caller, Provider};
use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::model::{Application, Session, TestLogin, User};
use crate::store::StoreError;

/// Purpose under which tokens of links are hashed.
const PURPOSE: &str = "test-login";
/// How long a link is good for.
const LIFE: TimeDelta = TimeDelta::minutes(15);

/// Makes a link for `app`; gives its token, which is stored nowhere.
///
/// # Errors
/// When the database fails.
pub async fn offer_test_login(broker: &Broker, app: &Application, scope: Option<&str>) -> Result<String, StoreError> {
    let now = broker.clock.now();
    let token = broker.rng.token();
    let row = TestLogin {
        token_hash: broker.master.token_hash(PURPOSE, &token),
        application_id: app.id.clone(),
        scope: scope.map(str::to_owned),
        created_at: now,
        expires_at: now + LIFE,
        used_at: None,
    };
    let event = Event::new(Action::ApplicationAdmin, Outcome::Success, "cli", format!("app:{}", app.id))
        .with(json!({ "change": "test login offered" }));
    let mut tx = broker.db.write().await?;
    tx.test_logins().insert(&row).await?;
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    Ok(token)
}

/// The application that a link is for, while the link can be used.
///
/// # Errors
/// When the database fails.
pub async fn find_test_login(provider: Provider<'_>, token: &str) -> Result<Option<Arc<Application>>, StoreError> {
    let broker = provider.broker;
    let hash = broker.master.token_hash(PURPOSE, token);
    let found = broker.db.read().await?.test_logins().find(&hash, broker.clock.now()).await?;
    match found {
        Some(link) => provider.applications.find(broker, &link.application_id).await,
        None => Ok(None),
    }
}

/// Takes the link and shows what its application would be told of this person in this session; none when the link cannot
/// be used any more.
///
/// # Errors
/// When the database fails.
pub async fn run_test_login(
    provider: Provider<'_>,
    caller: &Caller,
    token: &str,
    (session, user): (&Session, &User),
) -> Result<Option<(Arc<Application>, Preview)>, StoreError> {
    let broker = provider.broker;
    let now = broker.clock.now();
    let hash = broker.master.token_hash(PURPOSE, token);
    let mut tx = broker.db.write().await?;
    let Some(link) = tx.test_logins().consume(&hash, now).await? else { return Ok(None) };
    let event = Event::new(
        Action::ApplicationAdmin,
        Outcome::Success,
        format!("user:{}", user.id),
        format!("app:{}", link.application_id),
    )
    .from_request(caller.address.to_string(), &caller.request_id)
    .with(json!({ "change": "test login" }));
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    let Some(app) = provider.applications.find(broker, &link.application_id).await? else { return Ok(None) };
    match preview(provider, &app, user, Some(session), link.scope.as_deref(), None).await {
        Ok(shown) => Ok(Some((app, shown))),
        // Without the parameter nothing of it can be wrong.
        Err(PreviewError::Claims(_)) => Ok(None),
        Err(PreviewError::Store(error)) => Err(error),
    }
}
