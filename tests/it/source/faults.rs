//! Why a read gave no snapshot, in both languages.

use yaopai::source::SourceError;
use yaopai::text::{Fault, Language};

fn every_error() -> Vec<SourceError> {
    let (url, base) = ("ldaps://dc1.example.com".to_owned(), "dc=example,dc=com".to_owned());
    let path = std::path::PathBuf::from("people.csv");
    let cause = || std::io::Error::from(std::io::ErrorKind::NotFound);
    let reason = || Box::new(Fault::new("tls-expired"));
    let mut all = vec![
        SourceError::Config { key: "source.ldap.url".to_owned(), reason: "x".to_owned() },
        SourceError::File { path: path.clone(), cause: cause() },
        SourceError::Ldif { path: path.clone(), line: 7, reason: "x".to_owned() },
        SourceError::FileChanged { path: path.clone() },
        SourceError::Table { path: path.clone(), line: Some(7), reason: reason() },
        SourceError::Table { path: path.clone(), line: None, reason: reason() },
        SourceError::Incomplete { path, reason: reason() },
        SourceError::Connect { url: url.clone(), reason: "x".to_owned() },
        SourceError::Tls { url: url.clone(), reason: reason() },
        SourceError::EmptyCredentials { what: "password" },
        SourceError::Bind { url: url.clone(), dn: base.clone(), code: 49, reason: reason() },
        SourceError::NoServer(vec![SourceError::Stopped, SourceError::FileChanged { path: "x".into() }]),
        SourceError::Referral { base: base.clone(), to: url.clone() },
        SourceError::Broken { url: url.clone(), base: base.clone(), reason: "x".to_owned() },
        SourceError::Broken { url: url.clone(), base: String::new(), reason: "x".to_owned() },
        SourceError::Timeout { url: url.clone(), seconds: 30, doing: "binding".to_owned() },
        SourceError::Malformed { url, reason: "x".to_owned() },
        SourceError::Stopped,
    ];
    all.extend((1..100).map(|code| SourceError::Result {
        base: base.clone(),
        code,
        name: "busy",
        text: String::new(),
    }));
    all
}

/// Every fault, with all that is in it, has a sentence in both languages: no key and no argument is left standing.
#[test]
fn every_error_is_said_in_both_languages() {
    for error in every_error() {
        let (en, zh) = (error.fault().words(Language::En), error.fault().words(Language::Zh));
        assert_eq!(en, error.to_string());
        for text in [&en, &zh] {
            assert!(!text.contains("fault-") && !text.contains("{ $") && !text.contains("{$"), "{text}");
        }
        let is_only_a_place = matches!(error, SourceError::Config { .. });
        assert!(is_only_a_place || zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{zh}");
    }
}

/// LDAP-097: so are the refusals of Active Directory, and what is wrong with a table.
#[test]
fn every_reason_is_said_in_both_languages() {
    let refusals =
        ["525", "52e", "530", "531", "532", "533", "701", "773", "775"].map(|data| format!("refusal-{data}"));
    let others = ["no-marker", "old-marker", "no-checksum", "other-checksum", "no-column", "two-columns", "no-row"];
    for code in refusals.iter().map(String::as_str).chain(others) {
        let fault =
            ["marker", "file", "column", "attribute", "there"].iter().fold(Fault::new(code), |f, n| f.with(n, "x"));
        let (en, zh) = (fault.words(Language::En), fault.words(Language::Zh));
        assert!(en != zh && !en.contains("fault-") && !zh.contains("fault-"), "{en} {zh}");
        assert!(!en.contains("{$") && !zh.contains("{$"), "{en} {zh}");
    }
}
