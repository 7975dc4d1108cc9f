//! A real OpenLDAP server with the syncprov overlay.

use std::path::Path;

use yaopai::config::SourceConfig;
use yaopai::source::{self, DeltaRefusal, Found, Gone, Part};

use super::super::source_of;
use super::{Mirror, assert_timed, begin, changes, delta, names, refusal, way};
use crate::harness::slapd::{Options, Slapd};

/// With a log of sessions deletions are listed; without it, who is there.
const LOGGED: &str = "overlay syncprov\nsyncprov-sessionlog 1000\n";
const UNLOGGED: &str = "overlay syncprov\n";

const COMPANY: &str = "
dn: ou=lab,dc=example,dc=com
objectClass: organizationalUnit
ou: lab

dn: ou=north,ou=lab,dc=example,dc=com
objectClass: organizationalUnit
ou: north

dn: ou=south,ou=lab,dc=example,dc=com
objectClass: organizationalUnit
ou: south

dn: ou=elsewhere,dc=example,dc=com
objectClass: organizationalUnit
ou: elsewhere

dn: ou=annex,ou=elsewhere,dc=example,dc=com
objectClass: organizationalUnit
ou: annex

dn: cn=team,ou=lab,dc=example,dc=com
objectClass: groupOfNames
cn: team
member: uid=ann,ou=north,ou=lab,dc=example,dc=com
member: uid=eve,ou=annex,ou=elsewhere,dc=example,dc=com
";

fn person(uid: &str, above: &str, more: &str) -> String {
    format!(
        "\ndn: uid={uid},{above},dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n\
         employeeType: staff\n{more}"
    )
}

fn company() -> String {
    let people: String = ["ann", "bob", "cid", "dan"].iter().map(|uid| person(uid, "ou=north,ou=lab", "")).collect();
    format!("{COMPANY}{people}{}", person("eve", "ou=annex,ou=elsewhere", ""))
}

async fn start(database: &'static str) -> Slapd {
    let start = move || Slapd::start(Options { database, ldif: &company(), people: 3, ..Options::default() });
    tokio::task::spawn_blocking(start).await.unwrap()
}

fn config(server: &Slapd, more: &str) -> SourceConfig {
    source_of(&format!(
        "[[source]]\nname = \"s\"\n{}{more}[source.users]\nbase_dn = \"ou=lab,dc=example,dc=com\"\n\
         filter = \"(&(objectClass=inetOrgPerson)(employeeType=staff))\"\nmail = \"mail\"\nmanager = \"manager\"\n\
         [source.departments]\nfrom = \"ou\"\nbase_dn = \"ou=lab,dc=example,dc=com\"\n\
         [source.groups]\nbase_dn = \"ou=lab,dc=example,dc=com\"\n",
        server.plain()
    ))
}

const CHANGES: &str = "
dn: uid=ann,ou=north,ou=lab,dc=example,dc=com
changetype: modify
replace: mail
mail: ann@example.com
-
add: cn;lang-zh
cn;lang-zh: 安

dn: uid=bob,ou=north,ou=lab,dc=example,dc=com
changetype: delete

dn: uid=cid,ou=north,ou=lab,dc=example,dc=com
changetype: modify
replace: employeeType
employeeType: guest

dn: uid=dan,ou=north,ou=lab,dc=example,dc=com
changetype: moddn
newrdn: uid=daniel
deleteoldrdn: 1
newsuperior: ou=south,ou=lab,dc=example,dc=com

dn: cn=team,ou=lab,dc=example,dc=com
changetype: modify
add: member
member: uid=fay,ou=south,ou=lab,dc=example,dc=com

dn: uid=fay,ou=south,ou=lab,dc=example,dc=com
changetype: add
objectClass: inetOrgPerson
uid: fay
cn: fay
sn: fay
employeeType: staff
";

fn id_of(mirror: &Mirror, uid: &str) -> String {
    mirror.users.values().find(|user| super::super::one(user, "uid") == uid).unwrap().external_id.clone()
}

/// LDAP-085, LDAP-039: by a log of what was deleted and by a list of who is there, a delta gives what a full read gives.
#[tokio::test]
async fn a_delta_gives_what_a_full_read_gives() {
    for database in [LOGGED, UNLOGGED] {
        let server = start(database).await;
        let config = config(&server, "");
        let (position, mut mirror) = begin(&config).await;
        assert_eq!(way(&position), "syncrepl");
        assert!(delta(&config, &position, &mirror).await.is_empty());
        let (bob, cid) = (id_of(&mirror, "bob"), id_of(&mirror, "cid"));
        server.change(CHANGES);
        let read = delta(&config, &position, &mirror).await;
        assert_eq!(names(&read.users, "uid"), ["ann", "daniel", "fay"]);
        assert_timed(&read);
        assert_eq!(names(&read.groups, "cn"), ["team"]);
        assert!(read.departments.is_empty());
        let mut gone = read.gone.clone();
        gone.sort_by_key(|gone| format!("{gone:?}"));
        let mut wanted = [bob, cid].map(|external_id| Gone::Id { part: Some(Part::Users), external_id });
        wanted.sort_by_key(|gone| format!("{gone:?}"));
        assert_eq!(gone, wanted);
        let next = read.position.clone();
        mirror.take(read);
        mirror.assert_is(&config).await;
        assert!(delta(&config, &next, &mirror).await.is_empty());
    }
}

/// What is below a unit is not sent again: a rename within the base is one entry; a unit that comes in brings its people,
/// and the groups that had listed them; one that leaves the base ends the increments.
#[tokio::test]
async fn units_that_move_bring_or_take_those_below_them() {
    let server = start(LOGGED).await;
    let config = config(&server, "");
    let (position, mut mirror) = begin(&config).await;
    let rename = |dn: &str, name: &str, above: &str| {
        format!(
            "dn: {dn},dc=example,dc=com\nchangetype: moddn\nnewrdn: ou={name}\ndeleteoldrdn: 1\nnewsuperior: {above},dc=example,dc=com\n"
        )
    };
    server.change(&rename("ou=north,ou=lab", "arctic", "ou=south,ou=lab"));
    let renamed = delta(&config, &position, &mirror).await;
    assert_eq!(names(&renamed.departments, "ou"), ["arctic"]);
    assert!(renamed.users.is_empty() && renamed.gone.is_empty(), "{renamed:?}");
    let position = renamed.position.clone();
    mirror.take(renamed);
    server.change(&rename("ou=annex,ou=elsewhere", "annex", "ou=lab"));
    let came = delta(&config, &position, &mirror).await;
    assert_eq!(names(&came.departments, "ou"), ["annex"]);
    assert_eq!(names(&came.users, "uid"), ["eve"]);
    let position = came.position.clone();
    mirror.take(came);
    server.change(&rename("ou=annex,ou=lab", "annex", "ou=elsewhere"));
    let why = refusal(&config, &position, &mirror).await;
    assert_eq!(why, DeltaRefusal::SubtreeMoved { dn: "ou=annex,ou=elsewhere,dc=example,dc=com".to_owned() });
}

/// Somebody who comes into scope is in the groups that had listed them all along.
#[tokio::test]
async fn a_newcomer_is_in_the_groups_that_listed_them_before() {
    let server = start(LOGGED).await;
    let config = config(&server, "");
    let (position, mirror) = begin(&config).await;
    server.change(
        "dn: uid=eve,ou=annex,ou=elsewhere,dc=example,dc=com\nchangetype: moddn\nnewrdn: uid=eve\ndeleteoldrdn: 1\n\
         newsuperior: ou=lab,dc=example,dc=com\n\ndn: cn=team,ou=lab,dc=example,dc=com\nchangetype: modify\n\
         delete: member\nmember: uid=eve,ou=annex,ou=elsewhere,dc=example,dc=com\n",
    );
    let read = delta(&config, &position, &mirror).await;
    let mut mirror = mirror;
    let position = read.position.clone();
    mirror.take(read);
    server.change(
        "dn: cn=team,ou=lab,dc=example,dc=com\nchangetype: modify\nadd: member\nmember: uid=new,ou=lab,dc=example,dc=com\n",
    );
    let read = delta(&config, &position, &mirror).await;
    let position = read.position.clone();
    mirror.take(read);
    server.change(&person("new", "ou=lab", ""));
    let read = delta(&config, &position, &mirror).await;
    assert_eq!(names(&read.users, "uid"), ["new"]);
    assert!(read.groups.is_empty());
    assert_eq!(read.members.len(), 1);
    assert_eq!(read.members[0].added, ["uid=new,ou=lab,dc=example,dc=com"]);
    mirror.take(read);
    mirror.assert_is(&config).await;
}

/// LDAP-090: a position of another mapping, or one that the server cannot read, ends the increments and says why.
#[tokio::test]
async fn a_position_that_does_not_fit_is_not_continued() {
    let server = start(LOGGED).await;
    let config = config(&server, "");
    let (position, mirror) = begin(&config).await;
    let mut other = config.clone();
    other.users.filter = "(objectClass=inetOrgPerson)".to_owned();
    assert_eq!(refusal(&other, &position, &mirror).await, DeltaRefusal::Reconfigured);
    let mut broken = serde_json::to_value(&position).unwrap();
    broken["cookies"]["users"] = "78797a".into();
    let broken = serde_json::from_value(broken).unwrap();
    assert!(matches!(refusal(&config, &broken, &mirror).await, DeltaRefusal::Expired { .. }));
}

/// More changes than the server sends at once are no delta of the first few.
#[tokio::test]
async fn changes_over_the_limit_are_read_by_a_full_read() {
    let server = start(LOGGED).await;
    let config = config(&server, "");
    let (position, mirror) = begin(&config).await;
    let many: String = (0..501).map(|n| person(&format!("p{n}"), "ou=lab", "")).collect();
    server.change(&many);
    assert_eq!(refusal(&config, &position, &mirror).await, DeltaRefusal::TooMany { code: 4 });
    assert_eq!(begin(&config).await.1.users.len(), 505);
}

/// A server without the overlay is read by time stamps.
#[tokio::test]
async fn without_the_overlay_time_stamps_serve() {
    let server = start("").await;
    let config = config(&server, "overlap = \"1s\"\n");
    let (position, mut mirror) = begin(&config).await;
    assert_eq!(way(&position), "timestamp");
    server.change(CHANGES);
    let read = delta(&config, &position, &mirror).await;
    assert_timed(&read);
    mirror.take(read);
    mirror.assert_is(&config).await;
    let mut insisting = config.clone();
    insisting.ldap.as_mut().unwrap().changes = yaopai::config::ChangesBy::Syncrepl;
    assert!(source::position(&insisting, Path::new("/")).await.unwrap().is_none());
    assert_eq!(refusal(&insisting, &position, &mirror).await, DeltaRefusal::Reconfigured);
}

/// LDAP-016: who left base or filter is found, who was deleted is not; a server that does not answer is an error.
#[tokio::test]
async fn whoever_is_gone_is_looked_up_by_id() {
    let server = start(LOGGED).await;
    let config = config(&server, "");
    let (_, mirror) = begin(&config).await;
    let [ann, bob, cid, dan] = ["ann", "bob", "cid", "dan"].map(|uid| id_of(&mirror, uid));
    server.change(
        "dn: uid=bob,ou=north,ou=lab,dc=example,dc=com\nchangetype: delete\n\n\
         dn: uid=cid,ou=north,ou=lab,dc=example,dc=com\nchangetype: modify\nreplace: employeeType\nemployeeType: guest\n\n\
         dn: uid=dan,ou=north,ou=lab,dc=example,dc=com\nchangetype: moddn\nnewrdn: uid=dan\ndeleteoldrdn: 1\n\
         newsuperior: ou=elsewhere,dc=example,dc=com\n",
    );
    let ids = [ann.clone(), bob, cid.clone(), dan.clone()];
    let found = source::look_up(&config, Path::new("/"), &ids, Part::Users).await.unwrap();
    let at = |dn: &str, is_in_scope| Found { dn: format!("{dn},dc=example,dc=com"), is_in_scope };
    let wanted = [
        (ann, at("uid=ann,ou=north,ou=lab", true)),
        (cid, at("uid=cid,ou=north,ou=lab", false)),
        (dan, at("uid=dan,ou=elsewhere", false)),
    ];
    assert_eq!(found, wanted.into());
    drop(server);
    assert!(source::look_up(&config, Path::new("/"), &ids, Part::Users).await.is_err());
    assert!(changes(&config, &serde_json::from_str("{}").unwrap(), &mirror).await.is_ok());
}
