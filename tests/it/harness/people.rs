//! People of tests: written straight into the database, as a sync would have.

use yaopai::broker::Broker;
use yaopai::crypto::hash_password;
use yaopai::model::{RoleGrant, Status, User, UserId};
use yaopai::random::Rng;
use yaopai::store::Json;

/// The password of [`person`].
pub const PASSWORD: &str = "Lantern-42-河";

/// An active person with [`PASSWORD`] and these roles.
pub async fn person(broker: &Broker, login: &str, roles: &[&str]) -> User {
    let user = build(broker, login);
    save(broker, &user).await;
    let mut tx = broker.db.write().await.unwrap();
    let grants: Vec<RoleGrant> = roles
        .iter()
        .map(|role| RoleGrant {
            user_id: user.id,
            role: (*role).to_owned(),
            rule: "test".to_owned(),
            run_id: None,
            granted_at: user.created_at,
            scope: String::new(),
        })
        .collect();
    tx.role_grants().insert(&grants).await.unwrap();
    tx.commit().await.unwrap();
    user
}

/// A person that is not stored yet.
pub fn build(broker: &Broker, login: &str) -> User {
    let now = broker.clock.now();
    User {
        id: UserId::new(&broker.rng, now),
        source: "hr".to_owned(),
        login: login.to_owned(),
        login_key: yaopai::text::fold(login),
        employee_number: None,
        display_name: "王芳".to_owned(),
        given_name: None,
        family_name: None,
        mail: None,
        mobile: None,
        title: None,
        department_id: None,
        position_id: None,
        manager_id: None,
        attributes: Json(yaopai::model::Attributes::new()),
        password_hash: Some(hash_password(&Rng::system(), PASSWORD).unwrap()),
        status: Status::Active,
        status_reason: None,
        disabled_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
        starts_on: None,
        ends_on: None,
        assignments: Vec::new(),
    }
}

/// Stores a person, new or changed.
pub async fn save(broker: &Broker, user: &User) {
    let mut tx = broker.db.write().await.unwrap();
    tx.users().upsert(std::slice::from_ref(user)).await.unwrap();
    tx.commit().await.unwrap();
}
