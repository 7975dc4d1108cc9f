//! A real Active Directory domain controller (Samba): `DirSync` with an account that may, update sequence numbers with one
//! that may not.

use std::path::Path;

use tokio::sync::Mutex;
use yaopai::config::SourceConfig;
use yaopai::source::{self, DeltaRefusal, Part, Position};

use super::super::{one, source_of};
use super::{Mirror, assert_timed, begin, delta, names, refusal, way};
use crate::harness::samba::{self, ADMIN, ADMIN_PASSWORD, DOMAIN, PASSWORD, READER, Samba};

/// Changes of the whole domain are read: a unit that one test moves another one would see.
pub(in super::super) static ALONE: Mutex<()> = Mutex::const_new(());

fn person(name: &str, tag: &str, above: &str) -> String {
    format!(
        "dn: CN={name}-{tag},{above}\nobjectClass: user\nsAMAccountName: {name}-{tag}\nemployeeType: staff\n\
         userAccountControl: 546\n\n"
    )
}

/// A small company below a unit of its own.
fn company(server: &Samba, tag: &str) -> String {
    let base = format!("OU=changes-{tag},{DOMAIN}");
    let unit = |dn: &str| format!("dn: {dn}\nobjectClass: organizationalUnit\n\n");
    let north = format!("OU=north,{base}");
    let mut ldif = [unit(&base), unit(&north), unit(&format!("OU=south,{base}"))].concat();
    for name in ["ann", "bob", "cid", "dan", "eve"] {
        ldif += &person(name, tag, &north);
    }
    for (name, member) in [("team", "ann"), ("main", "eve")] {
        ldif.extend([
            format!("dn: CN={name}-{tag},{base}\nobjectClass: group\nsAMAccountName: {name}-{tag}\n"),
            format!("member: CN={member}-{tag},{north}\n\n"),
        ]);
    }
    server.change(&ldif);
    base
}

fn config(server: &Samba, who: (&str, &str), base: &str, more: &str) -> SourceConfig {
    let table = server.table(&format!("\"{}\"", server.ldaps(636)), who.0, who.1);
    source_of(&format!(
        "[[source]]\nname = \"ad\"\n{table}{more}[source.users]\nbase_dn = \"{base}\"\n\
         filter = \"(&(objectCategory=person)(objectClass=user)(employeeType=staff))\"\nmail = \"mail\"\nmanager = \"manager\"\n\
         [source.departments]\nfrom = \"ou\"\nbase_dn = \"{base}\"\n[source.groups]\nbase_dn = \"{base}\"\n"
    ))
}

/// One of each: changed, deleted, left the filter, moved and renamed, disabled, new; members gained and lost; a primary
/// group taken.
fn changes(server: &Samba, tag: &str, base: &str) -> String {
    let modify = |name: &str, above: &str, what: &str| {
        format!("dn: CN={name}-{tag},{above}{base}\nchangetype: modify\n{what}\n\n")
    };
    let rid = server.rid(&format!("CN=main-{tag},{base}"));
    [
        modify("ann", "OU=north,", "replace: mail\nmail: ann@corp.example.com\n-\nreplace: manager\nmanager: CN=eve-"),
        format!("dn: CN=bob-{tag},OU=north,{base}\nchangetype: delete\n\n"),
        modify("cid", "OU=north,", "replace: employeeType\nemployeeType: guest"),
        format!(
            "dn: CN=dan-{tag},OU=north,{base}\nchangetype: moddn\nnewrdn: CN=daniel-{tag}\ndeleteoldrdn: 1\n\
             newsuperior: OU=south,{base}\n\n"
        ),
        person("fay", tag, &format!("OU=south,{base}")),
        modify(
            "team",
            "",
            &format!(
                "add: member\nmember: CN=fay-{tag},OU=south,{base}\n-\ndelete: member\nmember: CN=ann-{tag},OU=north,{base}"
            ),
        ),
        modify("eve", "OU=north,", &format!("replace: primaryGroupID\nprimaryGroupID: {rid}")),
    ]
    .concat()
    .replace("manager: CN=eve-\n", &format!("manager: CN=eve-{tag},OU=north,{base}\n"))
}

/// A position with something in it changed.
fn altered(position: &Position, alter: impl FnOnce(&mut serde_json::Value)) -> Position {
    let mut value = serde_json::to_value(position).unwrap();
    alter(&mut value);
    serde_json::from_value(value).unwrap()
}

fn mark(value: &mut serde_json::Value) -> &mut serde_json::Value {
    value["marks"].as_object_mut().unwrap().values_mut().next().unwrap()
}

async fn gives_what_a_full_read_gives(server: &'static Samba, config: &SourceConfig, tag: &str, base: &str) -> Mirror {
    let (position, mut mirror) = begin(config).await;
    assert!(delta(config, &position, &mirror).await.is_empty());
    server.change(&changes(server, tag, base));
    let read = delta(config, &position, &mirror).await;
    let of = |names: [&str; 4]| names.map(|name| format!("{name}-{tag}"));
    assert_eq!(names(&read.users, "samaccountname"), of(["ann", "dan", "eve", "fay"]));
    assert_eq!(read.gone.len(), 2, "{:?}", read.gone);
    assert_timed(&read);
    let position = read.position.clone();
    let gone = mirror.names_of(&read.gone);
    mirror.take(read);
    mirror.end_memberships(&gone);
    mirror.assert_is(config).await;
    // The group itself changed: it comes whole, with whom it is the primary group of.
    server.change(&format!("dn: CN=main-{tag},{base}\nchangetype: modify\nreplace: displayName\ndisplayName: Main\n"));
    let read = delta(config, &position, &mirror).await;
    assert_eq!(names(&read.groups, "displayname"), ["Main"]);
    assert_eq!(super::super::all(&read.groups[0], "member"), [format!("CN=eve-{tag},OU=north,{base}")]);
    mirror.take(read);
    mirror.assert_is(config).await;
    mirror
}

/// LDAP-039, LDAP-070, LDAP-079, LDAP-080, LDAP-081, LDAP-082, LDAP-084, LDAP-088
#[tokio::test]
async fn dirsync_gives_what_a_full_read_gives() {
    let _alone = ALONE.lock().await;
    let server = samba::shared().await;
    let base = company(server, "d");
    let config = config(server, (ADMIN, ADMIN_PASSWORD), &base, "");
    let (position, mirror) = begin(&config).await;
    assert_eq!(way(&position), "dirsync");
    // A group that gains one member sends one member.
    server
        .change(&format!("dn: CN=team-d,{base}\nchangetype: modify\nadd: member\nmember: CN=bob-d,OU=north,{base}\n"));
    let read = delta(&config, &position, &mirror).await;
    assert!(read.groups.is_empty() && read.users.is_empty(), "{read:?}");
    assert_eq!(read.members.len(), 1);
    assert_eq!((read.members[0].added.len(), read.members[0].removed.len()), (1, 0), "{:?}", read.members);
    gives_what_a_full_read_gives(server, &config, "d", &base).await;
    // A cookie that means nothing.
    let garbage = altered(&position, |value| value["cookies"]["domain"] = "00ff".into());
    assert!(matches!(refusal(&config, &garbage, &mirror).await, DeltaRefusal::Expired { .. }));
    // Restored, set back, away for longer than deleted objects are kept.
    let restored = altered(&position, |value| mark(value)["invocation"] = "other".into());
    assert!(matches!(refusal(&config, &restored, &mirror).await, DeltaRefusal::Restored { .. }));
    let ahead = altered(&position, |value| mark(value)["usn"] = 999_999_999.into());
    assert!(matches!(refusal(&config, &ahead, &mirror).await, DeltaRefusal::RolledBack { .. }));
    let old = altered(&position, |value| value["at"] = "20200101000000.0Z".into());
    assert!(matches!(refusal(&config, &old, &mirror).await, DeltaRefusal::Expired { .. }));
}

/// LDAP-078, LDAP-079, LDAP-080: an ordinary account may not use `DirSync`, and loses nothing but speed.
#[tokio::test]
async fn update_sequence_numbers_give_what_a_full_read_gives() {
    let _alone = ALONE.lock().await;
    let server = samba::shared().await;
    let base = company(server, "u");
    let who = (READER, PASSWORD);
    let insisting = config(server, who, &base, "changes = \"dirsync\"\n");
    assert!(source::position(&insisting, Path::new("/")).await.unwrap().is_none());
    let config = config(server, who, &base, "");
    let (position, _) = begin(&config).await;
    assert_eq!(way(&position), "usn");
    let mirror = gives_what_a_full_read_gives(server, &config, "u", &base).await;
    let elsewhere = altered(&position, |value| value["marks"] = serde_json::json!({}));
    assert!(matches!(refusal(&config, &elsewhere, &mirror).await, DeltaRefusal::OtherServer { .. }));
    // What was known of another domain controller is kept.
    let other = altered(&position, |value| {
        let mark = mark(value).clone();
        value["marks"] = serde_json::json!({ "CN=dc2": mark });
    });
    let both = serde_json::to_value(position.clone().remembering(&other)).unwrap();
    assert_eq!(both["marks"].as_object().unwrap().len(), 2);
    let restored = altered(&position, |value| mark(value)["invocation"] = "other".into());
    assert!(matches!(refusal(&config, &restored, &mirror).await, DeltaRefusal::Restored { .. }));
    let ahead = altered(&position, |value| mark(value)["usn"] = 999_999_999.into());
    assert!(matches!(refusal(&config, &ahead, &mirror).await, DeltaRefusal::RolledBack { .. }));
}

/// What is below a unit is not sent again.
#[tokio::test]
async fn units_that_move_bring_or_take_those_below_them() {
    let _alone = ALONE.lock().await;
    let server = samba::shared().await;
    let base = company(server, "m");
    let outside = format!("OU=outside-m,{DOMAIN}");
    let annex = format!("OU=annex,{outside}");
    let unit = |dn: &str| format!("dn: {dn}\nobjectClass: organizationalUnit\n\n");
    server.change(&[unit(&outside), unit(&annex), person("out", "m", &annex)].concat());
    let config = config(server, (ADMIN, ADMIN_PASSWORD), &base, "");
    let (position, mut mirror) = begin(&config).await;
    let rename = |dn: &str, name: &str, above: &str| {
        format!("dn: {dn}\nchangetype: moddn\nnewrdn: OU={name}\ndeleteoldrdn: 1\nnewsuperior: {above}\n")
    };
    server.change(&rename(&format!("OU=north,{base}"), "arctic", &format!("OU=south,{base}")));
    let renamed = delta(&config, &position, &mirror).await;
    assert_eq!(names(&renamed.departments, "ou"), ["arctic"]);
    assert!(renamed.users.is_empty() && renamed.gone.is_empty(), "{renamed:?}");
    let position = renamed.position.clone();
    mirror.take(renamed);
    server.change(&rename(&annex, "annex", &base));
    let came = delta(&config, &position, &mirror).await;
    assert_eq!(names(&came.users, "samaccountname"), ["out-m"]);
    let position = came.position.clone();
    mirror.take(came);
    server.change(&rename(&format!("OU=annex,{base}"), "annex", &outside));
    assert_eq!(refusal(&config, &position, &mirror).await, DeltaRefusal::SubtreeMoved { dn: annex.clone() });
    // LDAP-016: they are there, and not deleted.
    let out = mirror.users.values().find(|user| one(user, "samaccountname") == "out-m").unwrap().external_id.clone();
    let found = source::look_up(&config, Path::new("/"), std::slice::from_ref(&out), Part::Users).await.unwrap();
    assert_eq!((found[&out].dn.as_str(), found[&out].is_in_scope), (format!("CN=out-m,{annex}").as_str(), false));
}
