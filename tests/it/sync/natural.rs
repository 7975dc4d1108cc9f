//! What a sync left behind, told by names that two installations share: ids of ours and times are left out.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use uuid::Uuid;
use yaopai::model::{Document, Link};
use yaopai::store::Db;

/// Digest of a link whose object is absent from the source.
const GONE: &str = "gone";

/// Our ids, each with the name that its source has for it.
struct Names {
    names: HashMap<Uuid, String>,
    gone: Vec<Uuid>,
}

impl Names {
    async fn of(db: &Db, source: &str) -> Self {
        let links: Vec<Link> = db.read().await.unwrap().links().list_by_source(source).await.unwrap();
        let gone = links.iter().filter(|link| link.digest == GONE).map(|link| link.object_id).collect();
        let name = |link: Link| (link.object_id, format!("{}:{}", link.kind.as_str(), link.external_id));
        Self { names: links.into_iter().map(name).collect(), gone }
    }

    fn of_id(&self, id: Uuid) -> String {
        self.names.get(&id).cloned().unwrap_or_else(|| panic!("{id} is linked to nothing"))
    }

    /// Ids inside a document.
    fn named(&self, document: Option<&Value>) -> Value {
        match document {
            Some(Value::String(text)) => match Uuid::parse_str(text).ok().and_then(|id| self.names.get(&id)) {
                Some(name) => Value::String(name.clone()),
                None => Value::String(text.clone()),
            },
            Some(Value::Object(map)) => {
                let named: BTreeMap<&String, Value> =
                    map.iter().map(|(key, value)| (key, self.named(Some(value)))).collect();
                serde_json::to_value(named).unwrap()
            }
            Some(Value::Array(list)) => list.iter().map(|value| self.named(Some(value))).collect(),
            other => other.cloned().unwrap_or_default(),
        }
    }
}

/// Everybody and everything with memberships and roles, a line each. `is_present`: only what the source still has.
pub async fn state(db: &Db, source: &str, is_present: bool) -> Vec<String> {
    let names = Names::of(db, source).await;
    let is_left_out = |id: Uuid| is_present && names.gone.contains(&id);
    let reference = |id: Option<Uuid>| id.filter(|id| !is_left_out(*id)).map(|id| names.of_id(id)).unwrap_or_default();
    let mut tx = db.read().await.unwrap();
    let mut lines = Vec::new();
    for u in tx.users().list_by_source(source).await.unwrap() {
        if is_left_out(u.id.0) {
            continue;
        }
        let refs = [u.department_id.map(|id| id.0), u.position_id.map(|id| id.0), u.manager_id.map(|id| id.0)];
        lines.push(format!(
            "{} {:?} {:?} {:?} {:?} {:?}",
            names.of_id(u.id.0),
            (&u.login, &u.login_key, &u.employee_number, &u.display_name, &u.given_name, &u.family_name),
            (&u.mail, &u.mobile, &u.title, &u.attributes.0, &u.password_hash),
            refs.map(reference),
            (u.status, &u.status_reason),
            u.disabled_at.is_some(),
        ));
    }
    for row in tx.departments().list_by_source(source).await.unwrap() {
        if is_left_out(row.id.0) {
            continue;
        }
        let parent = reference(row.parent_id.map(|id| id.0));
        let what = (&row.code, &row.name, row.sort_order, row.status);
        lines.push(format!("{} {what:?} below {parent}", names.of_id(row.id.0)));
    }
    for row in tx.positions().list_by_source(source).await.unwrap() {
        if is_left_out(row.id.0) {
            continue;
        }
        lines.push(format!("{} {:?}", names.of_id(row.id.0), (&row.code, &row.name, row.status)));
    }
    for row in tx.groups().list_by_source(source).await.unwrap() {
        if is_left_out(row.id.0) {
            continue;
        }
        lines.push(format!("{} {:?}", names.of_id(row.id.0), (&row.code, &row.name, row.status)));
    }
    for member in tx.groups().list_members(source).await.unwrap() {
        if !is_left_out(member.member_id) && !is_left_out(member.group_id.0) {
            lines.push(format!("{} in {}", names.of_id(member.member_id), names.of_id(member.group_id.0)));
        }
    }
    for grant in tx.role_grants().list_by_source(source).await.unwrap() {
        if !is_left_out(grant.user_id.0) {
            lines.push(format!("{} has {} by {}", names.of_id(grant.user_id.0), grant.role, grant.rule));
        }
    }
    lines.sort();
    lines
}

/// The change log, and what was recorded of it in the audit log: a line each, in one order.
pub async fn events(db: &Db, source: &str) -> Vec<String> {
    let names = Names::of(db, source).await;
    let mut tx = db.read().await.unwrap();
    let mut lines = Vec::new();
    for change in tx.change_log().list_after(0, 10_000_000).await.unwrap() {
        let documents = [&change.before, &change.after]
            .map(|document| names.named(document.as_ref().map(Document::value).as_ref()));
        lines.push(format!("{:?} {} {documents:?}", change.kind, names.of_id(change.object_id)));
    }
    for row in tx.audit().list_after(0, i64::MAX, i64::MAX).await.unwrap() {
        let details: Value = serde_json::from_str(&row.details).unwrap();
        let is_of_people = row.subject.starts_with("user:");
        if row.outcome != "success" || !is_of_people && details["changes"].as_u64().unwrap_or(0) == 0 {
            continue;
        }
        let subject =
            row.subject.split_once(':').and_then(|(_, id)| Uuid::parse_str(id).ok()).map(|id| names.of_id(id));
        let counted = ["changes", "users", "departments", "groups", "members", "roles", "change", "reason"];
        let facts: Vec<&Value> = counted.iter().map(|name| &details[*name]).collect();
        lines.push(format!("audit {} {subject:?} {facts:?}", row.action));
    }
    lines.sort();
    lines
}

/// Two lists of lines are the same; tells the first ones that are not.
pub fn assert_same(one: &[String], other: &[String], what: &str) {
    let count = |lines: &[String]| {
        let mut all: BTreeMap<String, i64> = BTreeMap::new();
        for line in lines {
            *all.entry(line.clone()).or_default() += 1;
        }
        all
    };
    let mut all = count(one);
    for (line, times) in count(other) {
        *all.entry(line).or_default() -= times;
    }
    let differ: Vec<String> = all
        .into_iter()
        .filter(|(_, times)| *times != 0)
        .map(|(line, times)| format!("{} {line}", if times > 0 { "only here: " } else { "only there:" }))
        .take(12)
        .collect();
    assert!(differ.is_empty(), "{what}:\n{}", differ.join("\n"));
}
