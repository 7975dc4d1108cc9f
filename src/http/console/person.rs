//! `GET /console/people/{id}`: why a person has what they have: the entry, the rules, the runs, and everything that
//! happened to them.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use crate::access::{Since, Why, WhyError, WhyLine, WhyRole, why};
use crate::http::extract::{Administrator, SignedIn};
use crate::http::paths;
use crate::http::ui::words;
use crate::model::{Change, LoggedChange, RunId, Status, StepGroup, UserId};
use crate::sync::{FieldDiff, Step, field_text, steps_of_changes};
use crate::text::{Args, Language, message, say};
use crate::time::Instant;

/// Steps of a person's history.
const HISTORY: i64 = 100;

/// A role and where it comes from.
#[derive(Debug, Serialize)]
struct Role {
    #[serde(rename = "role")]
    name: String,
    url: String,
    within: Option<String>,
    acting: Option<String>,
    why: String,
    rule: String,
    since: String,
    run: Option<String>,
}

/// A name and a value, with what it comes from.
#[derive(Debug, Serialize)]
struct Fact {
    name: String,
    value: String,
    since: Option<String>,
    run: Option<String>,
}

/// A field that differs, in words.
#[derive(Debug, Serialize)]
struct Differs {
    name: String,
    before: Option<String>,
    after: Option<String>,
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
    fields: Vec<Differs>,
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
    let roles: Vec<Role> = why.roles.iter().map(|of| role(language, of, &moment)).collect();
    Ok(Some(context! {
        name => why.user.display_name.clone(),
        login => why.user.login.clone(),
        is_active => why.user.status == Status::Active,
        status_why => status_why(language, &why, moment),
        facts => Value::from(Serde(facts(language, &why, &moment))),
        roles => Value::from(Serde(roles)),
        history => Value::from(Serde(events)),
    }))
}

fn role(language: Language, of: &WhyRole, moment: &impl Fn(Instant) -> String) -> Role {
    let whom = of.acting_for.join(&say(language, "list-separator", &[]));
    Role {
        name: of.role.clone(),
        url: role_url(&of.role),
        within: (!of.scope.is_empty()).then(|| say(language, "why-within", &[("scope", of.scope.as_str().into())])),
        acting: (!whom.is_empty()).then(|| say(language, "why-acting", &[("whom", whom.into())])),
        why: of.description.clone().unwrap_or_else(|| say(language, "person-rule-gone", &[])),
        rule: of.rule.clone(),
        since: moment(of.granted_at),
        run: of.run_id.map(run_url),
    }
}

pub(super) fn run_url(run: RunId) -> String {
    paths::RUN.replace("{id}", &run.to_string())
}

pub(super) fn role_url(role: &str) -> String {
    format!("{}?role={}", paths::ROLES, url::form_urlencoded::byte_serialize(role.as_bytes()).collect::<String>())
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
    let differs = |of: FieldDiff| Differs { name: field_text(&of.field, language), before: of.before, after: of.after };
    let fields = step.fields.into_iter().map(differs).collect();
    let title = message(language, &format!("sync-step-{group}"), &Args::new());
    Event { sign: step.sign, tone, title, detail: step.detail, at, run: run.map(run_url), fields }
}

/// Why somebody may not sign in, and since when.
fn status_why(language: Language, why: &Why, moment: impl Fn(Instant) -> String) -> Option<String> {
    let since = why.user.disabled_at?;
    let mut args = Args::new();
    args.set("since", moment(since));
    let key = match why.user.status_reason.as_deref() {
        Some("absent") => "person-why-absent",
        Some("source_disabled") => "person-why-source-disabled",
        Some("undone") => "person-why-undone",
        Some("out_of_scope") => "person-why-out-of-scope",
        Some("not_started") => "person-why-not-started",
        Some("ended") => "person-why-ended",
        _ => "person-why-other",
    };
    Some(message(language, key, &args))
}

/// Names and values, those that are there.
fn facts(language: Language, why: &Why, moment: &impl Fn(Instant) -> String) -> Vec<Fact> {
    let user = &why.user;
    let of_field = |field: &str| field_text(field, language);
    let plain =
        |name: String, value: Option<String>| Fact { name, value: value.unwrap_or_default(), since: None, run: None };
    let dated = |name: String, value: String, since: Option<&Since>| Fact {
        since: since.map(|of| say(language, "why-since", &[("at", moment(of.at).into())])),
        run: since.and_then(|of| of.run_id).map(run_url),
        ..plain(name, Some(value))
    };
    let entry = why.link.as_ref().map(|link| if link.dn.is_empty() { &link.external_id } else { &link.dn }.clone());
    let status = say(language, &format!("user-status-{}", user.status), &[]);
    let mut facts = vec![
        dated(of_field("status"), status, why.status_since.as_ref()),
        plain(of_field("employee_number"), user.employee_number.clone()),
        dated(of_field("department_id"), path(why), why.department_since.as_ref()),
        plain(of_field("position_id"), why.position.clone()),
        plain(of_field("title"), user.title.clone().filter(|title| why.position.as_ref() != Some(title))),
        plain(of_field("manager_id"), why.manager.clone()),
    ];
    facts.extend(why.organisation.iter().map(|line| besides(language, line)));
    facts.extend([
        plain(of_field("cost_centre"), why.cost_centre.clone()),
        plain(of_field("legal_entity"), why.legal_entity.clone()),
        plain(of_field("mail"), user.mail.clone()),
        plain(of_field("mobile"), user.mobile.clone()),
        plain(say(language, "person-groups", &[]), Some(why.groups.join(&say(language, "list-separator", &[])))),
        plain(say(language, "run-source", &[]), Some(user.source.clone())),
        plain(say(language, "report-finding-entry", &[]), entry),
    ]);
    let further = |(name, values): (&String, &Vec<String>)| {
        plain(of_field(&format!("attributes.{name}")), Some(values.join(", ")))
    };
    facts.extend(user.attributes.0.iter().map(further));
    for (field, source) in &why.masters {
        let from = say(language, "why-from", &[("source", source.as_str().into())]);
        facts.push(plain(of_field(field), Some(from)));
    }
    facts.retain(|fact| !fact.value.is_empty());
    facts
}

/// `青屿集团 / 华东分公司 / 销售部 (QY-HD-SAL)`, from the top down.
fn path(why: &Why) -> String {
    let names: Vec<&str> = why.department_names.iter().rev().map(String::as_str).collect();
    let code = why.departments.first().map(|code| format!(" ({code})")).unwrap_or_default();
    names.join(" / ") + &code
}

/// A concurrent assignment, a department headed, somebody acted for.
fn besides(language: Language, line: &WhyLine) -> Fact {
    let name = say(language, &format!("why-besides-{}", line.what), &[]);
    let position = line.position.as_ref().map(|position| format!(" · {position}")).unwrap_or_default();
    let days = words::days(language, line.from, line.to).map(|days| format!(" · {days}")).unwrap_or_default();
    let force = if line.in_force { String::new() } else { format!(" · {}", say(language, "act-not-in-force", &[])) };
    Fact { name, value: format!("{}{position}{days}{force}", line.value), since: None, run: None }
}
