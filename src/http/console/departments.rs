//! `GET /console/departments`: the tree of departments in use, with the people in each and below.

use std::collections::{BTreeMap, HashMap, HashSet};

use axum::response::Response;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use crate::http::extract::{Administrator, SignedIn};
use crate::model::{Department, DepartmentId, DepartmentKind, Status};
use crate::store::StoreError;

/// Levels that are open at first.
const OPEN: usize = 2;
/// Levels that are shown: a tree of people is never deeper, a faulty one might be.
const DEEPEST: usize = 40;

/// A department with what is below.
#[derive(Debug, Serialize)]
struct Node {
    code: String,
    name: String,
    /// A company or a subsidiary, else none.
    kind: Option<&'static str>,
    /// Who heads it.
    head: Option<String>,
    cost_centre: Option<String>,
    legal_entity: Option<String>,
    /// People here and below.
    all: i64,
    is_open: bool,
    below: Vec<Node>,
}

/// Shows the tree.
pub async fn show(Administrator(signed_in): Administrator) -> Response {
    match read(&signed_in).await {
        Ok((tree, departments, people)) => {
            let values = context! { tree => Value::from(Serde(tree)), departments, people };
            signed_in.page("departments.html", "console", values)
        }
        Err(error) => signed_in.failed(&error),
    }
}

async fn read(signed_in: &SignedIn) -> Result<(Vec<Node>, usize, i64), StoreError> {
    let mut tx = signed_in.visit.app.broker.db.read().await?;
    let mut all = tx.departments().list().await?;
    all.retain(|department| department.status == Status::Active);
    let counts: HashMap<Option<uuid::Uuid>, i64> = tx.census().people_by_department().await?.into_iter().collect();
    let people = counts.values().sum();
    let heads: Vec<uuid::Uuid> = all.iter().filter_map(|department| department.head_id.map(|id| id.0)).collect();
    let heads = tx.names().of(&heads).await?.into_iter().map(|(id, _, name)| (id, name)).collect();
    Ok((tree(&all, &Known { counts, heads }), all.len(), people))
}

/// What is known besides the departments themselves.
struct Known {
    /// People in each.
    counts: HashMap<Option<uuid::Uuid>, i64>,
    /// Names of the heads.
    heads: HashMap<uuid::Uuid, String>,
}

fn tree(all: &[Department], known: &Known) -> Vec<Node> {
    let here: HashSet<DepartmentId> = all.iter().map(|department| department.id).collect();
    let mut below: BTreeMap<Option<DepartmentId>, Vec<&Department>> = BTreeMap::new();
    for department in all {
        below.entry(department.parent_id.filter(|parent| here.contains(parent))).or_default().push(department);
    }
    branch(None, &below, known, 0)
}

fn branch(
    above: Option<DepartmentId>,
    below: &BTreeMap<Option<DepartmentId>, Vec<&Department>>,
    known: &Known,
    depth: usize,
) -> Vec<Node> {
    let departments = below.get(&above).filter(|_| depth < DEEPEST).into_iter().flatten();
    departments
        .map(|department| {
            let children = branch(Some(department.id), below, known, depth + 1);
            let own = known.counts.get(&Some(department.id.0)).copied().unwrap_or(0);
            Node {
                code: department.code.clone(),
                name: department.name.clone(),
                kind: Some(department.kind.as_str()).filter(|_| department.kind != DepartmentKind::Department),
                head: department.head_id.and_then(|head| known.heads.get(&head.0).cloned()),
                cost_centre: department.cost_centre.clone(),
                legal_entity: department.legal_entity.clone(),
                all: own + children.iter().map(|child| child.all).sum::<i64>(),
                is_open: depth < OPEN,
                below: children,
            }
        })
        .collect()
}
