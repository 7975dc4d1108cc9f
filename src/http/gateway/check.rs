//! `/gateway/check`: forward-auth. A proxy asks by sub-request whether a call may pass; 200, 401 or 403.
//!
//! nginx says `X-Original-Method`, `X-Original-URI` and `X-Forwarded-Host` (deploy/nginx shows how); Traefik and Caddy
//! say `X-Forwarded-Method`, `X-Forwarded-Uri` and `X-Forwarded-Host` by themselves. They are believed only from
//! `server.trusted_proxies`. Where both kinds come and differ, a client has added one of them: refused.

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::back::sign_in_url;
use super::call::{call, only};
use crate::gateway::{Refusal, judge};
use crate::http::extract::{ClientAddress, PageLanguage, RequestId, client_certificate};
use crate::http::paths;
use crate::http::respond::gateway::{for_sub_request, problem, refused};
use crate::http::state::App;
use crate::text::Language;

/// What a proxy says of the call that it asks about.
struct Asked {
    method: String,
    target: String,
    host: String,
    scheme: Option<String>,
}

/// Answers a proxy's question. A permitted call's answer carries every identity header, empty ones too, so that what a
/// client sent under that name is overwritten.
pub async fn check(
    State(app): State<App>,
    address: ClientAddress,
    request_id: RequestId,
    PageLanguage { language, .. }: PageLanguage,
    parts: Parts,
) -> Response {
    let asked = asked(&parts.headers);
    answer(&app, address, &request_id, language, &parts, asked).await
}

/// Answers Envoy's `ext_authz` over HTTP: the call's own method, host and headers, and its path behind
/// [`paths::GATEWAY_ENVOY`].
pub async fn check_for_envoy(
    State(app): State<App>,
    address: ClientAddress,
    request_id: RequestId,
    PageLanguage { language, .. }: PageLanguage,
    parts: Parts,
) -> Response {
    let target = parts.uri.path_and_query().and_then(|path| path.as_str().strip_prefix(paths::GATEWAY_ENVOY));
    let asked = match (target, only(&parts.headers, "host")) {
        (Some(target), Ok(Some(host))) => Ok(Asked {
            method: parts.method.to_string(),
            target: if target.starts_with('/') { target.to_owned() } else { format!("/{target}") },
            host,
            scheme: None,
        }),
        _ => Err("host"),
    };
    answer(&app, address, &request_id, language, &parts, asked).await
}

async fn answer(
    app: &App,
    address: ClientAddress,
    request_id: &RequestId,
    language: Language,
    parts: &Parts,
    asked: Result<Asked, &'static str>,
) -> Response {
    if !address.is_via_proxy {
        tracing::warn!(peer = %address.peer, "forward-auth was asked by a peer that server.trusted_proxies does not name");
        return problem(StatusCode::FORBIDDEN, "untrusted_proxy", language);
    }
    let asked = match asked {
        Ok(asked) => asked,
        Err(header) => {
            tracing::warn!(header, peer = %address.peer, "forward-auth: the header is missing, doubled or contradicted");
            return problem(StatusCode::FORBIDDEN, "proxy_headers", language);
        }
    };
    let is_https = app.broker.config.server.is_https();
    let certificate = client_certificate(parts, app).map(|certificate| certificate.thumbprint());
    let about = (asked.method, Some(asked.host.clone()), asked.target.clone());
    let call = call(&parts.headers, is_https, about, address, certificate, request_id);
    match judge(&app.broker, &app.keys, &call).await {
        Ok(permit) => {
            let mut response = StatusCode::OK.into_response();
            for (name, value) in permit.caller().identity() {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    response.headers_mut().insert(HeaderName::from_static(name), value);
                }
            }
            response
        }
        Err(refusal) => {
            let again = refusal.sign_in().filter(|_| call.method == "GET");
            let sign_in =
                again.map(|again| sign_in_url(app, again, asked.scheme.as_deref(), &asked.host, &asked.target));
            if let Refusal::Store(error) = &refusal {
                tracing::error!(%error, request_id = request_id.0, "a call could not be judged");
            }
            for_sub_request(refused(&refusal, language, sign_in.flatten().as_deref()))
        }
    }
}

fn asked(headers: &HeaderMap) -> Result<Asked, &'static str> {
    Ok(Asked {
        method: agreed(headers, "x-original-method", "x-forwarded-method")?,
        target: agreed(headers, "x-original-uri", "x-forwarded-uri")?,
        host: only(headers, "x-forwarded-host")?.ok_or("x-forwarded-host")?,
        scheme: only(headers, "x-forwarded-proto")?,
    })
}

fn agreed(headers: &HeaderMap, one: &'static str, other: &'static str) -> Result<String, &'static str> {
    match (only(headers, one)?, only(headers, other)?) {
        (Some(one), None) | (None, Some(one)) => Ok(one),
        (Some(one), Some(other)) if one == other => Ok(one),
        _ => Err(one),
    }
}
