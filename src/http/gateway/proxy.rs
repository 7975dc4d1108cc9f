//! The built-in reverse proxy: judges a call and passes it on, in the form that was judged.

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use tower_http::catch_panic::CatchPanicLayer;

use super::back::sign_in_url;
use super::call::{call, only};
use super::headers::{of_request, of_response};
use super::upstream::{Upstream, UpstreamError, address};
use crate::gateway::{Permit, Refusal, judge};
use crate::http::extract::{ClientAddress, PageLanguage, RequestId, client_certificate};
use crate::http::layers::REQUEST_ID;
use crate::http::respond::Problem;
use crate::http::respond::gateway::{problem, refused};
use crate::http::state::App;
use crate::text::Language;

#[derive(Clone, Debug)]
struct Proxy {
    app: App,
    upstream: Upstream,
}

/// Who asks, from where, in which language.
struct Asking {
    address: ClientAddress,
    language: Language,
    request_id: RequestId,
}

/// The router of the proxy's listener: every path and method.
pub fn proxy_router(app: App) -> Router {
    let proxy = Proxy { app, upstream: Upstream::new() };
    Router::new()
        .fallback(serve)
        .layer(CatchPanicLayer::custom(|_| Problem::internal().into_response()))
        .with_state(proxy)
}

async fn serve(State(proxy): State<Proxy>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let app = &proxy.app;
    let Ok(address) = ClientAddress::from_request_parts(&mut parts, app).await;
    let Ok(PageLanguage { language, .. }) = PageLanguage::from_request_parts(&mut parts, app).await;
    let request_id = RequestId(app.broker.rng.uuid(app.broker.clock.now()).simple().to_string());
    let asking = Asking { address, language, request_id };
    let mut response = answer(&proxy, &parts, body, &asking).await;
    if let Ok(id) = HeaderValue::from_str(&asking.request_id.0) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

async fn answer(proxy: &Proxy, parts: &Parts, body: Body, asking: &Asking) -> Response {
    let app = &proxy.app;
    let host = host(parts);
    let about = (parts.method.as_str().to_owned(), host.clone(), target(parts));
    let is_https = app.broker.config.server.is_https();
    let certificate = client_certificate(parts, app).map(|certificate| certificate.thumbprint());
    let call = call(&parts.headers, is_https, about, asking.address, certificate, &asking.request_id);
    match judge(&app.broker, &app.keys, &call).await {
        Ok(permit) => forward(proxy, &permit, parts, body, asking).await,
        Err(refusal) => {
            if let Refusal::Store(error) = &refusal {
                tracing::error!(%error, request_id = asking.request_id.0, "a call could not be judged");
            }
            let again = refusal.sign_in().filter(|_| call.method == "GET");
            let scheme = scheme(app, parts, asking.address);
            let sign_in =
                again.zip(host).and_then(|(again, host)| sign_in_url(app, again, Some(scheme), &host, &call.target));
            match sign_in {
                // A person at a browser is sent to sign in; a program is told.
                Some(url) if is_navigation(&parts.headers) => Redirect::to(&url).into_response(),
                sign_in => refused(&refusal, asking.language, sign_in.as_deref()),
            }
        }
    }
}

/// The host: of `:authority` in HTTP/2, else of the one `Host` header. None where they differ or there are several.
fn host(parts: &Parts) -> Option<String> {
    let header = only(&parts.headers, "host").ok()?;
    match (parts.uri.authority(), header) {
        (None, host) => host,
        (Some(authority), None) => Some(authority.as_str().to_owned()),
        (Some(authority), Some(host)) => (authority.as_str().eq_ignore_ascii_case(&host)).then_some(host),
    }
}

/// Path and query as sent. In HTTP/1, a whole address in the request line (RFC 9112 section 3.2.2) is left as it is, and
/// refused as no path: systems differ in which host they take from it.
fn target(parts: &Parts) -> String {
    if parts.version < Version::HTTP_2 && parts.uri.authority().is_some() {
        return parts.uri.to_string();
    }
    parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default()
}

fn scheme(app: &App, parts: &Parts, address: ClientAddress) -> &'static str {
    let forwarded = only(&parts.headers, "x-forwarded-proto").ok().flatten().filter(|_| address.is_via_proxy);
    match forwarded.as_deref() {
        Some("https") => "https",
        Some("http") => "http",
        _ if app.broker.config.server.tls_cert_file.is_some() => "https",
        _ => "http",
    }
}

fn is_navigation(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepts.contains("text/html") && !headers.contains_key("x-requested-with")
}

async fn forward(proxy: &Proxy, permit: &Permit<'_>, parts: &Parts, body: Body, asking: &Asking) -> Response {
    let route = &permit.route().name;
    let Some(uri) = permit.route().upstream.as_ref().and_then(|upstream| address(upstream, permit.path())) else {
        tracing::error!(route, "the route has no upstream: it can be asked about by forward-auth only");
        return problem(StatusCode::BAD_GATEWAY, "no_upstream", asking.language);
    };
    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = of_request(&parts.headers);
    let headers = request.headers_mut();
    for (name, value) in permit.caller().identity().into_iter().filter(|(_, value)| !value.is_empty()) {
        insert(headers, name, &value);
    }
    insert(headers, "x-forwarded-for", &asking.address.address.to_string());
    insert(headers, "x-forwarded-proto", scheme(&proxy.app, parts, asking.address));
    insert(headers, "x-forwarded-host", &host(parts).unwrap_or_default());
    insert(headers, REQUEST_ID.as_str(), &asking.request_id.0);
    match proxy.upstream.send(request).await {
        Ok(upstream) => {
            let (upstream, body) = upstream.into_parts();
            let mut response = Response::new(Body::new(body));
            *response.status_mut() = upstream.status;
            *response.headers_mut() = of_response(&upstream.headers);
            response
        }
        Err(error) => {
            tracing::error!(error = %with_causes(&error), route, request_id = asking.request_id.0, "a call failed");
            let (status, code) = match error {
                UpstreamError::Unreachable(_) => (StatusCode::BAD_GATEWAY, "upstream_unreachable"),
                UpstreamError::Timeout => (StatusCode::GATEWAY_TIMEOUT, "upstream_timeout"),
            };
            problem(status, code, asking.language)
        }
    }
}

/// The error with what caused it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn insert(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}
