//! `GET /deputies`: who acts for the person while they are away, and for whom they act; `POST` names a deputy for a while,
//! `POST /deputies/end` ends it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use crate::access::{RoleRule, RoleRules, WhyError};
use crate::http::extract::{Fields, SessionForm, SignedIn};
use crate::http::paths;
use crate::http::state::App;
use crate::http::ui::words;
use crate::model::{Acting, ActingId, User};
use crate::store::{StoreError, Tx};
use crate::sync::{DeputyError, DoneBy, LONGEST_DAYS, NewDeputy, end_deputy as end, name_own_deputy, today};
use crate::text::{Language, say};
use crate::time::Date;

/// Deputies that are shown, the latest first.
const SHOWN: usize = 30;

/// One line of either list.
#[derive(Debug, Serialize)]
struct Row {
    id: ActingId,
    name: String,
    login: String,
    days: String,
    reason: Option<String>,
    /// `now`, `soon` or `past`.
    state: &'static str,
}

/// What was typed, to be shown again next to what is wrong with it.
#[derive(Clone, Debug, Default, Serialize)]
struct Typed {
    deputy: String,
    from: String,
    to: String,
    reason: String,
}

/// Shows both lists, and the form.
pub async fn list_deputies(signed_in: SignedIn) -> Response {
    page(&signed_in, Typed::default(), None).await
}

/// Names a deputy.
pub async fn name_deputy(State(app): State<App>, SessionForm(visit, fields): SessionForm) -> Response {
    let signed_in = match SignedIn::of(visit).await {
        Ok(signed_in) => signed_in,
        Err(response) => return response,
    };
    let Some(user) = signed_in.current.user() else {
        return signed_in.visit.refuse(StatusCode::NOT_FOUND, "error-not-found");
    };
    if !signed_in.is_fresh() {
        return Redirect::to(&SignedIn::prove_again(paths::DEPUTIES)).into_response();
    }
    let (typed, language) = (typed(&fields), signed_in.visit.language);
    let days = (day(&typed.from), day(&typed.to));
    let (Ok(from), Ok(to)) = days else {
        let problem = say(language, "deputy-not-day", &[]);
        return page(&signed_in, typed, Some(problem)).await;
    };
    let (address, request_id) = signed_in.visit.trace();
    let actor = signed_in.current.actor();
    let wish = NewDeputy { whom: user, deputy: &typed.deputy, from, to, reason: Some(&typed.reason) };
    match name_own_deputy(&app.broker, &wish, DoneBy { actor: &actor, request: (&address, &request_id) }).await {
        Ok(_) => Redirect::to(paths::DEPUTIES).into_response(),
        Err(error) => match problem(language, &error, &typed.deputy) {
            Some(problem) => page(&signed_in, typed, Some(problem)).await,
            None => signed_in.failed(&error),
        },
    }
}

/// Ends one: the person's own, or one in which they act for somebody.
pub async fn end_deputy(State(app): State<App>, SessionForm(visit, fields): SessionForm) -> Response {
    let signed_in = match SignedIn::of(visit).await {
        Ok(signed_in) => signed_in,
        Err(response) => return response,
    };
    let (Some(user), Ok(id)) = (signed_in.current.user(), fields.get("deputy").parse::<ActingId>()) else {
        return signed_in.visit.refuse(StatusCode::NOT_FOUND, "error-no-deputy");
    };
    let (address, request_id) = signed_in.visit.trace();
    let actor = signed_in.current.actor();
    match end(&app.broker, id, Some(user), DoneBy { actor: &actor, request: (&address, &request_id) }).await {
        Ok(_) => Redirect::to(paths::DEPUTIES).into_response(),
        // Somebody else's is answered like one that does not exist.
        Err(DeputyError::None(_)) => signed_in.visit.refuse(StatusCode::NOT_FOUND, "error-no-deputy"),
        Err(error) => signed_in.failed(&error),
    }
}

fn typed(fields: &Fields) -> Typed {
    let of = |name: &str| fields.get(name).trim().to_owned();
    Typed { deputy: of("deputy"), from: of("from"), to: of("to"), reason: of("reason") }
}

/// A day, or none.
fn day(text: &str) -> Result<Option<Date>, ()> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(drop) }
}

fn problem(language: Language, error: &DeputyError, name: &str) -> Option<String> {
    let named = [("name", name.into()), ("days", LONGEST_DAYS.into())];
    Some(say(language, &format!("deputy-not-{}", error.code()?), &named))
}

async fn page(signed_in: &SignedIn, typed: Typed, problem: Option<String>) -> Response {
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    match read(signed_in, typed, problem).await {
        Ok(values) => {
            let mut response = signed_in.page("deputies.html", "deputies", values);
            *response.status_mut() = status;
            response
        }
        Err(error) => signed_in.failed(&error),
    }
}

async fn read(signed_in: &SignedIn, typed: Typed, problem: Option<String>) -> Result<Value, WhyError> {
    let broker = &signed_in.visit.app.broker;
    let (mut own, mut others, mut lent, mut first) = (Vec::new(), Vec::new(), Vec::new(), String::new());
    if let Some(user) = signed_in.current.user() {
        let written = RoleRules::load(&broker.config.resolve(&broker.config.policies.folder))?;
        let mut tx = broker.db.read().await?;
        let day = today(broker, user);
        first = day.to_string();
        for of in tx.acting().list_by_user(user.id).await?.iter().take(SHOWN) {
            let list = if of.user_id == user.id { &mut own } else { &mut others };
            list.push(row(&mut tx, user, of, day, signed_in.visit.language).await?);
        }
        let lends = |rule: &str| written.find(rule).is_some_and(RoleRule::includes_deputies);
        for grant in tx.role_grants().list_by_user(user.id).await?.into_iter().filter(|grant| lends(&grant.rule)) {
            let within = match grant.scope.as_str() {
                "" => None,
                scope => Some(say(signed_in.visit.language, "why-within", &[("scope", scope.into())])),
            };
            lent.push((grant.role, within));
        }
        lent.dedup();
    }
    Ok(context! {
        is_person => signed_in.current.user().is_some(),
        is_fresh => signed_in.is_fresh(),
        prove_url => SignedIn::prove_again(paths::DEPUTIES),
        own => Value::from(Serde(own)),
        others => Value::from(Serde(others)),
        lent => Value::from(Serde(lent)),
        typed => Value::from(Serde(typed)),
        problem,
        today => first,
        action => paths::DEPUTIES,
        end => paths::DEPUTY_END,
    })
}

async fn row(tx: &mut Tx, user: &User, of: &Acting, today: Date, language: Language) -> Result<Row, StoreError> {
    let other = if of.user_id == user.id { of.deputy_id } else { of.user_id };
    let other = tx.users().find(other).await?;
    let state = match (of.starts_on, of.ends_on) {
        (_, Some(last)) if last < today => "past",
        (Some(first), _) if first > today => "soon",
        _ => "now",
    };
    Ok(Row {
        id: of.id,
        name: other.as_ref().map(|user| user.display_name.clone()).unwrap_or_default(),
        login: other.map(|user| user.login).unwrap_or_default(),
        days: words::days(language, of.starts_on, of.ends_on).unwrap_or_default(),
        reason: of.reason.clone(),
        state,
    })
}
