//! A real 389 Directory Server.

use std::path::Path;

use yaopai::source::ldap::{PasswordAnswer, check_password};
use yaopai::source::{self, ACCOUNT_STATE, Entry, Level};
use yaopai::time::Clock;

use super::{one, read, source_of};
use crate::harness::ds389;

const MAPPING: &str = "
[source.users]
manager = \"manager\"
attributes = { groups = \"memberOf\" }
[source.groups]
";

fn named<'a>(entries: &'a [Entry], name: &str) -> &'a Entry {
    entries.iter().find(|entry| one(entry, "uid") == name || one(entry, "cn") == name).unwrap()
}

/// LDAP-036, LDAP-071: ids that survive a rename, accounts that the directory locks, both spellings of membership, and
/// the plugin's flattened `memberOf`.
#[tokio::test]
async fn a_389_server_is_read() {
    let server = ds389::shared().await;
    let config = source_of(&format!("[[source]]\nname = \"ds\"\n{}{MAPPING}", server.table()));
    let snapshot = read(&config, Path::new("/")).await.unwrap();
    assert_eq!((snapshot.users.len(), snapshot.groups.len()), (4, 3));
    let person = named(&snapshot.users, "wang.fang");
    // nsUniqueId: four groups of eight.
    let groups: Vec<usize> = person.external_id.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 8, 8, 8], "{}", person.external_id);
    assert_eq!(super::all(named(&snapshot.users, "gone"), ACCOUNT_STATE), ["disabled"]);
    assert!(!person.attributes.contains(ACCOUNT_STATE));
    assert_eq!(super::all(named(&snapshot.groups, "old"), "member"), [person.dn.as_str()]);
    let mut member_of = super::all(named(&snapshot.users, "li.na"), "memberof");
    member_of.sort_unstable();
    assert_eq!(member_of, ["cn=approvers,dc=example,dc=com", "cn=buyers,dc=example,dc=com"]);
}

/// LDAP-097: an account that the server has locked is no broken server.
#[tokio::test]
async fn people_of_a_389_server_sign_in_by_bind() {
    let server = ds389::shared().await;
    let config = source_of(&format!("[[source]]\nname = \"ds\"\n{}{MAPPING}", server.table()));
    let ldap = config.ldap.clone().unwrap();
    for (uid, password, answer) in [
        ("wang.fang", ds389::PASSWORD, PasswordAnswer::Right),
        ("wang.fang", "wrong", PasswordAnswer::Wrong),
        ("nobody", ds389::PASSWORD, PasswordAnswer::Wrong),
        ("gone", ds389::PASSWORD, PasswordAnswer::Disabled),
    ] {
        let dn = format!("uid={uid},ou=people,dc=example,dc=com");
        assert_eq!(check_password(&ldap, Path::new("/"), &dn, password).await.unwrap(), answer, "{uid} {password}");
    }
    let findings = source::check(&config, Path::new("/"), Clock::System.now()).await;
    assert!(findings.iter().any(|finding| finding.text.contains("389-Directory")), "{findings:?}");
    assert!(findings.iter().all(|finding| finding.level != Level::Failed), "{findings:?}");
}
