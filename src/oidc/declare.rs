//! Applications declared in the configuration: brought into the table at start.
//!
//! The table is what everything reads. A declared application is written as the file says; one that is gone from the
//! file is switched off with its grants, and comes back with its id when it is declared again.

use std::path::Path;

use serde_json::{Value, json};

use super::client::PURPOSE;
use super::register::NewApplication;
use super::replay::seal_secret;
use super::scopes::{PERSONAL, is_scope};
use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::config::{ApplicationConfig, SecretRef};
use crate::crypto::MasterKeyError;
use crate::model::{Application, ApplicationSettings, AuthMethod, GrantType, ProofSettings, check_jwks};
use crate::store::{Json, StoreError, Tx};
use crate::time::Instant;

/// Characters that a declared secret has at the least.
const SHORTEST_SECRET: usize = 16;
/// Characters that one has at the least that signs (RFC 7518 section 3.2).
const SHORTEST_KEY: usize = 32;

/// A declared application cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum DeclareError {
    /// The secret cannot be read.
    #[error("application `{id}`: secret: {why}")]
    Secret {
        /// Which application.
        id: String,
        /// What is wrong, without the secret.
        why: String,
    },
    /// The file with its keys cannot be used.
    #[error("application `{id}`: proof.jwks_file: {why}")]
    Keys {
        /// Which application.
        id: String,
        /// What is wrong.
        why: String,
    },
    /// A scope that cannot be written in a request.
    #[error("application `{id}`: scopes: `{scope}` is no scope: it may hold no blank, quote or backslash")]
    Scope {
        /// Which application.
        id: String,
        /// Which scope.
        scope: String,
    },
    /// The id belongs to an application made at run time.
    #[error("application `{0}` was made with `yaopai app add`: remove it there, or give the declared one another id")]
    Taken(String),
    /// A secret cannot be sealed.
    #[error(transparent)]
    Seal(#[from] MasterKeyError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes the declared applications into the table.
///
/// # Errors
/// [`DeclareError`]; nothing is changed then.
pub async fn declare_applications(broker: &Broker) -> Result<(), DeclareError> {
    let now = broker.clock.now();
    let declared: Vec<Application> =
        broker.config.applications.iter().map(|config| read(broker, config, now)).collect::<Result<_, _>>()?;
    let sealed = sealed(broker)?;
    let mut tx = broker.db.write().await?;
    let mut known = tx.applications().list().await?;
    let mut events = Vec::new();
    for app in declared {
        let before = known.iter().position(|known| known.id == app.id).map(|at| known.swap_remove(at));
        if write(&mut tx, &app, before).await? {
            events.push(changed(&app.id, "declared"));
        }
    }
    for mut gone in known.into_iter().filter(|app| app.declared && app.enabled) {
        gone.enabled = false;
        gone.updated_at = now;
        tx.applications().update(&gone).await?;
        tx.applications().revoke_grants(&gone.id, now).await?;
        events.push(changed(&gone.id, "no longer declared"));
    }
    for Secrets { id, sealed, old } in sealed {
        tx.proofs().keep_secret(&id, &sealed, old.as_deref()).await?;
    }
    audit::append(&mut tx, now, &events).await?;
    tx.commit().await?;
    Ok(())
}

fn changed(id: &str, what: &str) -> Event {
    Event::new(Action::ApplicationAdmin, Outcome::Success, "configuration", format!("app:{id}"))
        .with(json!({ "change": what }))
}

/// Writes one application; tells whether anything changed.
async fn write(tx: &mut Tx, app: &Application, before: Option<Application>) -> Result<bool, DeclareError> {
    let Some(before) = before else {
        tx.applications().insert(app).await?;
        return Ok(true);
    };
    if !before.declared {
        return Err(DeclareError::Taken(app.id.clone()));
    }
    let mut app = app.clone();
    if app.secret_hash == before.secret_hash {
        app.secret_since = before.secret_since;
    }
    let same = Application { created_at: before.created_at, updated_at: before.updated_at, ..app.clone() };
    if same == before {
        return Ok(false);
    }
    tx.applications().update(&app).await?;
    if before.enabled && !app.enabled {
        tx.applications().revoke_grants(&app.id, app.updated_at).await?;
    }
    Ok(true)
}

/// A declared secret.
fn secret(
    broker: &Broker,
    config: &ApplicationConfig,
    secret: Option<&SecretRef>,
) -> Result<Option<String>, DeclareError> {
    let refuse = |why: String| DeclareError::Secret { id: config.id.clone(), why };
    let Some(secret) = secret else { return Ok(None) };
    let secret = secret.read(&broker.config.folder).map_err(refuse)?;
    let signs = config.auth_method == Some(AuthMethod::ClientSecretJwt);
    let shortest = if signs { SHORTEST_KEY } else { SHORTEST_SECRET };
    if secret.len() < shortest {
        return Err(refuse(format!(
            "it has fewer than {shortest} characters: use a random one (openssl rand -base64 32)"
        )));
    }
    Ok(Some(secret.to_string()))
}

/// The secrets of an application that signs with them.
struct Secrets {
    id: String,
    sealed: String,
    /// Of `old_secret`, which counts for as long as it is declared.
    old: Option<String>,
}

/// The secrets of applications that sign with them, sealed.
fn sealed(broker: &Broker) -> Result<Vec<Secrets>, DeclareError> {
    let signing = broker.config.applications.iter().filter(|app| app.auth_method == Some(AuthMethod::ClientSecretJwt));
    let mut all = Vec::new();
    for config in signing {
        if let Some(secret) = secret(broker, config, config.secret.as_ref())? {
            let old = self::secret(broker, config, config.old_secret.as_ref())?;
            let old = old.map(|old| seal_secret(broker, &old)).transpose()?;
            all.push(Secrets { id: config.id.clone(), sealed: seal_secret(broker, &secret)?, old });
        }
    }
    Ok(all)
}

fn read(broker: &Broker, config: &ApplicationConfig, now: Instant) -> Result<Application, DeclareError> {
    let hash = |from: &Option<SecretRef>| -> Result<Option<String>, DeclareError> {
        Ok(secret(broker, config, from.as_ref())?.map(|secret| broker.master.token_hash(PURPOSE, &secret)))
    };
    let (secret_hash, old_secret_hash) = (hash(&config.secret)?, hash(&config.old_secret)?);
    Ok(Application {
        id: config.id.clone(),
        name: config.name.clone().unwrap_or_else(|| config.id.clone()),
        declared: true,
        enabled: config.enabled,
        auth_method: config.auth_method.unwrap_or(AuthMethod::ClientSecretBasic),
        secret_since: secret_hash.as_ref().map(|_| now),
        secret_hash,
        old_secret_hash,
        old_secret_until: None,
        settings: Json(settings(config, &broker.config.folder)?),
        created_at: now,
        updated_at: now,
    })
}

/// What a file says of an application that is not declared, but made with `yaopai app add --file`. Files that it names are
/// looked for in `folder`.
///
/// # Errors
/// [`DeclareError`].
pub fn describe_application(config: &ApplicationConfig, folder: &Path) -> Result<NewApplication, DeclareError> {
    Ok(NewApplication {
        id: config.id.clone(),
        name: config.name.clone().unwrap_or_else(|| config.id.clone()),
        auth_method: config.auth_method.unwrap_or(AuthMethod::ClientSecretBasic),
        settings: settings(config, folder)?,
    })
}

fn settings(config: &ApplicationConfig, folder: &Path) -> Result<ApplicationSettings, DeclareError> {
    let scopes = config.scopes.clone().unwrap_or_else(|| PERSONAL.map(str::to_owned).to_vec());
    if let Some(scope) = scopes.iter().find(|scope| !is_scope(scope)) {
        return Err(DeclareError::Scope { id: config.id.clone(), scope: scope.clone() });
    }
    let grants = || vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
    Ok(ApplicationSettings {
        redirect_uris: config.redirect_uris.clone(),
        post_logout_redirect_uris: config.post_logout_redirect_uris.clone(),
        grant_types: config.grant_types.clone().unwrap_or_else(grants),
        scopes,
        launch_url: config.launch_url.clone(),
        description: config.description.clone(),
        require_pkce: config.require_pkce.unwrap_or(true),
        audience: config.audience.clone(),
        signing_algorithm: config.signing_algorithm.map(|algorithm| algorithm.as_str().to_owned()),
        access_token_seconds: config.access_token_lifetime.map(|life| life.0.num_seconds()),
        profile: config.profile,
        request: config.request.clone(),
        identity: config.identity.clone(),
        proof: proof(config, folder)?,
        tokens: config.tokens.clone(),
        grants: config.grants.clone(),
        logout: config.logout.clone(),
    })
}

/// The settings of proof, with the key set of a file in its place.
fn proof(config: &ApplicationConfig, folder: &Path) -> Result<ProofSettings, DeclareError> {
    let mut proof = config.proof.clone();
    if let Some(file) = proof.jwks_file.take() {
        let refuse = |why: String| DeclareError::Keys { id: config.id.clone(), why };
        let path = folder.join(&file);
        let text = std::fs::read_to_string(&path).map_err(|error| refuse(format!("`{}`: {error}", path.display())))?;
        let jwks = Value::String(text);
        check_jwks(&jwks).map_err(|why| refuse(format!("`{}` {why}", path.display())))?;
        proof.jwks = Some(jwks);
    }
    Ok(proof)
}
