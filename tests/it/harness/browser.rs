//! A browser of tests: keeps cookies, follows no redirect by itself, fills in forms as it finds them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use scraper::{Html, Selector};

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    /// Where a redirect leads.
    pub fn location(&self) -> &str {
        self.headers.get(LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    /// A header's value, empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The text of everything that matches a CSS selector.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let html = Html::parse_document(&self.text);
        let selector = Selector::parse(selector).unwrap();
        let found = html.select(&selector).map(|element| {
            let words: Vec<&str> = element.text().flat_map(str::split_whitespace).collect();
            words.join(" ")
        });
        found.collect()
    }

    /// An attribute of everything that matches a CSS selector.
    pub fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let html = Html::parse_document(&self.text);
        let selector = Selector::parse(selector).unwrap();
        html.select(&selector).filter_map(|element| element.value().attr(name).map(str::to_owned)).collect()
    }

    /// The form that posts to `action`, with the values it comes with.
    pub fn form(&self, action: &str) -> Form {
        let html = Html::parse_document(&self.text);
        let selector = Selector::parse(&format!("form[method=post][action=\"{action}\"]")).unwrap();
        let form = html.select(&selector).next().unwrap_or_else(|| panic!("no form to {action} in {}", self.text));
        let inputs = Selector::parse("input[name], button[name]").unwrap();
        let fields = form.select(&inputs).map(|input| {
            let value = |name: &str| input.value().attr(name).unwrap_or_default().to_owned();
            (value("name"), value("value"))
        });
        Form { action: action.to_owned(), fields: fields.collect() }
    }
}

/// A form on its way back.
#[derive(Clone, Debug)]
pub struct Form {
    pub action: String,
    pub fields: BTreeMap<String, String>,
}

impl Form {
    /// Fills in a field.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// A browser with cookies of its own.
#[derive(Clone)]
pub struct Browser {
    client: reqwest::Client,
    base: String,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
    headers: HeaderMap,
}

impl Browser {
    /// A browser at the broker reached under `base`.
    pub fn new(base: &str) -> Self {
        let headers = HeaderMap::from_iter([(reqwest::header::ACCEPT_LANGUAGE, "en".parse().unwrap())]);
        Self { client: super::client(false), base: base.to_owned(), cookies: Arc::default(), headers }
    }

    /// The same browser sending another header with every request.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    /// Puts a cookie into the jar, as somebody else might have.
    pub fn plant(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Page {
        self.send(self.client.get(format!("{}{path}", self.base))).await
    }

    /// Sends a form.
    pub async fn post(&self, form: &Form) -> Page {
        self.send(self.client.post(format!("{}{}", self.base, form.action)).form(&form.fields)).await
    }

    /// Sends any request with the browser's cookies and headers.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        let jar: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.headers(self.headers.clone()).header("cookie", jar.join("; "));
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        for line in headers.get_all(SET_COOKIE) {
            let (pair, attributes) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut jar = self.cookies.lock().unwrap();
            if attributes.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        Page { status, headers, text: answer.text().await.unwrap() }
    }

    /// Signs in at the sign-in page and gives the answer of the form.
    pub async fn sign_in(&self, login: &str, password: &str) -> Page {
        self.sign_in_at("/login", login, password).await
    }

    /// The same at a sign-in page with parameters.
    pub async fn sign_in_at(&self, path: &str, login: &str, password: &str) -> Page {
        let page = self.get(path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        self.post(&page.form("/login").with("login", login).with("password", password)).await
    }
}
