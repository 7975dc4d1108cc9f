//! The consent page, and `POST /oauth2/consent`: what the person said.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use minijinja::value::Serde;
use minijinja::{Value, context};
use url::Url;

use super::authorize::{refuse, respond};
use super::visitor;
use crate::http::extract::{SessionForm, Visit};
use crate::http::paths;
use crate::http::respond::page::{origin, page, security_policy};
use crate::http::state::App;
use crate::http::ui::wish::wish_words;
use crate::oidc::{Caller, PageFault, Params, Question, Reply, authorize};

/// The page that asks. Where the answer leads, the browser must be allowed to follow.
pub(super) fn ask(visit: &Visit, question: &Question) -> Response {
    let app = &question.app;
    let request = question.request.encode();
    let words = wish_words(visit.language, app, &question.wish);
    let host = Url::parse(&question.redirect_uri).ok().and_then(|uri| uri.host_str().map(str::to_owned));
    let other = question.request.without("prompt").with("prompt", "select_account").encode();
    let values = context! {
        action => paths::CONSENT,
        application => app.name.clone(),
        host,
        name => question.user.display_name.clone(),
        login => question.user.login.clone(),
        is_more => question.is_more,
        ticket => question.ticket.clone(),
        other_url => format!("{}?{other}", paths::AUTHORIZE),
        wish => Value::from(Serde(words)),
        consents_url => paths::CONSENTS,
        policy_uri => app.settings.identity.policy_uri.clone(),
        tos_uri => app.settings.identity.tos_uri.clone(),
        request => request.clone(),
    };
    let here = format!("{}?{request}", paths::AUTHORIZE);
    let mut response = page(visit, StatusCode::OK, "consent.html", values, Some(&here));
    let known = app.settings.redirect_uris.iter().chain(&app.settings.launch_url).chain([&question.redirect_uri]);
    let mut origins: Vec<String> = known.filter_map(|uri| origin(&Url::parse(uri).ok()?)).collect();
    origins.sort();
    origins.dedup();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, security_policy(&origins));
    response
}

/// Goes on with the request, knowing what the person said.
pub(super) async fn submit(
    State(app): State<App>,
    caller: Caller,
    SessionForm(mut visit, fields): SessionForm,
) -> Response {
    visit.prefer(fields.get("request"));
    let Ok(params) = Params::parse(fields.get("request")) else { return refuse(&visit, PageFault::Malformed) };
    let reply = match fields.get("decision") {
        "yes" => Reply::Yes(fields.get("ticket")),
        "no" => Reply::No,
        _ => return refuse(&visit, PageFault::Malformed),
    };
    let answer = authorize(app.provider(), &caller, &params, visitor(&visit), Some(reply)).await;
    respond(&visit, answer)
}
