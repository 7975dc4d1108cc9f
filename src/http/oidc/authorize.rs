//! `GET` and `POST /oauth2/authorize` (RFC 6749 section 3.1).

use axum::extract::RawQuery;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::{Value, context};
use url::Url;

use crate::http::extract::{FormParams, Visit};
use crate::http::oidc::{consent, visitor};
use crate::http::paths;
use crate::http::respond::OauthError;
use crate::http::respond::page::{internal, origin, page, sending_policy};
use crate::model::NearMiss;
use crate::oidc::{Answer, AuthorizeError, Caller, PageFault, Params, authorize};
use crate::text::{Args, message};

/// Sends the browser on: to the application, to the sign-in page, or shows why not.
pub(super) async fn show(visit: Visit, caller: Caller, RawQuery(query): RawQuery) -> Response {
    let Ok(params) = Params::parse(query.as_deref().unwrap_or_default()) else {
        return refuse(&visit, PageFault::Malformed);
    };
    let answer = authorize(visit.app.provider(), &caller, &params, visitor(&visit), None).await;
    respond(&visit, answer)
}

/// Does what was decided.
pub(super) fn respond(visit: &Visit, answer: Result<Answer, AuthorizeError>) -> Response {
    match answer {
        Ok(Answer::Redirect(uri)) => Redirect::to(&uri).into_response(),
        Ok(Answer::FormPost { action, fields, known }) => form_post(visit, &action, fields, &known),
        Ok(Answer::SignIn { request, again, hints }) => Redirect::to(&sign_in(&request, again, &hints)).into_response(),
        Ok(Answer::Consent(question)) => consent::ask(visit, &question),
        Ok(Answer::Page(fault)) => refuse(visit, fault),
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

fn sign_in(request: &Params, again: bool, hints: &Params) -> String {
    let back = format!("{}?{}", paths::AUTHORIZE, request.encode());
    let back: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
    let again = if again { "&reauth=1" } else { "" };
    let hints = hints.encode();
    let hints = if hints.is_empty() { hints } else { format!("&{hints}") };
    format!("{}?return_to={back}{again}{hints}", paths::LOGIN)
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

/// The page for a redirect URI that is not registered: for the person, and for those who run the application.
fn redirect_uri(visit: &Visit, miss: Option<NearMiss>) -> Response {
    let none = Args::new();
    let near = miss.map(|miss| message(visit.language, &format!("near-miss-{miss}"), &none));
    let mut args = Args::new();
    args.set("application", "APP");
    let what = message(visit.language, "integrator-redirect-uri", &args);
    visit.refuse_with(StatusCode::BAD_REQUEST, "error-redirect-uri", near.into_iter().chain([what]).collect())
}

/// The page of a fault that nobody else can be told.
pub(super) fn refuse(visit: &Visit, fault: PageFault) -> Response {
    let (status, key) = match fault {
        PageFault::UnknownApplication => {
            let what = message(visit.language, "integrator-application", &Args::new());
            return visit.refuse_with(StatusCode::BAD_REQUEST, "error-application-unknown", vec![what]);
        }
        PageFault::RedirectUri(miss) => return redirect_uri(visit, miss),
        PageFault::PushedRequest => (StatusCode::BAD_REQUEST, "error-pushed-request"),
        PageFault::TooLong => (StatusCode::URI_TOO_LONG, "error-request-too-long"),
        PageFault::Malformed => (StatusCode::BAD_REQUEST, "error-bad-request"),
        PageFault::Denied => (StatusCode::FORBIDDEN, "error-access-denied"),
        PageFault::Operator => (StatusCode::FORBIDDEN, "error-operator-application"),
    };
    visit.refuse(status, key)
}
