//! A real 389 Directory Server with the content synchronisation and retro change log plugins.

use std::path::Path;

use yaopai::config::SourceConfig;
use yaopai::source::{self, ACCOUNT_STATE, DeltaRefusal, Part};

use super::super::source_of;
use super::{assert_timed, begin, delta, names, refusal, way};
use crate::harness::ds389::Ds389;

const UNITS: &str = "
dn: ou=north,ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: north

dn: ou=outside,dc=example,dc=com
objectClass: organizationalUnit
ou: outside
";

fn person(uid: &str) -> String {
    format!(
        "\ndn: uid={uid},ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n\
         employeeType: staff\n"
    )
}

fn config(server: &Ds389) -> SourceConfig {
    source_of(&format!(
        "[[source]]\nname = \"s\"\n{}[source.users]\nbase_dn = \"ou=people,dc=example,dc=com\"\n\
         filter = \"(&(objectClass=inetOrgPerson)(employeeType=staff))\"\nmail = \"mail\"\nmanager = \"manager\"\n\
         [source.departments]\nfrom = \"ou\"\nbase_dn = \"ou=people,dc=example,dc=com\"\n[source.groups]\n",
        server.table()
    ))
}

const CHANGES: &str = "
dn: uid=ann,ou=people,dc=example,dc=com
changetype: modify
replace: mail
mail: ann@example.com

dn: uid=bob,ou=people,dc=example,dc=com
changetype: delete

dn: uid=cid,ou=people,dc=example,dc=com
changetype: modify
replace: employeeType
employeeType: guest

dn: uid=dan,ou=people,dc=example,dc=com
changetype: moddn
newrdn: uid=daniel
deleteoldrdn: 1
newsuperior: ou=north,ou=people,dc=example,dc=com

dn: uid=eve,ou=people,dc=example,dc=com
changetype: modify
replace: nsAccountLock
nsAccountLock: true

dn: uid=fay,ou=people,dc=example,dc=com
changetype: moddn
newrdn: uid=fay
deleteoldrdn: 1
newsuperior: ou=outside,dc=example,dc=com

dn: cn=old,dc=example,dc=com
changetype: modify
add: uniqueMember
uniqueMember: uid=ann,ou=people,dc=example,dc=com
";

/// LDAP-085, LDAP-089: also who left the filter by a change, of which this server says nothing; and of more deletions than
/// it gets right, all.
#[tokio::test]
async fn a_delta_gives_what_a_full_read_gives() {
    let server = tokio::task::spawn_blocking(Ds389::start).await.unwrap();
    let many: Vec<String> = (0..110).map(|n| format!("p{n}")).collect();
    let people: String = ["ann", "bob", "cid", "dan", "eve", "fay"].iter().map(|uid| person(uid)).collect();
    server.change(&format!("{UNITS}{people}{}", many.iter().map(|uid| person(uid)).collect::<String>()));
    let config = config(&server);
    let (position, mut mirror) = begin(&config).await;
    assert_eq!(way(&position), "syncrepl");
    assert!(delta(&config, &position, &mirror).await.is_empty());
    server.change(CHANGES);
    let read = delta(&config, &position, &mirror).await;
    assert_eq!(names(&read.users, "uid"), ["ann", "daniel", "eve"]);
    assert_timed(&read);
    assert_eq!(names(&read.groups, "cn"), ["old"]);
    assert_eq!(read.gone.len(), 3, "{:?}", read.gone);
    let eve = read.users.iter().find(|user| super::super::one(user, "uid") == "eve").unwrap();
    assert_eq!(super::super::all(eve, ACCOUNT_STATE), ["disabled"]);
    let position = read.position.clone();
    mirror.take(read);
    mirror.assert_is(&config).await;
    let deletions: Vec<String> =
        many.iter().map(|uid| format!("dn: uid={uid},ou=people,dc=example,dc=com\nchangetype: delete\n")).collect();
    server.change(&deletions.join("\n"));
    let read = delta(&config, &position, &mirror).await;
    assert_eq!(read.gone.len(), 110);
    mirror.take(read);
    mirror.assert_is(&config).await;
    // Whoever moved out of the base is found.
    let outside = source::look_up(&config, Path::new("/"), &[], Part::Users).await.unwrap();
    assert!(outside.is_empty());
    // A cookie of another server is not continued.
    let mut other = serde_json::to_value(&position).unwrap();
    for cookie in other["cookies"].as_object_mut().unwrap().values_mut() {
        *cookie = "6f746865723a33383923782331".into();
    }
    let other = serde_json::from_value(other).unwrap();
    assert!(matches!(refusal(&config, &other, &mirror).await, DeltaRefusal::Expired { .. }));
}
