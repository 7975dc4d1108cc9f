//! `GET /console/people`: a search.

use axum::extract::Query;
use axum::response::Response;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};

use crate::http::extract::Administrator;
use crate::http::paths;
use crate::model::{Status, User};
use crate::store::{Db, StoreError};
use crate::text::fold;

/// People that a search shows.
const FOUND: i64 = 50;

/// What is searched for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    q: Option<String>,
}

/// Somebody who was found.
#[derive(Debug, Serialize)]
struct Row {
    url: String,
    name: String,
    login: String,
    title: Option<String>,
    is_active: bool,
}

/// Searches.
pub async fn search(Query(asked): Query<Asked>, Administrator(signed_in): Administrator) -> Response {
    let query = asked.q.unwrap_or_default().trim().to_owned();
    let rows = if query.is_empty() { Ok(Vec::new()) } else { find(&signed_in.visit.app.broker.db, &query).await };
    match rows {
        Ok(rows) => signed_in.page("people.html", "console", context! { query, rows => Value::from(Serde(rows)) }),
        Err(error) => signed_in.failed(&error),
    }
}

async fn find(db: &Db, query: &str) -> Result<Vec<Row>, StoreError> {
    let people = db.read().await?.census().find_people(&fold(query), query, FOUND).await?;
    let row = |user: User| Row {
        url: paths::PERSON.replace("{id}", &user.id.to_string()),
        name: user.display_name,
        login: user.login,
        title: user.title,
        is_active: user.status == Status::Active,
    };
    Ok(people.into_iter().map(row).collect())
}
