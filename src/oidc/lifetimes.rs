//! How long things live: what the application says, else `[oidc]`.

use chrono::TimeDelta;

use crate::config::Config;
use crate::model::{Application, Lifetime, Profile};

fn chosen(own: Option<Lifetime>, general: Lifetime) -> TimeDelta {
    own.unwrap_or(general).0
}

/// Life of an authorization code: under FAPI 2.0 a minute at the most (Security Profile section 5.3.2.1).
pub(super) fn code(config: &Config, app: &Application) -> TimeDelta {
    let life = chosen(app.settings.tokens.code_lifetime, config.oidc.code_lifetime);
    match app.settings.profile {
        Profile::Fapi2 => life.min(TimeDelta::minutes(1)),
        Profile::Standard => life,
    }
}

/// Life of an access token.
pub(super) fn access_token(config: &Config, app: &Application) -> TimeDelta {
    let older = app.settings.access_token_seconds.map(Lifetime::seconds);
    chosen(app.settings.tokens.access_token_lifetime.or(older), config.oidc.access_token_lifetime)
}

/// Life of an ID token.
pub(super) fn id_token(config: &Config, app: &Application) -> TimeDelta {
    chosen(app.settings.tokens.id_token_lifetime, config.oidc.id_token_lifetime)
}

/// How long a refresh token lives unused.
pub(super) fn refresh_idle(config: &Config, app: &Application) -> TimeDelta {
    chosen(app.settings.tokens.refresh_idle, config.oidc.refresh_idle)
}

/// How long a grant lives in any case.
pub(super) fn refresh_absolute(config: &Config, app: &Application) -> TimeDelta {
    chosen(app.settings.tokens.refresh_absolute, config.oidc.refresh_absolute)
}
