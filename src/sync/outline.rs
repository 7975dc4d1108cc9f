//! A plan in a person's words: who joins, leaves, moves, changes, gains and loses roles, and what exactly differs.
//!
//! Steps are read a page at a time and named set-based, so that a plan of half a million steps is shown as quickly as
//! one of ten.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::model::{Change, ChangeKind, Document, ObjectKind, PlanId, StepGroup};
use crate::store::{StoreError, Tx};

/// Fields that refer to other objects: they are shown by name.
const REFERENCES: [&str; 6] = ["department_id", "position_id", "manager_id", "parent_id", "member_id", "head_id"];

/// What stands for a value that is never shown.
const HIDDEN: &str = "••••";

/// A field that differs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FieldDiff {
    /// Name of the field: `mail`, `department_id`, `attributes.city`; a message `sync-field-…` says it in words.
    pub field: String,
    /// Before; none where there was nothing.
    pub before: Option<String>,
    /// After; none where there is nothing any more.
    pub after: Option<String>,
}

/// One step of a plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Step {
    /// `+`, `-` or `~`.
    pub sign: char,
    /// Kind of object.
    pub object_kind: ObjectKind,
    /// The object.
    pub object_id: Uuid,
    /// What it is called.
    pub name: String,
    /// What besides: the department of who joins, the role, the group.
    pub detail: String,
    /// What differs.
    pub fields: Vec<FieldDiff>,
}

/// The steps of one group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Outlined {
    /// What they are about.
    pub group: StepGroup,
    /// How many.
    pub count: u64,
    /// The first of them.
    pub steps: Vec<Step>,
}

/// The outline of a stored plan, groups without steps left out, up to `most` steps of each.
///
/// # Errors
/// When the database fails.
pub async fn outline(tx: &mut Tx, plan: PlanId, most: usize) -> Result<Vec<Outlined>, StoreError> {
    let counts: HashMap<StepGroup, i64> = tx.plans().count_steps(plan).await?.into_iter().collect();
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let (mut groups, mut changes) = (Vec::new(), Vec::new());
    for group in StepGroup::ALL {
        let Some(count) = counts.get(group) else { continue };
        let first = tx.plans().list_step(plan, *group, (limit, 0)).await?;
        groups.push((*group, u64::try_from(*count).unwrap_or(0), first.len()));
        changes.extend(first);
    }
    let mut steps = describe(tx, plan, &changes).await?.into_iter();
    let outlined = |(group, count, shown)| Outlined { group, count, steps: steps.by_ref().take(shown).collect() };
    Ok(groups.into_iter().map(outlined).collect())
}

/// A page of one group's steps.
///
/// # Errors
/// When the database fails.
pub async fn steps_of_group(
    tx: &mut Tx,
    plan: PlanId,
    group: StepGroup,
    page: (i64, i64),
) -> Result<Vec<Step>, StoreError> {
    let changes = tx.plans().list_step(plan, group, page).await?;
    describe(tx, plan, &changes).await
}

/// Everything that a plan does to one object, such as a person.
///
/// # Errors
/// When the database fails.
pub async fn steps_of_object(tx: &mut Tx, plan: PlanId, object: Uuid) -> Result<Vec<Step>, StoreError> {
    let changes = tx.plans().list_of(plan, &[object]).await?;
    describe(tx, plan, &changes).await
}

/// What changes say, wherever they are kept: those of the change log, say.
///
/// # Errors
/// When the database fails.
pub async fn steps_of_changes(tx: &mut Tx, changes: &[Change]) -> Result<Vec<Step>, StoreError> {
    let wanted = mentioned(changes);
    let names: HashMap<Uuid, String> =
        tx.names().of(&wanted).await?.into_iter().map(|(id, short, long)| (id, called(&short, Some(&long)))).collect();
    Ok(changes.iter().map(|change| step(change, &names)).collect())
}

/// Names the steps: by what is stored, and what is new by the plan itself.
async fn describe(tx: &mut Tx, plan: PlanId, changes: &[Change]) -> Result<Vec<Step>, StoreError> {
    let wanted = mentioned(changes);
    let mut names: HashMap<Uuid, String> =
        tx.names().of(&wanted).await?.into_iter().map(|(id, short, long)| (id, called(&short, Some(&long)))).collect();
    let new: Vec<Uuid> = wanted.into_iter().filter(|id| !names.contains_key(id)).collect();
    for change in tx.plans().list_of(plan, &new).await? {
        if let Some(name) = change.after.as_ref().and_then(|after| name(&after.value())) {
            names.insert(change.object_id, name);
        }
    }
    Ok(changes.iter().map(|change| step(change, &names)).collect())
}

/// Everything that the changes are about or refer to.
fn mentioned(changes: &[Change]) -> Vec<Uuid> {
    let mut wanted: BTreeSet<Uuid> = changes.iter().map(|change| change.object_id).collect();
    for document in changes.iter().flat_map(|change| [&change.before, &change.after]).flatten().map(Document::value) {
        wanted.extend(references(&document));
        wanted.extend(document.get("assignments").and_then(Value::as_array).into_iter().flatten().flat_map(references));
    }
    wanted.into_iter().collect()
}

fn references(document: &Value) -> impl Iterator<Item = Uuid> {
    REFERENCES.iter().filter_map(|key| document.get(*key)?.as_str()?.parse().ok())
}

fn step(change: &Change, names: &HashMap<Uuid, String>) -> Step {
    use ChangeKind::{Created, Disabled, Enabled, MemberAdded, MemberRemoved, RoleGranted, RoleRevoked};
    let sign = match change.kind {
        Created | Enabled | MemberAdded | RoleGranted => '+',
        Disabled | ChangeKind::Deleted | MemberRemoved | RoleRevoked => '-',
        ChangeKind::Changed | ChangeKind::Moved => '~',
    };
    let document = change.after.as_ref().or(change.before.as_ref()).map(Document::value).unwrap_or_default();
    let text = |key: &str| document.get(key)?.as_str();
    let name_at = |key: &str| names.get(&text(key)?.parse().ok()?).cloned();
    let own = names.get(&change.object_id).cloned().unwrap_or_else(|| change.object_id.to_string());
    let (name, detail) = match change.kind {
        RoleGranted | RoleRevoked => {
            let rule = text("rule").map(|rule| format!(" ({rule})")).unwrap_or_default();
            (own, format!("{}{rule}", text("role").unwrap_or_default()))
        }
        MemberAdded | MemberRemoved => (name_at("member_id").unwrap_or_default(), own),
        _ => {
            let before = change
                .before
                .as_ref()
                .and_then(|before| name(&before.value()))
                .filter(|_| change.kind == ChangeKind::Disabled);
            let place = if change.object_kind == ObjectKind::Department { "parent_id" } else { "department_id" };
            (before.unwrap_or(own), if sign == '~' { String::new() } else { name_at(place).unwrap_or_default() })
        }
    };
    let fields = if sign == '~' { diff(change, names) } else { Vec::new() };
    Step { sign, object_kind: change.object_kind, object_id: change.object_id, name, detail, fields }
}

/// `wang.fang 王芳`, `QY-HQ 总部`.
fn name(document: &Value) -> Option<String> {
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    Some(called(text("login").or_else(|| text("code"))?, text("display_name").or_else(|| text("name"))))
}

fn called(short: &str, long: Option<&str>) -> String {
    long.filter(|long| *long != short).map_or_else(|| short.to_owned(), |long| format!("{short} {long}"))
}

/// The fields in which two documents differ.
fn diff(change: &Change, names: &HashMap<Uuid, String>) -> Vec<FieldDiff> {
    let value = |document: &Option<Document>| document.as_ref().map(Document::value);
    let (before, after) = (value(&change.before), value(&change.after));
    let (before, after) = (flat(before.as_ref()), flat(after.as_ref()));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let shown = |key: &str, value: Option<&&Value>| -> Option<String> {
        let text = match value? {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            Value::Array(values) => values.iter().map(|value| item(value, names)).collect::<Vec<_>>().join(", "),
            other => other.to_string(),
        };
        Some(match key {
            "password" => HIDDEN.to_owned(),
            key if REFERENCES.contains(&key) => {
                text.parse().ok().and_then(|id| names.get(&id).cloned()).unwrap_or(text)
            }
            _ => text,
        })
    };
    keys.into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .map(|key| FieldDiff {
            field: key.clone(),
            before: shown(key, before.get(key)),
            after: shown(key, after.get(key)),
        })
        .collect()
}

/// One value of several: a text, or an assignment, which is called by its department, position and days.
fn item(value: &Value, names: &HashMap<Uuid, String>) -> String {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let called = |key: &str| names.get(&text(key)?.parse().ok()?).map(String::as_str);
    let Some(department) = called("department_id") else {
        return value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    };
    let days = match (text("starts_on"), text("ends_on")) {
        (None, None) => None,
        (first, last) => Some(format!("{}…{}", first.unwrap_or_default(), last.unwrap_or_default())),
    };
    let parts = [Some(department.to_owned()), called("position_id").map(str::to_owned), days];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// A document with its further attributes beside the fields.
fn flat(document: Option<&Value>) -> HashMap<String, &Value> {
    let mut all = HashMap::new();
    for (key, value) in document.and_then(Value::as_object).into_iter().flatten() {
        match value.as_object().filter(|_| key == "attributes") {
            Some(further) => all.extend(further.iter().map(|(name, value)| (format!("attributes.{name}"), value))),
            None => drop(all.insert(key.clone(), value)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{FieldDiff, step};
    use crate::model::{Change, ChangeKind, ObjectKind, StepGroup};

    #[test]
    fn a_move_is_said_by_names_and_a_password_is_never_shown() {
        let (person, from, to) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2), uuid::Uuid::from_u128(3));
        let document = |department: uuid::Uuid, password: &str| {
            Some(
                json!({ "login": "wang", "department_id": department, "password": password, "attributes": { "city": ["Beijing"] } }),
            )
        };
        let change = Change {
            kind: ChangeKind::Moved,
            object_kind: ObjectKind::User,
            object_id: person,
            before: document(from, "a").map(Into::into),
            after: document(to, "b").map(Into::into),
        };
        let names = [(person, "wang 王芳"), (from, "QY-S 销售部"), (to, "QY-F 财务部")];
        let step = step(&change, &names.map(|(id, name)| (id, name.to_owned())).into());
        assert_eq!((step.sign, step.name.as_str()), ('~', "wang 王芳"));
        let field = |field: &str, before: &str, after: &str| FieldDiff {
            field: field.into(),
            before: Some(before.into()),
            after: Some(after.into()),
        };
        let expected = [field("department_id", "QY-S 销售部", "QY-F 财务部"), field("password", "••••", "••••")];
        assert_eq!(step.fields, expected);
        assert_eq!(StepGroup::of(&change), StepGroup::Moved);
    }
}
