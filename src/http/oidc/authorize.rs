//! `GET` and `POST /oauth2/authorize` (RFC 6749 section 3.1).

use axum::extract::RawQuery;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::{Value, context};
use url::Url;

use crate::http::extract::{FormParams, Visit};
use crate::http::oidc::visitor;
use crate::http::paths;
use crate::http::respond::OauthError;
use crate::http::respond::page::{internal, origin, page, sending_policy};
use crate::oidc::{Answer, Caller, PageFault, Params, authorize};

/// Sends the browser on: to the application, to the sign-in page, or shows why not.
pub(super) async fn show(visit: Visit, caller: Caller, RawQuery(query): RawQuery) -> Response {
    let Ok(params) = Params::parse(query.as_deref().unwrap_or_default()) else {
        return refuse(&visit, PageFault::Malformed);
    };
    match authorize(visit.app.provider(), &caller, &params, visitor(&visit)).await {
        Ok(Answer::Redirect(uri)) => Redirect::to(&uri).into_response(),
        Ok(Answer::FormPost { action, fields, known }) => form_post(&visit, &action, fields, &known),
        Ok(Answer::SignIn { request, again }) => Redirect::to(&sign_in(&request, again)).into_response(),
        Ok(Answer::Page(fault)) => refuse(&visit, fault),
        Err(error) => {
            tracing::error!(%error, cause = ?error, request_id = visit.request_id, "an authorization request failed");
            internal(&visit.app, visit.language, &visit.request_id)
        }
    }
}

/// A request by POST is asked again by GET: the session cookie is not sent with a form of another site.
pub(super) async fn again_by_get(visit: Visit, form: Result<FormParams, OauthError>) -> Response {
    match form {
        Ok(FormParams(params)) => Redirect::to(&format!("{}?{}", paths::AUTHORIZE, params.encode())).into_response(),
        Err(_) => refuse(&visit, PageFault::Malformed),
    }
}

fn sign_in(request: &Params, again: bool) -> String {
    let back = format!("{}?{}", paths::AUTHORIZE, request.encode());
    let back: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
    let again = if again { "&reauth=1" } else { "" };
    format!("{}?return_to={back}{again}", paths::LOGIN)
}

/// What sends the form where the browser runs scripts.
const SUBMIT: &str = "document.forms[0].submit()";

/// The page whose form carries the answer (OAuth 2.0 Form Post Response Mode): it is sent by a script of one line, or
/// by its button. Where the application's own answer leads, the browser must be allowed to follow.
fn form_post(visit: &Visit, action: &str, fields: Vec<(String, String)>, known: &[String]) -> Response {
    let uris = std::iter::once(action).chain(known.iter().map(String::as_str));
    let mut origins: Vec<String> = uris.filter_map(|uri| origin(&Url::parse(uri).ok()?)).collect();
    origins.sort();
    origins.dedup();
    let values = context! { action, fields, script => Value::from_safe_string(SUBMIT.to_owned()) };
    let mut response = page(visit, StatusCode::OK, "form_post.html", values, None);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, sending_policy(SUBMIT, &origins));
    response
}

fn refuse(visit: &Visit, fault: PageFault) -> Response {
    let (status, key) = match fault {
        PageFault::UnknownApplication => (StatusCode::BAD_REQUEST, "error-application-unknown"),
        PageFault::RedirectUri => (StatusCode::BAD_REQUEST, "error-redirect-uri"),
        PageFault::PushedRequest => (StatusCode::BAD_REQUEST, "error-pushed-request"),
        PageFault::TooLong => (StatusCode::URI_TOO_LONG, "error-request-too-long"),
        PageFault::Malformed => (StatusCode::BAD_REQUEST, "error-bad-request"),
        PageFault::Denied => (StatusCode::FORBIDDEN, "error-access-denied"),
        PageFault::Operator => (StatusCode::FORBIDDEN, "error-operator-application"),
    };
    visit.refuse(status, key)
}
