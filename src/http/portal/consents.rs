//! `GET /consents`: what applications may know and do in the person's name, and taking it back.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use crate::http::extract::{SessionForm, SignedIn};
use crate::http::paths;
use crate::http::respond::page::internal;
use crate::http::state::App;
use crate::http::ui::wish::{WishWords, wish_words};
use crate::http::ui::words;
use crate::model::Application;
use crate::oidc::withdraw_consent;
use crate::store::StoreError;

/// One application on the page.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    name: String,
    since: String,
    wish: WishWords,
}

/// Shows what the person agreed to.
pub async fn list_consents(signed_in: SignedIn) -> Response {
    match rows(&signed_in).await {
        Ok(rows) => {
            let values = context! { rows => Value::from(Serde(rows)), withdraw => paths::CONSENT_WITHDRAW };
            signed_in.page("consents.html", "consents", values)
        }
        Err(error) => signed_in.failed(&error),
    }
}

async fn rows(signed_in: &SignedIn) -> Result<Vec<Row>, StoreError> {
    let Some(user) = signed_in.current.user() else { return Ok(Vec::new()) };
    let broker = &signed_in.visit.app.broker;
    let language = signed_in.visit.language;
    let mut tx = broker.db.read().await?;
    let consents = tx.consents().list(user.id).await?;
    let list = tx.applications().list().await?;
    let apps: BTreeMap<&str, &Application> = list.iter().map(|app| (app.id.as_str(), app)).collect();
    let rows = consents.iter().filter_map(|consent| {
        let app = apps.get(consent.application_id.as_str())?;
        Some(Row {
            id: app.id.clone(),
            name: app.name.clone(),
            since: words::moment(language, broker.config.server.time_zone, consent.updated_at),
            wish: wish_words(language, app, &consent.wish),
        })
    });
    Ok(rows.collect())
}

/// `POST /consents/withdraw`: takes a consent back, with everything that rests on it.
pub async fn withdraw(State(app): State<App>, SessionForm(visit, fields): SessionForm) -> Response {
    let user = visit.session.as_ref().and_then(|current| current.user().map(|user| user.id));
    let Some(user) = user else { return visit.refuse(StatusCode::NOT_FOUND, "error-no-consent") };
    let (address, request_id) = visit.trace();
    match withdraw_consent(&app.broker, user, fields.get("application"), (&address, &request_id)).await {
        Ok(true) => Redirect::to(paths::CONSENTS).into_response(),
        Ok(false) => visit.refuse(StatusCode::NOT_FOUND, "error-no-consent"),
        Err(error) => {
            tracing::error!(%error, request_id, "a consent could not be withdrawn");
            internal(&app, visit.language, &visit.request_id)
        }
    }
}
