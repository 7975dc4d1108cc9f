//! `GET /sessions`: where the person is signed in.

use std::collections::BTreeMap;

use axum::response::Response;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use crate::http::extract::SignedIn;
use crate::http::paths;
use crate::http::ui::words;
use crate::model::{Session, SessionId};
use crate::store::StoreError;

/// One session on the page.
#[derive(Debug, Serialize)]
struct Row {
    id: SessionId,
    browser: String,
    address: String,
    opened: String,
    last_used: String,
    applications: Vec<String>,
    is_this: bool,
}

/// Shows the person's live sessions, this one first.
pub async fn list(signed_in: SignedIn) -> Response {
    let rows = match rows(&signed_in).await {
        Ok(rows) => rows,
        Err(error) => return signed_in.failed(&error),
    };
    let values = context! {
        has_others => rows.iter().any(|row| !row.is_this),
        rows => Value::from(Serde(rows)),
        end_one => paths::SESSION_END,
        end_others => paths::SESSIONS_END_OTHERS,
        everywhere => paths::SESSIONS_END_ALL,
    };
    signed_in.page("sessions.html", "sessions", values)
}

async fn rows(signed_in: &SignedIn) -> Result<Vec<Row>, StoreError> {
    let broker = &signed_in.visit.app.broker;
    let this = signed_in.current.session();
    let mut tx = broker.db.read().await?;
    let (mut sessions, reached) = match signed_in.current.user() {
        Some(user) => {
            let sessions = tx.sessions().list_live(user.id, broker.clock.now()).await?;
            (sessions, tx.sessions().list_reached(user.id).await?)
        }
        None => (vec![this.clone()], Vec::new()),
    };
    let names: BTreeMap<String, String> =
        tx.applications().list().await?.into_iter().map(|application| (application.id, application.name)).collect();
    sessions.sort_by_key(|session| session.id != this.id);
    let of = |session: &Session| {
        let own = reached.iter().filter(|(id, _)| *id == session.id);
        own.map(|(_, id)| names.get(id).unwrap_or(id).clone()).collect()
    };
    Ok(sessions.iter().map(|session| row(signed_in, session, of(session))).collect())
}

fn row(signed_in: &SignedIn, session: &Session, applications: Vec<String>) -> Row {
    let (language, broker) = (signed_in.visit.language, &signed_in.visit.app.broker);
    Row {
        id: session.id,
        browser: words::browser(language, &session.user_agent),
        address: session.address.clone(),
        opened: words::moment(language, broker.config.server.time_zone, session.created_at),
        last_used: words::ago(language, broker.clock.now(), session.last_seen_at),
        applications,
        is_this: session.id == signed_in.current.session().id,
    }
}
