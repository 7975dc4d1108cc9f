//! Facts of a person: departments above, nested groups, position, roles.

use std::collections::BTreeSet;

use uuid::Uuid;
use yaopai::access;
use yaopai::model::{User, UserId};
use yaopai::policy::{Principal, Standing};
use yaopai::store::{Json, Tx};

use crate::both;
use crate::harness::App;

const NOW: &str = "2026-11-22T01:00:00Z";

fn set(codes: &[&str]) -> BTreeSet<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

async fn department(tx: &mut Tx, n: u128, code: &str, parent: Option<u128>) {
    let at: yaopai::time::Instant = NOW.parse().unwrap();
    let sql = "INSERT INTO departments (id, source, code, name, parent_id, status, created_at, updated_at) \
               VALUES ($1, 'hr', $2, $2, $3, 'active', $4, $4)";
    tx.run(sql, &[&id(n), &code, &parent.map(id), &at]).await.unwrap();
}

async fn group(tx: &mut Tx, n: u128, code: &str, status: &str, members: &[(&str, u128)]) {
    let at: yaopai::time::Instant = NOW.parse().unwrap();
    let sql = "INSERT INTO groups (id, source, code, name, status, created_at, updated_at) \
               VALUES ($1, 'hr', $2, $2, $3, $4, $4)";
    tx.run(sql, &[&id(n), &code, &status, &at]).await.unwrap();
    for (kind, member) in members {
        let sql = "INSERT INTO group_members (group_id, member_kind, member_id) VALUES ($1, $2, $3)";
        tx.run(sql, &[&id(n), kind, &id(*member)]).await.unwrap();
    }
}

async fn person(tx: &mut Tx, n: u128, login: &str, department: u128, position: u128) -> User {
    let at: yaopai::time::Instant = NOW.parse().unwrap();
    let sql = "INSERT INTO users (id, source, login, login_key, employee_number, display_name, department_id, \
               position_id, attributes, status, version, created_at, updated_at) \
               VALUES ($1, 'hr', $2, $2, '007', $2, $3, $4, $5, 'active', 1, $6, $6)";
    let attributes = Json(yaopai::model::Attributes::new());
    tx.run(sql, &[&id(n), &login, &id(department), &id(position), &attributes, &at]).await.unwrap();
    tx.users().find(UserId(id(n))).await.unwrap().unwrap()
}

both!(a_person_is_in_all_above_and_around, |kind| async move {
    let app = App::start(kind).await;
    let at = app.clock().now();
    let mut tx = app.broker.db.write().await.unwrap();
    department(&mut tx, 1, "company", None).await;
    department(&mut tx, 2, "finance", Some(1)).await;
    department(&mut tx, 3, "accounts", Some(2)).await;
    department(&mut tx, 4, "sales", Some(1)).await;
    let sql = "INSERT INTO positions (id, source, code, name, status, created_at, updated_at) \
               VALUES ($1, 'hr', 'clerk', 'clerk', 'active', $2, $2)";
    tx.run(sql, &[&id(10), &at]).await.unwrap();
    let wang = person(&mut tx, 100, "wang.fang", 3, 10).await;
    let other = person(&mut tx, 101, "other", 4, 10).await;
    // inner ⊂ middle ⊂ outer ⊂ inner: a cycle must not hang; `closed` is disabled and leads to nothing.
    group(&mut tx, 20, "inner", "active", &[("user", 100), ("group", 22)]).await;
    group(&mut tx, 21, "middle", "active", &[("group", 20)]).await;
    group(&mut tx, 22, "outer", "active", &[("group", 21)]).await;
    group(&mut tx, 23, "closed", "disabled", &[("user", 100)]).await;
    group(&mut tx, 24, "behind", "active", &[("group", 23)]).await;
    group(&mut tx, 25, "strangers", "active", &[("user", 101)]).await;
    for rule in ["rule-1", "rule-2"] {
        let sql = "INSERT INTO role_grants (user_id, role, rule, granted_at) VALUES ($1, 'employee', $2, $3)";
        tx.run(sql, &[&wang.id, &rule, &at]).await.unwrap();
    }
    let expected = Principal::User {
        id: wang.id.to_string(),
        login: "wang.fang".to_owned(),
        employee_number: Some("007".to_owned()),
        departments: set(&["accounts", "finance", "company"]),
        position: Some("clerk".to_owned()),
        groups: set(&["inner", "middle", "outer"]),
        roles: set(&["employee"]),
        standing: Standing::default(),
    };
    assert_eq!(access::principal(&mut tx, &wang).await.unwrap(), expected);
    let Principal::User { departments, groups, roles, .. } = access::principal(&mut tx, &other).await.unwrap() else {
        panic!()
    };
    assert_eq!((departments, groups, roles), (set(&["company", "sales"]), set(&["strangers"]), set(&[])));
});

both!(sign_in_follows_roles_and_status, |kind| async move {
    let app = App::start(kind).await;
    let at = app.clock().now();
    let mut tx = app.broker.db.write().await.unwrap();
    department(&mut tx, 1, "company", None).await;
    let sql = "INSERT INTO positions (id, source, code, name, status, created_at, updated_at) \
               VALUES ($1, 'hr', 'clerk', 'clerk', 'active', $2, $2)";
    tx.run(sql, &[&id(10), &at]).await.unwrap();
    let mut wang = person(&mut tx, 100, "wang.fang", 1, 10).await;
    tx.commit().await.unwrap();
    let asked = |user: User| {
        let broker = app.broker.clone();
        async move { access::may_sign_in(&broker, &user, "oa", yaopai::policy::Context::default()).await.unwrap() }
    };
    assert!(!asked(wang.clone()).await.allowed);
    let mut tx = app.broker.db.write().await.unwrap();
    let sql = "INSERT INTO role_grants (user_id, role, rule, granted_at) VALUES ($1, 'employee', 'r', $2)";
    tx.run(sql, &[&wang.id, &at]).await.unwrap();
    tx.commit().await.unwrap();
    let decision = asked(wang.clone()).await;
    assert!(decision.allowed);
    assert_eq!(decision.policies, ["employees-sign-in"]);
    wang.status = yaopai::model::Status::Disabled;
    assert!(!asked(wang).await.allowed);
});
