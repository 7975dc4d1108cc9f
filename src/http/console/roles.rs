//! `GET /console/roles`: every role with how many people have it; with `?role=…`: who they are, and by which rule.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::response::Response;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};

use super::person::{role_url, run_url};
use crate::access::{RoleRules, WhyError};
use crate::http::extract::{Administrator, SignedIn};
use crate::http::paths;
use crate::http::ui::words;
use crate::store::RoleHolder;
use crate::text::say;

/// People on a page.
const PAGE: i64 = 100;

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    role: Option<String>,
    page: Option<String>,
}

/// A role to choose.
#[derive(Debug, Serialize)]
struct Role {
    name: String,
    count: i64,
    url: String,
    /// Rules that give it: id and what each says of itself.
    rules: Vec<(String, String)>,
}

/// Somebody who has the role.
#[derive(Debug, Serialize)]
struct Row {
    url: String,
    name: String,
    login: String,
    department: String,
    rule: String,
    within: Option<String>,
    since: String,
    run: Option<String>,
}

/// Shows roles, or the people of one.
pub async fn show(Query(asked): Query<Asked>, Administrator(signed_in): Administrator) -> Response {
    match read(&signed_in, &asked).await {
        Ok(values) => signed_in.page("roles.html", "console", values),
        Err(error) => signed_in.failed(&error),
    }
}

async fn read(signed_in: &SignedIn, asked: &Asked) -> Result<Value, WhyError> {
    let broker = &signed_in.visit.app.broker;
    let written = RoleRules::load(&broker.config.resolve(&broker.config.policies.folder))?;
    let mut tx = broker.db.read().await?;
    let mut counts: BTreeMap<String, i64> = tx.role_grants().count_by_role().await?.into_iter().collect();
    // A role that nobody has is worth knowing, too.
    for rule in written.list() {
        counts.entry(rule.role.clone()).or_default();
    }
    let given_by = |name: &str| {
        let of = written.list().iter().filter(|rule| rule.role == name);
        of.map(|rule| (rule.id.clone(), rule.description.clone())).collect()
    };
    let roles: Vec<Role> = counts
        .into_iter()
        .map(|(name, count)| Role { count, url: role_url(&name), rules: given_by(&name), name })
        .filter(|role| asked.role.as_ref().is_none_or(|asked| *asked == role.name))
        .collect();
    let page = asked.page.as_deref().and_then(|page| page.parse::<i64>().ok()).unwrap_or(1).clamp(1, 1_000_000);
    let mut holders = match &asked.role {
        // One more than is shown tells whether there are more.
        Some(role) => tx.role_grants().holders(role, (PAGE + 1, (page - 1) * PAGE)).await?,
        None => Vec::new(),
    };
    let is_more = i64::try_from(holders.len()).unwrap_or(i64::MAX) > PAGE;
    holders.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    let rows: Vec<Row> = holders.into_iter().map(|holder| row(signed_in, holder)).collect();
    let url = |page: i64| asked.role.as_deref().map(|role| format!("{}&page={page}", role_url(role)));
    Ok(context! {
        role => asked.role.clone(),
        roles => Value::from(Serde(roles)),
        rows => Value::from(Serde(rows)),
        pages => context! { before => (page > 1).then(|| url(page - 1)).flatten(), after => is_more.then(|| url(page + 1)).flatten() },
    })
}

fn row(signed_in: &SignedIn, holder: RoleHolder) -> Row {
    let (language, zone) = (signed_in.visit.language, signed_in.visit.app.broker.config.server.time_zone);
    Row {
        url: paths::PERSON.replace("{id}", &holder.user_id.to_string()),
        name: holder.display_name,
        login: holder.login,
        department: holder.department_name,
        within: (!holder.scope.is_empty()).then(|| say(language, "why-within", &[("scope", holder.scope.into())])),
        rule: holder.rule,
        since: words::moment(language, zone, holder.granted_at),
        run: holder.run_id.map(run_url),
    }
}
