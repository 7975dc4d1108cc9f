//! `GET /console/departments`: the tree of departments in use, with the people in each and below.

use std::collections::{BTreeMap, HashMap, HashSet};

use axum::response::Response;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use crate::http::extract::{Administrator, SignedIn};
use crate::model::{Department, DepartmentId, Status};
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
    Ok((tree(&all, &counts), all.len(), people))
}

fn tree(all: &[Department], counts: &HashMap<Option<uuid::Uuid>, i64>) -> Vec<Node> {
    let known: HashSet<DepartmentId> = all.iter().map(|department| department.id).collect();
    let mut below: BTreeMap<Option<DepartmentId>, Vec<&Department>> = BTreeMap::new();
    for department in all {
        below.entry(department.parent_id.filter(|parent| known.contains(parent))).or_default().push(department);
    }
    branch(None, &below, counts, 0)
}

fn branch(
    above: Option<DepartmentId>,
    below: &BTreeMap<Option<DepartmentId>, Vec<&Department>>,
    counts: &HashMap<Option<uuid::Uuid>, i64>,
    depth: usize,
) -> Vec<Node> {
    let departments = below.get(&above).filter(|_| depth < DEEPEST).into_iter().flatten();
    departments
        .map(|department| {
            let children = branch(Some(department.id), below, counts, depth + 1);
            let own = counts.get(&Some(department.id.0)).copied().unwrap_or(0);
            Node {
                code: department.code.clone(),
                name: department.name.clone(),
                all: own + children.iter().map(|child| child.all).sum::<i64>(),
                is_open: depth < OPEN,
                below: children,
            }
        })
        .collect()
}
