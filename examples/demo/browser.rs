//! An HTTP client that behaves like a browser: cookies, redirects, forms.
//!
//! Redirects are followed here and not by the library, so that the walk can see which pages a person passed.

use anyhow::{Context as _, bail, ensure};
use reqwest::{Method, StatusCode, Url, header};
use scraper::{ElementRef, Html, Selector};

/// Redirects followed at the most.
const HOPS: usize = 12;

/// One person's browser.
#[derive(Clone, Debug)]
pub struct Browser {
    client: reqwest::Client,
    language: &'static str,
}

/// A page as it arrived.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its address, after redirects.
    pub url: Url,
    /// Its status.
    pub status: StatusCode,
    /// Its HTML.
    pub body: String,
    /// Every address on the way, the last one included.
    pub trail: Vec<Url>,
    /// Whether the page forbids to say where a request came from.
    hides_origin: bool,
}

/// A form, as found on a page, with its hidden fields.
#[derive(Clone, Debug)]
pub struct Form {
    action: Url,
    method: Method,
    fields: Vec<(String, String)>,
    origin: String,
}

impl Browser {
    /// A browser that nobody used before.
    pub fn new(language: &'static str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(std::time::Duration::from_secs(20))
            .build()?;
        Ok(Self { client, language })
    }

    /// Opens an address.
    pub async fn open(&self, url: &str) -> anyhow::Result<Page> {
        let url = Url::parse(url).with_context(|| format!("`{url}` is no address"))?;
        self.follow(Method::GET, url, Vec::new(), None).await
    }

    /// Sends a form.
    pub async fn submit(&self, form: Form) -> anyhow::Result<Page> {
        if form.method == Method::GET {
            let mut url = form.action;
            url.query_pairs_mut().clear().extend_pairs(&form.fields);
            return self.follow(Method::GET, url, Vec::new(), None).await;
        }
        self.follow(Method::POST, form.action, form.fields, Some(form.origin)).await
    }

    async fn follow(
        &self,
        mut method: Method,
        mut url: Url,
        fields: Vec<(String, String)>,
        origin: Option<String>,
    ) -> anyhow::Result<Page> {
        let mut trail = Vec::new();
        for _ in 0..HOPS {
            trail.push(url.clone());
            let mut request = self
                .client
                .request(method.clone(), url.clone())
                .header(header::ACCEPT, "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
                .header(header::ACCEPT_LANGUAGE, self.language)
                .header(header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64) YaopaiDemo/1.0");
            if method == Method::POST {
                request = request.header(header::ORIGIN, origin.as_deref().unwrap_or("null")).form(&fields);
            }
            let answer = request.send().await.with_context(|| format!("{method} {url} was not answered"))?;
            let status = answer.status();
            if let Some(next) = answer.headers().get(header::LOCATION).filter(|_| status.is_redirection()) {
                let next = next.to_str().context("a Location that is no text")?;
                url = url.join(next).with_context(|| format!("`{next}` is no address"))?;
                if !matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT) {
                    method = Method::GET;
                }
                continue;
            }
            let hides_origin =
                answer.headers().get(header::REFERRER_POLICY).is_some_and(|value| value == "no-referrer");
            let body = answer.text().await.with_context(|| format!("{url} broke off"))?;
            return Ok(Page { url, status, body, trail, hides_origin });
        }
        bail!("more than {HOPS} redirects, the last to {url}")
    }
}

impl Page {
    /// The page's words, without markup.
    pub fn text(&self) -> String {
        let html = Html::parse_document(&self.body);
        let words: Vec<&str> = ["main", "body"]
            .iter()
            .filter_map(|name| Selector::parse(name).ok())
            .find_map(|part| Some(html.select(&part).next()?.text().collect()))
            .unwrap_or_default();
        words.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The words of the first element that the CSS selector finds.
    pub fn words_of(&self, css: &str) -> Option<String> {
        let html = Html::parse_document(&self.body);
        let found: String = html.select(&Selector::parse(css).ok()?).next()?.text().collect();
        Some(found.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Whether a form with that field stands on the page.
    pub fn has_field(&self, name: &str) -> bool {
        self.form(name).is_ok()
    }

    /// The form with that field.
    pub fn form(&self, field: &str) -> anyhow::Result<Form> {
        let html = Html::parse_document(&self.body);
        let (forms, inputs) = (selector("form")?, selector("input, select, textarea, button")?);
        let form = html
            .select(&forms)
            .find(|form| form.select(&inputs).any(|input| input.attr("name") == Some(field)))
            .with_context(|| format!("no form with a field `{field}` on {}: {}", self.url, self.text()))?;
        self.read(form, &inputs)
    }

    /// The form that is sent to that path.
    pub fn form_to(&self, path: &str) -> anyhow::Result<Form> {
        let html = Html::parse_document(&self.body);
        let (forms, inputs) = (selector("form")?, selector("input, select, textarea, button")?);
        let form = html
            .select(&forms)
            .find(|form| form.attr("action").is_some_and(|action| action == path))
            .with_context(|| format!("no form to `{path}` on {}: {}", self.url, self.text()))?;
        self.read(form, &inputs)
    }

    fn read(&self, form: ElementRef<'_>, inputs: &Selector) -> anyhow::Result<Form> {
        let action = self.url.join(form.attr("action").unwrap_or(""))?;
        let is_post = form.attr("method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
        let fields = form
            .select(inputs)
            .filter(|input| matches!(input.attr("type"), Some("hidden")))
            .filter_map(|input| Some((input.attr("name")?.to_owned(), input.attr("value").unwrap_or("").to_owned())))
            .collect();
        let origin = if self.hides_origin { "null".to_owned() } else { self.url.origin().ascii_serialization() };
        Ok(Form { action, method: if is_post { Method::POST } else { Method::GET }, fields, origin })
    }

    /// Complains unless the page has that status.
    pub fn expect(&self, status: StatusCode) -> anyhow::Result<()> {
        ensure!(self.status == status, "expected {status} from {}, got {}: {}", self.url, self.status, self.text());
        Ok(())
    }

    /// Complains unless these words stand on the page.
    pub fn shows(&self, words: &str) -> anyhow::Result<()> {
        let text = self.text();
        ensure!(text.contains(words), "expected `{words}` on {}, which shows: {text}", self.url);
        Ok(())
    }
}

impl Form {
    /// Fills in a field.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

fn selector(text: &str) -> anyhow::Result<Selector> {
    Selector::parse(text).map_err(|error| anyhow::anyhow!("the selector `{text}`: {error}"))
}
