//! Pages of the sample applications: templates with both languages side by side.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use minijinja::{Environment, State, Value, context};

use super::{Kind, Sample};

/// The templates.
#[derive(Debug)]
pub struct Pages(Environment<'static>);

impl Pages {
    /// Reads the embedded templates.
    pub fn new() -> anyhow::Result<Self> {
        let mut environment = Environment::new();
        for (name, source) in [
            ("layout.html", include_str!("../templates/layout.html")),
            ("welcome.html", include_str!("../templates/welcome.html")),
            ("home.html", include_str!("../templates/home.html")),
            ("ended.html", include_str!("../templates/ended.html")),
            ("trouble.html", include_str!("../templates/trouble.html")),
            ("answer.html", include_str!("../templates/answer.html")),
        ] {
            environment.add_template(name, source)?;
        }
        environment.add_function(
            "t",
            |state: &State<'_, '_>, en: Value, zh: Value| {
                if state.lookup("zh").is_some_and(|zh| zh.is_true()) { zh } else { en }
            },
        );
        Ok(Self(environment))
    }
}

impl Sample {
    /// One page in the reader's language.
    pub fn page(&self, name: &str, language: Language, status: StatusCode, values: Value) -> Response {
        let common = context! {
            zh => language.zh,
            app => if self.kind == Kind::Oa { "oa" } else { "expense" },
            broker => &self.broker,
            neighbour => &self.neighbour,
            gateway => &self.gateway,
        };
        let template = self.pages.0.get_template(name);
        match template.and_then(|template| template.render(context! { ..values, ..common })) {
            Ok(html) => {
                let mut response = (status, Html(html)).into_response();
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                if let Some(cookie) = language.chosen_cookie() {
                    response.headers_mut().insert(header::SET_COOKIE, cookie);
                }
                response
            }
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
        }
    }
}

/// `GET /style.css`.
pub async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../templates/style.css")).into_response()
}

/// The language of a page: `?lang=`, else the cookie of an earlier choice, else the browser's.
#[derive(Clone, Copy, Debug)]
pub struct Language {
    /// Chinese, else English.
    pub zh: bool,
    is_chosen: bool,
}

impl Language {
    fn chosen_cookie(self) -> Option<HeaderValue> {
        let language =
            if self.zh { "sample_lang=zh-CN; Path=/; SameSite=Lax" } else { "sample_lang=en; Path=/; SameSite=Lax" };
        self.is_chosen.then(|| HeaderValue::from_static(language))
    }
}

#[derive(serde::Deserialize)]
struct Choice {
    lang: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let choice = Query::<Choice>::try_from_uri(&parts.uri).ok().and_then(|Query(choice)| choice.lang);
        let is_chosen = choice.is_some();
        let accepted = || Some(parts.headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?.to_owned());
        let language = choice.or_else(|| cookie(&parts.headers, "sample_lang")).or_else(accepted).unwrap_or_default();
        Ok(Self { zh: language.starts_with("zh"), is_chosen })
    }
}

/// The value of a cookie.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}
