//! LDIF files: what is read, what is rejected entry by entry, what ends the read.

use std::path::Path;

use yaopai::source::{Part, SourceError};

use super::{read, source_of};

const MAPPING: &str = r#"
[[source]]
name = "hr"
[source.ldif]
file = "people.ldif"
base_dn = "dc=example,dc=com"
[source.users]
mail = "mail"
"#;

async fn read_text(mapping: &str, text: &[u8]) -> Result<yaopai::source::Snapshot, SourceError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("people.ldif"), text).unwrap();
    read(&source_of(mapping), folder.path()).await
}

fn person(login: &str, id: &str, more: &str) -> String {
    format!("dn: uid={login},dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: {login}\nentryUUID: {id}\n{more}\n")
}

/// LDAP-017: an entry that cannot be read is rejected and counted, the others are read.
#[tokio::test]
async fn a_bad_entry_is_rejected_and_the_rest_is_read() {
    let mut text = person("good", "1", "mail: good@example.com\n");
    text += &person("binary", "2", "mail:: /w==\n");
    text += &person("large", "3", &format!("mail: {}\n", "x".repeat(5 << 20)));
    text += "dn: uid=anonymous,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: anonymous\n\n";
    text += "dn: a name without a type\nobjectClass: inetOrgPerson\nentryUUID: 5\n\n";
    text += &person("twin", "1", "");
    text += &person("photo", "7", "jpegPhoto:: /9j/4A==\n");
    let snapshot = read_text(MAPPING, text.as_bytes()).await.unwrap();
    let read: Vec<&str> = snapshot.users.iter().map(|user| user.external_id.as_str()).collect();
    assert_eq!(read, ["1", "7"]);
    let rejected: Vec<_> =
        snapshot.rejected.iter().map(|r| (r.external_id.as_deref(), r.code.as_str(), r.part)).collect();
    let users = Part::Users;
    assert_eq!(
        rejected,
        [
            (Some("2"), "rejected:bad_utf8", users),
            (Some("3"), "rejected:too_large", users),
            (None, "rejected:no_id", users),
            (Some("5"), "rejected:bad_dn", users),
            (Some("1"), "rejected:duplicate_id", users),
        ]
    );
}

#[tokio::test]
async fn only_the_base_the_filter_and_the_mapped_attributes_are_taken() {
    let mut text =
        person("inside", "1", "telephoneNumber: 1\nmail;x-work: late@example.com\nmail: first@example.com\n");
    text += "dn: uid=outside,dc=example,dc=org\nobjectClass: inetOrgPerson\nentryUUID: 2\n\n";
    text += "dn: cn=robot,dc=example,dc=com\nobjectClass: device\nentryUUID: 3\n";
    let snapshot = read_text(MAPPING, text.as_bytes()).await.unwrap();
    assert_eq!((snapshot.users.len(), snapshot.rejected.len()), (1, 0));
    let names: Vec<&str> = snapshot.users[0].attributes.names().collect();
    assert_eq!(names, ["mail", "objectclass", "uid"]);
    assert_eq!(super::all(&snapshot.users[0], "mail"), ["first@example.com", "late@example.com"]);
}

#[tokio::test]
async fn the_stable_id_is_what_the_mapping_names() {
    let mapping = format!("{MAPPING}id = \"employeeNumber\"\n");
    let snapshot = read_text(&mapping, person("a", "1", "employeeNumber: 100\n").as_bytes()).await.unwrap();
    assert_eq!(snapshot.users[0].external_id, "100");
}

/// A file that is missing, empty, cut, or no LDIF is no snapshot: nobody is absent.
#[tokio::test]
async fn a_file_that_cannot_be_trusted_is_no_snapshot() {
    let missing = read(&source_of(MAPPING), Path::new("/nonexistent")).await.unwrap_err();
    assert!(matches!(missing, SourceError::File { .. }), "{missing}");
    for (text, line, words) in [
        ("", 1, "no entry"),
        ("# nobody\n", 1, "no entry"),
        ("dn: dc=example,dc=com\nobjectClass: inetOrgPer", 2, "written completely"),
        ("dn: dc=example,dc=com\nchangetype: delete\n", 2, "change record"),
    ] {
        let error = read_text(MAPPING, text.as_bytes()).await.unwrap_err();
        assert!(matches!(error, SourceError::Ldif { line: at, .. } if at == line), "{error}");
        assert!(error.to_string().contains(words) && error.to_string().contains("people.ldif"), "{error}");
    }
}

#[tokio::test]
async fn a_filter_or_base_that_does_not_parse_names_its_key() {
    for (mapping, key) in [
        (format!("{MAPPING}filter = \"(uid=\"\n"), "source.users.filter"),
        (MAPPING.replace("dc=example,dc=com", "example.com"), "source.ldif.base_dn"),
    ] {
        let error = read_text(&mapping, b"dn: dc=x\n").await.unwrap_err();
        assert!(error.to_string().starts_with(key), "{error}");
    }
}
