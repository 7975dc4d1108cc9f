//! People, departments, positions, groups, links, roles.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use serde_json::json;
use uuid::Uuid;
use yaopai::model::{
    Department, DepartmentId, DepartmentKind, Group, GroupId, Member, ObjectKind, Position, PositionId, RoleGrant,
    RunId, Status, User, UserId,
};
use yaopai::store::{Json, StoreError, Tx};
use yaopai::time::Instant;

use crate::both;
use crate::harness::database;

fn at() -> Instant {
    "2026-11-22T01:00:00Z".parse().unwrap()
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn user(number: u128, login: &str) -> User {
    User {
        id: UserId(id(number)),
        source: "hr".into(),
        login: login.into(),
        login_key: login.into(),
        employee_number: Some(format!("E{number}")),
        display_name: "王芳".into(),
        given_name: None,
        family_name: None,
        mail: None,
        mobile: None,
        title: None,
        department_id: None,
        position_id: None,
        manager_id: None,
        attributes: Json([("city".to_owned(), vec!["北京".to_owned()])].into()),
        password_hash: None,
        status: Status::Active,
        status_reason: None,
        disabled_at: None,
        version: 1,
        created_at: at(),
        updated_at: at(),
        starts_on: None,
        ends_on: None,
        assignments: Vec::new(),
    }
}

fn department(number: u128, code: &str, parent: Option<u128>) -> Department {
    Department {
        id: DepartmentId(id(number)),
        source: "hr".into(),
        code: code.into(),
        name: code.into(),
        parent_id: parent.map(|number| DepartmentId(id(number))),
        sort_order: 0,
        status: Status::Active,
        created_at: at(),
        updated_at: at(),
        kind: DepartmentKind::Department,
        head_id: None,
        cost_centre: None,
        legal_entity: None,
    }
}

fn group(number: u128, code: &str) -> Group {
    Group {
        id: GroupId(id(number)),
        source: "hr".into(),
        code: code.into(),
        name: code.into(),
        status: Status::Active,
        created_at: at(),
        updated_at: at(),
    }
}

fn member(group: u128, kind: ObjectKind, member: u128) -> Member {
    Member { group_id: GroupId(id(group)), member_kind: kind, member_id: id(member) }
}

async fn seed(tx: &mut Tx) {
    // The child before the parent, the report before the manager: order does not matter within a transaction.
    tx.departments().upsert(&[department(11, "sales", Some(10)), department(10, "root", None)]).await.unwrap();
    let position = Position {
        id: PositionId(id(20)),
        source: "hr".into(),
        code: "clerk".into(),
        name: "Clerk".into(),
        status: Status::Active,
        created_at: at(),
        updated_at: at(),
    };
    tx.positions().upsert(&[position]).await.unwrap();
    let mut wang = user(1, "wang");
    wang.manager_id = Some(UserId(id(2)));
    wang.department_id = Some(DepartmentId(id(11)));
    wang.position_id = Some(PositionId(id(20)));
    wang.password_hash = Some("hash".into());
    tx.users().upsert(&[wang, user(2, "li")]).await.unwrap();
    tx.groups().upsert(&[group(30, "inner"), group(31, "outer"), group(32, "loop")]).await.unwrap();
    let members = [
        member(30, ObjectKind::User, 1),
        member(31, ObjectKind::Group, 30),
        member(32, ObjectKind::Group, 31),
        member(30, ObjectKind::Group, 32),
    ];
    tx.groups().add_members(&members).await.unwrap();
    tx.groups().add_members(&members).await.unwrap();
}

both!(people_and_their_organisation_are_kept, |kind| async move {
    let folder = tempfile::tempdir().unwrap();
    let db = database(kind, folder.path()).await;
    let mut tx = db.write().await.unwrap();
    seed(&mut tx).await;
    tx.commit().await.unwrap();
    let mut tx = db.read().await.unwrap();
    let wang = tx.users().find_by_login("wang").await.unwrap().unwrap();
    assert_eq!(wang.manager_id, Some(UserId(id(2))));
    assert_eq!(wang.attributes.0["city"], ["北京"]);
    assert_eq!(tx.users().find(wang.id).await.unwrap().unwrap(), wang);
    assert_eq!(tx.users().list_by_source("hr").await.unwrap().len(), 2);
    assert_eq!(tx.users().count_active("hr").await.unwrap(), 2);
    assert_eq!(tx.users().other_logins("hr").await.unwrap(), []);
    assert_eq!(tx.users().other_logins("other").await.unwrap().len(), 2);
    assert_eq!(tx.departments().codes_above(DepartmentId(id(11))).await.unwrap(), ["sales", "root"]);
    assert_eq!(tx.departments().list().await.unwrap().len(), 2);
    assert_eq!(tx.departments().list_by_source("hr").await.unwrap().len(), 2);
    assert_eq!(tx.departments().find(DepartmentId(id(10))).await.unwrap().unwrap().code, "root");
    assert_eq!(tx.positions().find(PositionId(id(20))).await.unwrap().unwrap().name, "Clerk");
    assert_eq!(tx.positions().list_by_source("hr").await.unwrap().len(), 1);
});

both!(
    /// LDAP-071
    groups_are_closed_over_loops,
    |kind| async move {
        let folder = tempfile::tempdir().unwrap();
        let db = database(kind, folder.path()).await;
        let mut tx = db.write().await.unwrap();
        seed(&mut tx).await;
        assert_eq!(tx.groups().codes_of_user(UserId(id(1))).await.unwrap(), ["inner", "loop", "outer"]);
        assert_eq!(tx.groups().codes_of_user(UserId(id(2))).await.unwrap(), [""; 0]);
        assert_eq!(tx.groups().list_members("hr").await.unwrap().len(), 4);
        tx.groups().remove_members(&[member(30, ObjectKind::User, 1)]).await.unwrap();
        assert_eq!(tx.groups().list_members("hr").await.unwrap().len(), 3);
        assert_eq!(tx.groups().codes_of_user(UserId(id(1))).await.unwrap(), [""; 0]);
        assert_eq!(tx.groups().find(GroupId(id(30))).await.unwrap().unwrap().code, "inner");
        tx.groups().park(&[GroupId(id(30))]).await.unwrap();
        assert_eq!(tx.groups().list_by_source("hr").await.unwrap().len(), 3);
    }
);

both!(
    /// LDAP-040, LDAP-041
    login_names_swap_once_they_are_parked,
    |kind| async move {
        let folder = tempfile::tempdir().unwrap();
        let db = database(kind, folder.path()).await;
        let mut tx = db.write().await.unwrap();
        seed(&mut tx).await;
        tx.users().park(&[UserId(id(1)), UserId(id(2))]).await.unwrap();
        let mut forgets = user(1, "li");
        forgets.password_hash = Some(String::new());
        tx.users().upsert(&[forgets, user(2, "wang")]).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = db.write().await.unwrap();
        let li = tx.users().find_by_login("li").await.unwrap().unwrap();
        assert_eq!((li.id, li.version, li.password_hash), (UserId(id(1)), 2, None));
        tx.users().touch(&[li.id], at()).await.unwrap();
        tx.users().touch_source("hr", at()).await.unwrap();
        assert_eq!(tx.users().find(li.id).await.unwrap().unwrap().version, 4);
        let error = tx.users().upsert(&[user(3, "li")]).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict(_)), "{error:?}");
    }
);

both!(
    /// LDAP-042, LDAP-045
    a_joiner_takes_a_leavers_login_name,
    |kind| async move {
        let folder = tempfile::tempdir().unwrap();
        let db = database(kind, folder.path()).await;
        let mut tx = db.write().await.unwrap();
        let mut leaver = user(1, "wang");
        leaver.status = Status::Disabled;
        leaver.disabled_at = Some(at());
        tx.users().upsert(&[leaver, user(2, "wang")]).await.unwrap();
        assert_eq!(tx.users().find_by_login("wang").await.unwrap().unwrap().id, UserId(id(2)));
        assert_eq!(tx.users().count_active("hr").await.unwrap(), 1);
    }
);

both!(roles_are_granted_once_and_taken_away, |kind| async move {
    let folder = tempfile::tempdir().unwrap();
    let db = database(kind, folder.path()).await;
    let mut tx = db.write().await.unwrap();
    seed(&mut tx).await;
    let grant = |rule: &str| RoleGrant {
        user_id: UserId(id(1)),
        role: "clerk".into(),
        rule: rule.into(),
        run_id: Some(RunId(id(99))),
        granted_at: at(),
        scope: String::new(),
    };
    tx.role_grants().insert(&[grant("a"), grant("b")]).await.unwrap();
    tx.role_grants().insert(&[grant("a")]).await.unwrap();
    assert_eq!(tx.role_grants().roles_of(UserId(id(1))).await.unwrap(), ["clerk"]);
    assert_eq!(tx.role_grants().list_by_source("hr").await.unwrap().len(), 2);
    tx.role_grants().delete(&[(UserId(id(1)), "clerk".into(), "a".into(), String::new())]).await.unwrap();
    assert_eq!(tx.role_grants().list_by_user(UserId(id(1))).await.unwrap(), [grant("b")]);
    assert_eq!(json!(grant("b"))["rule"], "b");
});
