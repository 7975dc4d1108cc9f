//! `GET /language`: remembers the chosen language and goes back to the page.

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::http::extract::LANGUAGE_COOKIE;
use crate::http::respond::page::set_cookie;
use crate::http::state::App;
use crate::login::ReturnTo;
use crate::text::Language;

/// A year in seconds.
const AGE: i64 = 365 * 86_400;

/// The choice.
#[derive(Clone, Debug, Deserialize)]
pub struct Choice {
    to: Option<String>,
    return_to: Option<String>,
}

/// Sets the cookie of the language, where it is one of ours.
pub async fn switch(State(app): State<App>, Query(choice): Query<Choice>) -> Response {
    let back = choice.return_to.as_deref().and_then(ReturnTo::parse_page).unwrap_or_else(ReturnTo::portal);
    let mut response = Redirect::to(back.as_str()).into_response();
    if let Some(language) = choice.to.and_then(|to| to.parse::<Language>().ok()) {
        let is_https = app.broker.config.server.is_https();
        let cookie = set_cookie(LANGUAGE_COOKIE, language.as_str(), is_https, Some(AGE));
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
