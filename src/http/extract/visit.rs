//! A person's browser at one of our pages: language, session, address, and what forms need.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response;

use super::{ClientAddress, PageLanguage, RequestId, asked_language, cookie, session_cookie};
use crate::http::respond::page::{error_page, error_page_with};
use crate::http::state::App;
use crate::login::{CurrentSession, ReturnTo, SessionOrigin, current_session};
use crate::text::Language;

/// What a page and its handler know of the browser.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The broker.
    pub app: App,
    /// Language of the page.
    pub language: Language,
    /// The person chose it in this browser.
    pub is_language_chosen: bool,
    /// The live session, if there is one.
    pub session: Option<CurrentSession>,
    /// The session cookie's value, live or not.
    pub session_token: Option<String>,
    /// The browser's mark of an earlier sign-in.
    pub device: Option<String>,
    /// What ties the sign-in form to this browser, before there is a session.
    pub browser_token: String,
    /// Whether `browser_token` is new, so that its cookie must be set.
    pub is_new_browser: bool,
    /// Address of the browser.
    pub address: ClientAddress,
    /// `User-Agent`.
    pub user_agent: String,
    /// Id of the request.
    pub request_id: String,
    /// Path and query of this page where it can be asked for again: what the language switch returns to.
    pub here: Option<String>,
}

/// Name of the cookie that ties the sign-in form to a browser.
#[must_use]
pub fn browser_cookie(is_https: bool) -> &'static str {
    if is_https { "__Host-yaopai-browser" } else { "yaopai-browser" }
}

/// Name of the cookie by which a browser is known to have signed in before.
#[must_use]
pub fn device_cookie(is_https: bool) -> &'static str {
    if is_https { "__Host-yaopai-device" } else { "yaopai-device" }
}

impl Visit {
    /// Answers in the language that an application asks for with these parameters, unless the person chose another.
    pub fn prefer(&mut self, query: &str) {
        if let Some(language) = asked_language(query).filter(|_| !self.is_language_chosen) {
            self.language = language;
        }
    }

    /// Where a session of this browser is opened from.
    #[must_use]
    pub fn origin(&self, amr: &str) -> SessionOrigin {
        SessionOrigin {
            address: self.address.address.to_string(),
            user_agent: self.user_agent.clone(),
            amr: amr.to_owned(),
        }
    }

    /// Address and request id, as the audit log wants them.
    #[must_use]
    pub fn trace(&self) -> (String, String) {
        (self.address.address.to_string(), self.request_id.clone())
    }

    /// The token that a form of this page carries: bound to the session, or to the browser before there is one.
    #[must_use]
    pub fn csrf(&self) -> String {
        match &self.session {
            Some(current) => self.bound(&format!("session:{}", current.session().token_hash)),
            None => self.browser_csrf(),
        }
    }

    /// The token of the sign-in form: bound to the browser, with or without a session.
    #[must_use]
    pub fn browser_csrf(&self) -> String {
        self.bound(&format!("browser:{}", self.browser_token))
    }

    fn bound(&self, to: &str) -> String {
        self.app.broker.master.sign("csrf", to)
    }

    /// A page that refuses, in the browser's language.
    #[must_use]
    pub fn refuse(&self, status: axum::http::StatusCode, message_key: &str) -> Response {
        error_page(&self.app, self.language, status, message_key, &self.request_id)
    }

    /// The same, with lines for those who run the application that the person came from.
    #[must_use]
    pub fn refuse_with(&self, status: axum::http::StatusCode, message_key: &str, lines: Vec<String>) -> Response {
        error_page_with(&self.app, self.language, status, message_key, &self.request_id, lines)
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let Ok(PageLanguage { language, is_chosen }) = PageLanguage::from_request_parts(parts, app).await;
        let Ok(RequestId(request_id)) = RequestId::from_request_parts(parts, app).await;
        let Ok(address) = ClientAddress::from_request_parts(parts, app).await;
        let is_https = app.broker.config.server.is_https();
        let session_token = cookie(parts, session_cookie(is_https)).map(str::to_owned);
        let session = match &session_token {
            None => None,
            Some(token) => current_session(&app.broker, token).await.map_err(|error| {
                tracing::error!(%error, request_id, "the session could not be looked up");
                super::super::respond::page::internal(app, language, &request_id)
            })?,
        };
        let known = cookie(parts, browser_cookie(is_https)).filter(|value| value.len() == 43).map(str::to_owned);
        let path = parts.uri.path_and_query().map_or("/", axum::http::uri::PathAndQuery::as_str);
        let is_page = parts.method == axum::http::Method::GET && ReturnTo::parse_page(path).is_some();
        Ok(Self {
            app: app.clone(),
            language,
            is_language_chosen: is_chosen,
            session,
            session_token,
            device: cookie(parts, device_cookie(is_https)).map(str::to_owned),
            is_new_browser: known.is_none(),
            browser_token: known.unwrap_or_else(|| app.broker.rng.token()),
            address,
            user_agent: parts
                .headers
                .get(header::USER_AGENT)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            request_id,
            here: is_page.then(|| path.to_owned()),
        })
    }
}
