//! What overlays of a real OpenLDAP say about people: `memberOf`, and passwords with a last day.

use std::path::Path;

use yaopai::sample;
use yaopai::source::ldap::{PasswordAnswer, check_password};

use super::{demo_mapping, one, read, source_of};
use crate::harness::slapd::{Options, Slapd};

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
    assert_eq!(of("ends").attributes["memberof"], [format!("cn=readers,{}", sample::GROUPS)]);
    // The server itself refuses the password after its last day.
    let ldap = config.ldap.unwrap();
    for (uid, is_right) in [("ends", true), ("ended", false)] {
        let answer = check_password(&ldap, Path::new("/"), &format!("uid={uid},{company}"), "right").await.unwrap();
        assert_eq!(answer == PasswordAnswer::Right, is_right, "{uid}: {answer:?}");
    }
}
