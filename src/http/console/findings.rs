//! `GET /console/findings`: the work list; `POST` gives a finding to somebody, accepts it for a while, takes it up again.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::NaiveDate;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};

use crate::http::extract::{Administrator, AdministratorForm, SignedIn};
use crate::http::paths;
use crate::http::state::App;
use crate::http::ui::words;
use crate::model::{Finding, FindingState};
use crate::store::StoreError;
use crate::sync::{FindingError, FindingsOf, accept_findings, assign_findings, reopen_findings};
use crate::text::finding_words;
use crate::time::{date_in, end_of_day};

/// Findings on a page.
const PAGE: i64 = 50;

/// Which findings are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    state: Option<String>,
    page: Option<String>,
}

/// A finding in the list.
#[derive(Debug, Serialize)]
struct Row {
    /// Of the page: fields of forms are called by it.
    number: usize,
    source: String,
    id: String,
    code: String,
    entry: String,
    place: String,
    details: String,
    state: &'static str,
    age: String,
    owner: Option<String>,
    reason: Option<String>,
    accepted: Option<String>,
}

/// Findings of one kind on the page.
#[derive(Debug, Serialize)]
struct Kind {
    code: String,
    title: String,
    remedy: String,
    quarantined: bool,
    rows: Vec<Row>,
}

/// A state to choose, with how many there are.
#[derive(Debug, Serialize)]
struct Chip {
    state: &'static str,
    count: i64,
    url: String,
    is_current: bool,
}

/// Shows the list.
pub async fn list(Query(asked): Query<Asked>, Administrator(signed_in): Administrator) -> Response {
    let state = asked.state.as_deref().and_then(|state| state.parse().ok()).unwrap_or(FindingState::Open);
    let page = asked.page.as_deref().and_then(|page| page.parse::<i64>().ok()).unwrap_or(1).clamp(1, 1_000_000);
    match read(&signed_in, state, page).await {
        Ok(values) => signed_in.page("findings.html", "console", values),
        Err(error) => signed_in.failed(&error),
    }
}

fn url(state: FindingState, page: i64) -> String {
    format!("{}?state={state}&page={page}", paths::FINDINGS)
}

async fn read(signed_in: &SignedIn, state: FindingState, page: i64) -> Result<Value, StoreError> {
    let broker = &signed_in.visit.app.broker;
    let mut tx = broker.db.read().await?;
    let found = tx.findings().list(None, Some(state), (PAGE, (page - 1) * PAGE)).await?;
    let counts = tx.findings().count().await?;
    drop(tx);
    let count = |of: FindingState| counts.iter().filter(|(_, state, _)| *state == of).map(|(_, _, n)| n).sum::<i64>();
    let chips: Vec<Chip> = FindingState::ALL
        .iter()
        .map(|of| Chip { state: of.as_str(), count: count(*of), url: url(*of, 1), is_current: *of == state })
        .collect();
    let is_more = page * PAGE < count(state);
    let mut kinds: Vec<Kind> = Vec::new();
    for (number, finding) in found.into_iter().enumerate() {
        if kinds.last().is_none_or(|kind| kind.code != finding.code) {
            let words = finding_words(&finding.code, &finding.arguments.0, signed_in.visit.language);
            let (code, quarantined) = (finding.code.clone(), finding.quarantined);
            kinds.push(Kind { code, title: words.kind, remedy: words.remedy, quarantined, rows: Vec::new() });
        }
        kinds.last_mut().into_iter().for_each(|kind| kind.rows.push(row(signed_in, number, &finding)));
    }
    let today = date_in(broker.clock.now(), broker.config.server.time_zone);
    Ok(context! {
        kinds => Value::from(Serde(kinds)),
        chips => Value::from(Serde(chips)),
        pages => context! { before => (page > 1).then(|| url(state, page - 1)), after => is_more.then(|| url(state, page + 1)) },
        action => paths::FINDINGS,
        today => today.to_string(),
    })
}

fn row(signed_in: &SignedIn, number: usize, finding: &Finding) -> Row {
    let broker = &signed_in.visit.app.broker;
    let (language, zone) = (signed_in.visit.language, broker.config.server.time_zone);
    let (entry, place) = words::entry(if finding.dn.is_empty() { &finding.external_id } else { &finding.dn });
    Row {
        number,
        entry,
        place,
        details: finding_words(&finding.code, &finding.arguments.0, language).details,
        age: words::ago(language, broker.clock.now(), finding.first_seen),
        state: finding.state.as_str(),
        accepted: finding
            .accepted_until
            .filter(|_| finding.state == FindingState::Accepted)
            .map(|until| date_in(until - chrono::Duration::seconds(1), zone).to_string()),
        source: finding.source.clone(),
        id: finding.external_id.clone(),
        code: finding.code.clone(),
        owner: finding.owner.clone(),
        reason: finding.reason.clone(),
    }
}

/// Takes a decision about one finding.
pub async fn decide(State(app): State<App>, AdministratorForm(signed_in, fields): AdministratorForm) -> Response {
    let of = FindingsOf { source: fields.get("source"), entry: fields.get("entry"), code: Some(fields.get("code")) };
    let by = signed_in.current.actor();
    let decided = match fields.get("decision") {
        "assign" => assign_findings(&app.broker, of, Some(fields.get("owner")), &by).await,
        "accept" => {
            let day = fields.get("until").parse::<NaiveDate>().ok();
            let until = day.and_then(|day| end_of_day(day, app.broker.config.server.time_zone));
            match until {
                Some(until) => accept_findings(&app.broker, of, (fields.get("reason"), until), &by).await,
                None => Err(FindingError::Past),
            }
        }
        "reopen" => reopen_findings(&app.broker, of, &by).await,
        _ => return signed_in.visit.refuse(StatusCode::BAD_REQUEST, "error-bad-request"),
    };
    let (status, key) = match decided {
        Ok(_) => return Redirect::to(paths::FINDINGS).into_response(),
        Err(FindingError::None { .. }) => (StatusCode::NOT_FOUND, "error-no-finding"),
        Err(FindingError::UnknownOwner(_)) => (StatusCode::BAD_REQUEST, "error-unknown-owner"),
        Err(FindingError::NoReason | FindingError::Past) => (StatusCode::BAD_REQUEST, "error-no-acceptance"),
        Err(FindingError::Store(error)) => return signed_in.failed(&error),
    };
    signed_in.visit.refuse(status, key)
}
