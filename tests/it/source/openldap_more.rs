//! What else a real OpenLDAP shows: `memberOf`, passwords with a last day, and itself as a server of an unknown kind.

use std::path::Path;

use yaopai::sample;
use yaopai::source::ldap::{PasswordAnswer, check_password};
use yaopai::source::{self, SourceError};

use super::{all, demo_mapping, one, read, source_of};
use crate::harness::slapd::{self, Options, Slapd};

/// LDAP-071, LDAP-076
#[tokio::test]
async fn member_of_and_the_last_day_of_a_password_are_read() {
    let company = sample::COMPANY;
    let person = |uid: &str, more: &str| {
        format!(
            "\ndn: uid={uid},{company}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\nemployeeNumber: X-{uid}\n\
             userPassword: right\n{more}"
        )
    };
    let policy = "\ndn: cn=policy,dc=example,dc=com\nobjectClass: device\nobjectClass: pwdPolicy\ncn: policy\n\
                  pwdAttribute: userPassword\n";
    let ldif = [
        policy.to_owned(),
        person("ended", "pwdEndTime: 20200101000000Z\n"),
        person("ends", "pwdStartTime: 20200101000000Z\npwdEndTime: 20991231000000Z\n"),
    ];
    let server = tokio::task::spawn_blocking(move || {
        let overlays = "overlay ppolicy\nppolicy_default cn=policy,dc=example,dc=com\noverlay memberof";
        Slapd::start(Options { ldif: &ldif.concat(), database: overlays, people: 20, ..Options::default() })
    });
    let server = server.await.unwrap();
    // The overlay notes memberships as they are written.
    server.change(&format!(
        "dn: cn=readers,{}\nobjectClass: groupOfNames\ncn: readers\nmember: uid=ends,{company}\n",
        sample::GROUPS
    ));
    let (_, mapping) = demo_mapping().split_once("[source.users]").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let mapping = format!("[source.users]\nstarts_on = \"pwdStartTime\"\nends_on = \"pwdEndTime\"{mapping}");
    let mut config = source_of(&format!("[[source]]\nname = \"hr\"\n{}{mapping}", server.ldaps()));
    config.users.attributes.insert("groups".to_owned(), "memberOf".to_owned());
    let snapshot = read(&config, Path::new("/")).await.unwrap();
    let of = |uid: &str| snapshot.users.iter().find(|user| one(user, "uid") == uid).unwrap();
    assert_eq!(one(of("ended"), "pwdendtime"), "20200101000000Z");
    assert_eq!(
        (one(of("ends"), "pwdstarttime"), one(of("ends"), "pwdendtime")),
        ("20200101000000Z", "20991231000000Z")
    );
    assert_eq!(all(of("ends"), "memberof"), [format!("cn=readers,{}", sample::GROUPS)]);
    // The server itself refuses the password after its last day.
    let ldap = config.ldap.unwrap();
    for (uid, is_right) in [("ends", true), ("ended", false)] {
        let answer = check_password(&ldap, Path::new("/"), &format!("uid={uid},{company}"), "right").await.unwrap();
        assert_eq!(answer == PasswordAnswer::Right, is_right, "{uid}: {answer:?}");
    }
}

/// LDAP-036: a server that nothing is assumed about: what is not named is refused, what is named is read.
#[tokio::test]
async fn a_server_of_any_kind_is_read_as_the_mapping_says() {
    let server = slapd::shared().await;
    let table = server.ldaps().replace("[source.ldap]\n", "[source.ldap]\nschema = \"generic\"\n");
    let (_, mapping) = demo_mapping().split_once("[source.users]").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let mut config = source_of(&format!("[[source]]\nname = \"hr\"\n{table}[source.users]{mapping}"));
    config.departments = None;
    config.groups = None;
    let error = read(&config, Path::new("/")).await.unwrap_err();
    assert!(matches!(&error, SourceError::Config { key, .. } if key.ends_with("users.id")), "{error}");
    config.users.id = Some("employeeNumber".to_owned());
    let snapshot = read(&config, Path::new("/")).await.unwrap();
    assert!(snapshot.users.len() > 1_000);
    for user in &snapshot.users {
        assert_eq!(user.external_id, one(user, "employeenumber"));
    }
    let (position, ldap) = (source::position(&config, Path::new("/")).await.unwrap(), config.ldap.as_ref().unwrap());
    assert_eq!(position.unwrap().way(), Some("timestamp"));
    // The five sample people have passwords.
    let dn = &snapshot.users.iter().find(|user| one(user, "uid") == sample::APPROVER.login).unwrap().dn;
    let answer = check_password(ldap, Path::new("/"), dn, sample::PASSWORD).await.unwrap();
    assert_eq!(answer, PasswordAnswer::Right);
}
