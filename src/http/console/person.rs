//! `GET /console/people`: a search; `GET /console/people/{id}`: why a person has what they have: the entry, the rules, the
//! runs, and everything that happened to them.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};

use crate::access::{Why, WhyError, why};
use crate::http::extract::{Administrator, SignedIn};
use crate::http::paths;
use crate::http::ui::words;
use crate::model::{Change, LoggedChange, RunId, Status, StepGroup, User, UserId};
use crate::store::{Db, StoreError};
use crate::sync::{FieldDiff, Step, field_text, steps_of_changes};
use crate::text::{Args, Language, fold, message};

/// People that a search shows.
const FOUND: i64 = 50;
/// Steps of a person's history.
const HISTORY: i64 = 100;

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

/// A role and where it comes from.
#[derive(Debug, Serialize)]
struct Role {
    #[serde(rename = "role")]
    name: String,
    why: String,
    rule: String,
    since: String,
    run: Option<String>,
}

/// Something that happened.
#[derive(Debug, Serialize)]
struct Event {
    sign: char,
    tone: &'static str,
    title: String,
    detail: String,
    at: String,
    run: Option<String>,
    fields: Vec<FieldDiff>,
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

/// Shows a person.
pub async fn show(Path(id): Path<String>, Administrator(signed_in): Administrator) -> Response {
    let found = match id.parse::<UserId>() {
        Ok(id) => read(&signed_in, id).await,
        Err(_) => Ok(None),
    };
    match found {
        Ok(Some(values)) => signed_in.page("person.html", "console", values),
        Ok(None) => signed_in.visit.refuse(StatusCode::NOT_FOUND, "error-not-found"),
        Err(error) => signed_in.failed(&error),
    }
}

async fn read(signed_in: &SignedIn, id: UserId) -> Result<Option<Value>, WhyError> {
    let broker = &signed_in.visit.app.broker;
    let mut tx = broker.db.read().await?;
    let Some(user) = tx.users().find(id).await? else { return Ok(None) };
    let logged = tx.change_log().list_by_object(id.0, HISTORY).await?;
    let changes: Vec<Change> = logged.iter().map(change).collect();
    let steps = steps_of_changes(&mut tx, &changes).await?;
    let manager = match user.manager_id {
        Some(manager) => tx.users().find(manager).await?.map(|manager| manager.display_name),
        None => None,
    };
    drop(tx);
    let why = why(broker, user).await?;
    let (language, zone) = (signed_in.visit.language, broker.config.server.time_zone);
    let moment = |at| words::moment(language, zone, at);
    let events: Vec<Event> = logged
        .iter()
        .zip(&changes)
        .zip(steps)
        .map(|((logged, change), step)| event(language, moment(logged.at), logged.run_id, StepGroup::of(change), step))
        .collect();
    let roles: Vec<Role> = why
        .roles
        .iter()
        .map(|role| Role {
            name: role.role.clone(),
            why: role.description.clone().unwrap_or_else(|| message(language, "person-rule-gone", &Args::new())),
            rule: role.rule.clone(),
            since: moment(role.granted_at),
            run: role.run_id.map(run_url),
        })
        .collect();
    Ok(Some(context! {
        name => why.user.display_name.clone(),
        login => why.user.login.clone(),
        is_active => why.user.status == Status::Active,
        status_why => status_why(language, &why, moment),
        facts => facts(language, &why, manager),
        roles => Value::from(Serde(roles)),
        history => Value::from(Serde(events)),
    }))
}

fn run_url(run: RunId) -> String {
    paths::RUN.replace("{id}", &run.to_string())
}

fn change(logged: &LoggedChange) -> Change {
    Change {
        kind: logged.kind,
        object_kind: logged.object_kind,
        object_id: logged.object_id,
        before: logged.before.clone(),
        after: logged.after.clone(),
    }
}

fn event(language: Language, at: String, run: Option<RunId>, group: StepGroup, step: Step) -> Event {
    let tone = match step.sign {
        '+' => "good",
        '-' => "bad",
        _ => "warn",
    };
    let mut fields = step.fields;
    for field in &mut fields {
        field.field = field_text(&field.field, language);
    }
    let title = message(language, &format!("sync-step-{group}"), &Args::new());
    Event { sign: step.sign, tone, title, detail: step.detail, at, run: run.map(run_url), fields }
}

/// Why somebody may not sign in, and since when.
fn status_why(language: Language, why: &Why, moment: impl Fn(crate::time::Instant) -> String) -> Option<String> {
    let since = why.user.disabled_at?;
    let mut args = Args::new();
    args.set("since", moment(since));
    let key = match why.user.status_reason.as_deref() {
        Some("absent") => "person-why-absent",
        Some("source_disabled") => "person-why-source-disabled",
        Some("undone") => "person-why-undone",
        _ => "person-why-other",
    };
    Some(message(language, key, &args))
}

/// Names and values, those that are there.
fn facts(language: Language, why: &Why, manager: Option<String>) -> Vec<(String, String)> {
    let user = &why.user;
    let say = |key: &str| message(language, key, &Args::new());
    let of_field = |field: &str| field_text(field, language);
    let entry = why.link.as_ref().map(|link| if link.dn.is_empty() { &link.external_id } else { &link.dn }.clone());
    let mut facts = vec![
        (of_field("employee_number"), user.employee_number.clone()),
        (of_field("title"), user.title.clone()),
        (of_field("mail"), user.mail.clone()),
        (of_field("mobile"), user.mobile.clone()),
        (of_field("department_id"), Some(why.departments.join(" < "))),
        (of_field("manager_id"), manager),
        (say("person-groups"), Some(why.groups.join(", "))),
        (say("run-source"), Some(user.source.clone())),
        (say("report-finding-entry"), entry),
    ];
    facts.extend(user.attributes.0.iter().map(|(name, values)| (name.clone(), Some(values.join(", ")))));
    facts.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?))).collect()
}
