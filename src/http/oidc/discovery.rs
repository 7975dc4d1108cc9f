//! `GET /.well-known/openid-configuration` and `GET /.well-known/oauth-authorization-server`: one document.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::http::paths;
use crate::http::respond::OauthError;
use crate::http::state::App;
use crate::oidc::{Aliases, Endpoints, metadata};

/// The document.
pub(super) async fn show(State(app): State<App>) -> Result<Response, OauthError> {
    let detail_types = app.applications.detail_types(&app.broker).await?;
    let server = &app.broker.config.server;
    let document = metadata(
        server.issuer(),
        Endpoints {
            authorization_endpoint: server.url(paths::AUTHORIZE),
            pushed_authorization_request_endpoint: server.url(paths::PAR),
            token_endpoint: server.url(paths::TOKEN),
            userinfo_endpoint: server.url(paths::USERINFO),
            jwks_uri: server.url(paths::JWKS),
            introspection_endpoint: server.url(paths::INTROSPECT),
            revocation_endpoint: server.url(paths::REVOKE),
            device_authorization_endpoint: server.url(paths::DEVICE_AUTHORIZATION),
            registration_endpoint: app.broker.config.registration.enabled.then(|| server.url(paths::REGISTER)),
            backchannel_authentication_endpoint: server.url(paths::BACKCHANNEL),
            end_session_endpoint: server.url(paths::END_SESSION),
            status_list_aggregation_endpoint: server.url(paths::STATUS_LISTS),
            revocation_events_endpoint: server.url(paths::REVOCATION_EVENTS),
        },
        &app.broker.config,
        app.broker.config.mtls.as_ref().map(|mtls| Aliases {
            token_endpoint: mtls.url(paths::TOKEN),
            introspection_endpoint: mtls.url(paths::INTROSPECT),
            revocation_endpoint: mtls.url(paths::REVOKE),
            userinfo_endpoint: mtls.url(paths::USERINFO),
            pushed_authorization_request_endpoint: mtls.url(paths::PAR),
            revocation_events_endpoint: mtls.url(paths::REVOCATION_EVENTS),
        }),
        detail_types,
    );
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], Json(document)).into_response())
}
