//! Applications made at run time: `yaopai app add|rotate-secret|remove`. A secret is random and given out once.

use chrono::TimeDelta;
use serde_json::json;

use super::client::PURPOSE;
use super::replay::seal_secret;
use super::scopes::is_scope;
use super::sector::{SectorError, check_sector};
use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::crypto::MasterKeyError;
use crate::model::{
    Algorithm, Application, ApplicationSettings, AuthMethod, GrantType, Profile, check_launch_url, check_redirect_uri,
};
use crate::store::{Json, StoreError};
use crate::time::Instant;

/// An application cannot be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The id cannot be used.
    #[error("`{0}` is no application id: use letters, digits, `-`, `_` and `.`, at most 100")]
    Id(String),
    /// The id is taken.
    #[error("there is an application `{0}` already: choose another id, or see it with `yaopai app show {0}`")]
    Taken(String),
    /// There is no such application.
    #[error("there is no application `{0}`: see `yaopai app list`")]
    Unknown(String),
    /// The application is declared in the configuration.
    #[error("application `{0}` is declared in the configuration: change it there and start the broker again")]
    Declared(String),
    /// A redirect URI that may not be registered.
    #[error("redirect URI {0}")]
    RedirectUri(String),
    /// An address that the portal may not send people to.
    #[error("launch URL {0}")]
    LaunchUrl(String),
    /// Codes are to be given out, but nowhere to send them.
    #[error("an application that people sign in to needs a redirect URI: --redirect-uri https://app.example/callback")]
    NoRedirectUri,
    /// Grants that do not go together with the rest.
    #[error("{0}")]
    Grants(String),
    /// A scope that cannot be written in a request.
    #[error("`{0}` is no scope: it may hold no blank, quote or backslash")]
    Scope(String),
    /// What the application is to learn of people contradicts itself.
    #[error("{0}")]
    Identity(String),
    /// Settings of its tokens that do not go together.
    #[error("{0}")]
    Tokens(String),
    /// Addresses of logout that cannot be used.
    #[error("{0}")]
    Logout(String),
    /// What it may ask for contradicts itself, or its profile.
    #[error("{0}")]
    Request(String),
    /// The sector does not know the application.
    #[error(transparent)]
    Sector(#[from] SectorError),
    /// A public application has nothing to prove itself with.
    #[error("a public application cannot act in its own name: leave client_credentials out, or give it a secret")]
    PublicService,
    /// A public application has no secret.
    #[error("application `{0}` has no secret: it is public, or proves itself by a key")]
    NoSecret(String),
    /// Keys or other means of proof that contradict each other.
    #[error("{0}")]
    Proof(String),
    /// Its secret cannot be sealed.
    #[error(transparent)]
    Seal(#[from] MasterKeyError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a new application is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewApplication {
    /// Client id.
    pub id: String,
    /// Name as shown to people.
    pub name: String,
    /// How it authenticates.
    pub auth_method: AuthMethod,
    /// Everything else.
    pub settings: ApplicationSettings,
}

impl NewApplication {
    fn check(&self) -> Result<(), RegisterError> {
        let is_id = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if self.id.is_empty() || self.id.len() > 100 || !is_id(&self.id) {
            return Err(RegisterError::Id(self.id.clone()));
        }
        let is_public = self.auth_method == AuthMethod::None;
        let settings = &self.settings;
        for uri in settings.redirect_uris.iter().chain(&settings.post_logout_redirect_uris) {
            check_redirect_uri(uri, is_public).map_err(RegisterError::RedirectUri)?;
        }
        if let Some(url) = &settings.launch_url {
            check_launch_url(url).map_err(RegisterError::LaunchUrl)?;
        }
        if settings.grant_types.contains(&GrantType::AuthorizationCode) && settings.redirect_uris.is_empty() {
            return Err(RegisterError::NoRedirectUri);
        }
        if is_public && settings.grant_types.contains(&GrantType::ClientCredentials) {
            return Err(RegisterError::PublicService);
        }
        if let Some(why) = settings.identity.problems(&settings.redirect_uris).into_iter().next() {
            return Err(RegisterError::Identity(why));
        }
        if let Some(why) = settings.grants.problems(self.auth_method, &settings.grant_types).into_iter().next() {
            return Err(RegisterError::Grants(why));
        }
        if let Some(problem) = settings.proof.problems(self.auth_method, settings.profile).into_iter().next() {
            return Err(RegisterError::Proof(problem));
        }
        if let Some(why) = settings.tokens.problems(settings.profile).into_iter().next() {
            return Err(RegisterError::Tokens(why));
        }
        if let Some(why) = settings.logout.problems(&settings.redirect_uris).into_iter().next() {
            return Err(RegisterError::Logout(why));
        }
        let mut found = settings.request.problems();
        if settings.profile == Profile::Fapi2 {
            let signing = settings.signing_algorithm.as_deref().and_then(|name| name.parse().ok());
            found.extend(settings.request.fapi2_problems(&settings.redirect_uris, signing.unwrap_or(Algorithm::Es256)));
        }
        if let Some(problem) = found.into_iter().next() {
            return Err(RegisterError::Request(problem));
        }
        match settings.scopes.iter().find(|scope| !is_scope(scope)) {
            Some(scope) => Err(RegisterError::Scope(scope.clone())),
            None => Ok(()),
        }
    }
}

/// Makes an application; gives its secret, which is stored nowhere.
///
/// # Errors
/// [`RegisterError`].
pub async fn add_application(
    broker: &Broker,
    new: NewApplication,
) -> Result<(Application, Option<String>), RegisterError> {
    new.check()?;
    check_sector(broker, &new.settings).await?;
    let now = broker.clock.now();
    let secret = new.auth_method.has_secret().then(|| broker.rng.token());
    let app = Application {
        id: new.id,
        name: new.name,
        declared: false,
        enabled: true,
        auth_method: new.auth_method,
        secret_since: secret.is_some().then_some(now),
        secret_hash: secret.as_ref().map(|secret| broker.master.token_hash(PURPOSE, secret)),
        old_secret_hash: None,
        old_secret_until: None,
        settings: Json(new.settings),
        created_at: now,
        updated_at: now,
    };
    let mut tx = broker.db.write().await?;
    match tx.applications().insert(&app).await {
        Ok(()) => {}
        Err(StoreError::Conflict(_)) => return Err(RegisterError::Taken(app.id)),
        Err(error) => return Err(error.into()),
    }
    if let Some(secret) = secret.as_deref().filter(|_| app.auth_method == AuthMethod::ClientSecretJwt) {
        tx.proofs().keep_secret(&app.id, &seal_secret(broker, secret)?, None).await?;
    }
    audit::append(&mut tx, now, &[event(&app.id, "added")]).await?;
    tx.commit().await?;
    Ok((app, secret))
}

/// Gives an application a new secret. The old one is accepted for `overlap` more; without overlap it is refused at once
/// by this process, by others within a second. The one before the old one is refused in any case. Gives the secret, and
/// until when the old one is accepted.
///
/// # Errors
/// [`RegisterError`].
pub async fn rotate_secret(
    broker: &Broker,
    id: &str,
    overlap: Option<TimeDelta>,
) -> Result<(String, Option<Instant>), RegisterError> {
    let now = broker.clock.now();
    let secret = broker.rng.token();
    let mut tx = broker.db.write().await?;
    let found = tx.applications().find(id).await?;
    let mut app = own(found, id)?;
    if !app.auth_method.has_secret() {
        return Err(RegisterError::NoSecret(app.id));
    }
    let until = overlap.map(|overlap| now + overlap);
    app.old_secret_hash = app.secret_hash.take().filter(|_| until.is_some());
    app.old_secret_until = until.filter(|_| app.old_secret_hash.is_some());
    if app.auth_method == AuthMethod::ClientSecretJwt {
        // Signatures are checked with the secret itself, so the one before is kept too, for as long as it counts.
        let old = tx.proofs().secret(&app.id).await?.map(|(sealed, _)| sealed).filter(|_| until.is_some());
        tx.proofs().keep_secret(&app.id, &seal_secret(broker, &secret)?, old.as_deref()).await?;
    }
    app.secret_hash = Some(broker.master.token_hash(PURPOSE, &secret));
    app.secret_since = Some(now);
    app.updated_at = now;
    tx.applications().update(&app).await?;
    audit::append(
        &mut tx,
        now,
        &[event(id, "secret rotated").with(json!({ "change": "secret rotated", "old_until": until }))],
    )
    .await?;
    tx.commit().await?;
    Ok((secret, until))
}

/// Removes an application with everything issued to it; tells how many live grants died.
///
/// # Errors
/// [`RegisterError`].
pub async fn remove_application(broker: &Broker, id: &str) -> Result<u64, RegisterError> {
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    let found = tx.applications().find(id).await?;
    own(found, id)?;
    let grants = tx.applications().revoke_grants(id, now).await?;
    tx.applications().delete(id).await?;
    audit::append(&mut tx, now, &[event(id, "removed")]).await?;
    tx.commit().await?;
    Ok(grants)
}

/// The application, when it may be changed at run time.
fn own(found: Option<Application>, id: &str) -> Result<Application, RegisterError> {
    match found {
        None => Err(RegisterError::Unknown(id.to_owned())),
        Some(app) if app.declared => Err(RegisterError::Declared(app.id)),
        Some(app) => Ok(app),
    }
}

fn event(id: &str, what: &str) -> Event {
    Event::new(Action::ApplicationAdmin, Outcome::Success, "cli", format!("app:{id}")).with(json!({ "change": what }))
}
