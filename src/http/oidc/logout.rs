//! `GET` and `POST /oauth2/logout` (OpenID Connect RP-Initiated Logout 1.0).

use axum::extract::RawQuery;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::context;

use crate::http::extract::{FormParams, Visit, session_cookie};
use crate::http::oidc::visitor;
use crate::http::paths;
use crate::http::portal::signed_out_page;
use crate::http::respond::OauthError;
use crate::http::respond::page::{internal, page, security_policy, set_cookie};
use crate::login::CurrentSession;
use crate::oidc::{Caller, LogoutAnswer, Params, Return, logout};

/// Signs out and sends the browser on, or asks.
pub(super) async fn show(visit: Visit, caller: Caller, RawQuery(query): RawQuery) -> Response {
    let Ok(params) = Params::parse(query.as_deref().unwrap_or_default()) else {
        return visit.refuse(StatusCode::BAD_REQUEST, "error-bad-request");
    };
    let mut response = match logout(visit.app.provider(), &caller, &params, visitor(&visit).as_ref()).await {
        Ok(LogoutAnswer::Redirect(uri)) => Redirect::to(&uri).into_response(),
        Ok(LogoutAnswer::SignedOut) => signed_out_page(&visit, &[], None),
        Ok(LogoutAnswer::Frames(frames, then)) => signed_out_page(&visit, &frames, then.as_deref()),
        Ok(LogoutAnswer::Ask(then)) => return ask(&visit, then.as_ref()),
        Ok(LogoutAnswer::Refused) => return visit.refuse(StatusCode::BAD_REQUEST, "error-sign-out"),
        Err(error) => {
            tracing::error!(%error, cause = ?error, request_id = visit.request_id, "a logout request failed");
            return internal(&visit.app, visit.language, &visit.request_id);
        }
    };
    let is_https = visit.app.broker.config.server.is_https();
    let gone = set_cookie(session_cookie(is_https), "", is_https, Some(0));
    response.headers_mut().append(header::SET_COOKIE, gone);
    response
}

/// A request by POST is asked again by GET: the session cookie is not sent with a form of another site.
pub(super) async fn again_by_get(visit: Visit, form: Result<FormParams, OauthError>) -> Response {
    match form {
        Ok(FormParams(params)) => Redirect::to(&format!("{}?{}", paths::END_SESSION, params.encode())).into_response(),
        Err(_) => visit.refuse(StatusCode::BAD_REQUEST, "error-bad-request"),
    }
}

/// The page that asks whether to sign out; its form is the portal's own, and may lead on to the application.
fn ask(visit: &Visit, then: Option<&Return>) -> Response {
    let name = match &visit.session {
        Some(CurrentSession::Person(_, user)) => user.display_name.clone(),
        Some(CurrentSession::Operator(..)) | None => String::new(),
    };
    let values = context! {
        action => paths::LOGOUT,
        fields => then.map(Return::fields).unwrap_or_default(),
        home => paths::PORTAL,
        name,
    };
    let mut response = page(visit, StatusCode::OK, "sign_out.html", values, None);
    if let Some(origin) = then.and_then(Return::origin) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, security_policy(&[origin]));
    }
    response
}
