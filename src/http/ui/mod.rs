//! Pages: templates (minijinja) and assets, embedded; an operator can lay a folder of their own over them.
//!
//! How to add a page: a template under `templates/`, a line in [`TEMPLATES`], a sample of its values in the template
//! test. A template says words only through `t("message", argument=…)`. Whatever an operator's template does wrong, the
//! embedded one is used instead and the log says so: nobody is locked out by a typing error.

mod assets;
pub mod wish;
pub mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::value::Kwargs;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, Value};

pub use assets::{Asset, Assets};

use crate::text::{Args, Language, message};

/// Every embedded template: (name, text).
pub const TEMPLATES: &[(&str, &str)] = &[
    ("device.html", include_str!("templates/device.html")),
    ("chart.html", include_str!("templates/chart.html")),
    ("console.html", include_str!("templates/console.html")),
    ("deputies.html", include_str!("templates/deputies.html")),
    ("roles.html", include_str!("templates/roles.html")),
    ("departments.html", include_str!("templates/departments.html")),
    ("findings.html", include_str!("templates/findings.html")),
    ("people.html", include_str!("templates/people.html")),
    ("person.html", include_str!("templates/person.html")),
    ("consent.html", include_str!("templates/consent.html")),
    ("consents.html", include_str!("templates/consents.html")),
    ("error.html", include_str!("templates/error.html")),
    ("form_post.html", include_str!("templates/form_post.html")),
    ("gate.html", include_str!("templates/gate.html")),
    ("house.html", include_str!("templates/house.html")),
    ("language.html", include_str!("templates/language.html")),
    ("layout.html", include_str!("templates/layout.html")),
    ("plan.html", include_str!("templates/plan.html")),
    ("portal.html", include_str!("templates/portal.html")),
    ("report.html", include_str!("templates/report.html")),
    ("requests.html", include_str!("templates/requests.html")),
    ("run.html", include_str!("templates/run.html")),
    ("runs.html", include_str!("templates/runs.html")),
    ("sessions.html", include_str!("templates/sessions.html")),
    ("sign_in.html", include_str!("templates/sign_in.html")),
    ("sign_out.html", include_str!("templates/sign_out.html")),
    ("signed_out.html", include_str!("templates/signed_out.html")),
    ("test_login.html", include_str!("templates/test_login.html")),
];

/// A page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// A template does not parse or names what is not there.
    #[error("the template `{name}` cannot be used: {cause}; correct it, or remove the file to have ours")]
    Template {
        /// Which.
        name: String,
        /// Where in it, and what is wrong.
        cause: Error,
    },
    /// A file of the operator's folder cannot be read.
    #[error("server.templates: `{path}` cannot be read: {cause}", path = .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// Templates and assets. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ui {
    embedded: Arc<Environment<'static>>,
    own: Option<Arc<Environment<'static>>>,
    /// Style sheet and images.
    pub assets: Arc<Assets>,
}

impl Ui {
    /// The embedded pages, with the operator's `folder` laid over them.
    #[must_use]
    pub fn new(folder: Option<&Path>) -> Self {
        let assets = Arc::new(Assets::new(folder));
        let own = folder.map(|folder| Arc::new(environment(Some(folder.to_owned()), &assets)));
        Self { embedded: Arc::new(environment(None, &assets)), own, assets }
    }

    /// Compiles every template, so that a fault is known at start.
    ///
    /// # Errors
    /// [`UiError`] of the first fault.
    pub fn check(&self) -> Result<(), UiError> {
        for (name, _) in TEMPLATES {
            for environment in [Some(&self.embedded), self.own.as_ref()].into_iter().flatten() {
                environment
                    .get_template(name)
                    .map_err(|cause| UiError::Template { name: (*name).to_owned(), cause })?;
            }
        }
        self.assets.check()
    }

    /// Renders a template in a language.
    ///
    /// # Errors
    /// [`UiError::Template`].
    pub fn render(&self, name: &str, language: Language, values: &Value) -> Result<String, UiError> {
        let values = minijinja::context! { lang => language.as_str(), ..values.clone() };
        if let Some(own) = &self.own {
            match own.get_template(name).and_then(|template| template.render(values.clone())) {
                Ok(page) => return Ok(page),
                Err(error) => tracing::error!(template = name, %error, "the operator's template fails; ours is used"),
            }
        }
        self.embedded
            .get_template(name)
            .and_then(|template| template.render(values))
            .map_err(|cause| UiError::Template { name: name.to_owned(), cause })
    }
}

fn environment(folder: Option<PathBuf>, assets: &Arc<Assets>) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Everything is HTML, whatever a template is called.
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_loader(move |name| load(folder.as_deref(), name));
    environment.add_function("t", translate);
    let assets = assets.clone();
    environment.add_function("asset", move |name: String| {
        let path = assets.path(&name).map(Value::from_safe_string);
        path.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("no asset `{name}`")))
    });
    environment
}

fn load(folder: Option<&Path>, name: &str) -> Result<Option<String>, Error> {
    let Some((_, embedded)) = TEMPLATES.iter().find(|(known, _)| *known == name) else { return Ok(None) };
    let own = folder.map(|folder| folder.join(name)).filter(|path| path.exists());
    match own {
        Some(path) => std::fs::read_to_string(&path).map(Some).map_err(|cause| {
            Error::new(ErrorKind::InvalidOperation, format!("`{}` cannot be read: {cause}", path.display()))
        }),
        None => Ok(Some((*embedded).to_owned())),
    }
}

/// `t("message", name=value)`: the message in the page's language.
#[expect(clippy::needless_pass_by_value, reason = "minijinja hands named arguments over by value")]
fn translate(state: &State<'_, '_>, key: &str, arguments: Kwargs) -> Result<String, Error> {
    let language = state.lookup("lang").and_then(|value| value.as_str()?.parse().ok()).unwrap_or(Language::En);
    let mut args = Args::new();
    for name in arguments.args() {
        let value: Value = arguments.get(name)?;
        match i64::try_from(value.clone()) {
            Ok(number) if value.is_number() => args.set(name.to_owned(), number),
            _ => args.set(name.to_owned(), value.to_string()),
        }
    }
    let text = message(language, key, &args);
    if text == key {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("no message `{key}`")));
    }
    Ok(text)
}
