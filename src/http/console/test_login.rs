//! `/console/test-login`: an administrator sees what an application would be told of them.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};

use crate::http::extract::{Administrator, AdministratorForm, SignedIn};
use crate::http::paths;
use crate::http::state::App;
use crate::login::CurrentSession;
use crate::oidc::{Caller, Preview, find_test_login, run_test_login};

/// What the link carries.
#[derive(Clone, Debug, Deserialize)]
pub struct Asked {
    token: Option<String>,
}

/// One document on the page.
#[derive(Debug, Serialize)]
struct Document {
    kind: &'static str,
    text: Option<String>,
}

/// Asks whether to go on; looking at the link does not use it up.
pub async fn ask_test_login(
    State(app): State<App>,
    Query(asked): Query<Asked>,
    Administrator(signed_in): Administrator,
) -> Response {
    let token = asked.token.unwrap_or_default();
    match find_test_login(app.provider(), &token).await {
        Ok(Some(known)) => {
            let values = context! {
                application => known.name.clone(),
                action => paths::TEST_LOGIN,
                token,
                shown => Value::from(()),
            };
            signed_in.page("test_login.html", "console", values)
        }
        Ok(None) => gone(&signed_in),
        Err(error) => signed_in.failed(&error),
    }
}

/// Takes the link and shows everything.
pub async fn show_test_login(
    State(app): State<App>,
    caller: Caller,
    AdministratorForm(signed_in, fields): AdministratorForm,
) -> Response {
    let CurrentSession::Person(session, user) = &signed_in.current else {
        return signed_in.visit.refuse(StatusCode::FORBIDDEN, "error-operator-application");
    };
    match run_test_login(app.provider(), &caller, fields.get("token"), (session, user)).await {
        Ok(Some((known, shown))) => {
            let values = context! {
                application => known.name.clone(),
                documents => Value::from(Serde(documents(&shown))),
                shown => Value::from(Serde(shown)),
            };
            signed_in.page("test_login.html", "console", values)
        }
        Ok(None) => gone(&signed_in),
        Err(error) => signed_in.failed(&error),
    }
}

fn gone(signed_in: &SignedIn) -> Response {
    signed_in.visit.refuse(StatusCode::NOT_FOUND, "error-no-test-login")
}

fn documents(shown: &Preview) -> [Document; 3] {
    let pretty = |document: &serde_json::Value| serde_json::to_string_pretty(document).ok();
    [
        Document { kind: "id-token", text: shown.id_token.as_ref().and_then(pretty) },
        Document { kind: "userinfo", text: shown.userinfo.as_ref().and_then(pretty) },
        Document { kind: "access-token", text: pretty(&shown.access_token) },
    ]
}
