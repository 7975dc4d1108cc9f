//! A group of more members than Windows sends at once, on the real Samba behind a proxy that cuts as Windows does.

use std::collections::BTreeSet;
use std::path::Path;

use yaopai::config::SourceConfig;
use yaopai::source::SourceError;

use super::super::{read, source_of};
use super::active_directory::ALONE;
use super::{Mirror, begin, changes, delta, way};
use crate::harness::cutting::Cutting;
use crate::harness::samba::{self, ADMIN, ADMIN_PASSWORD, DOMAIN, PASSWORD, READER};
use crate::harness::samba_domain::{CONTACTS, contact};

/// What a domain controller sends of an attribute at once ([MS-ADTS] section 3.1.1.3.4.6, `MaxValRange`).
const MOST: usize = 1_500;

fn members(mirror: &Mirror) -> BTreeSet<String> {
    let group = mirror.groups.values().next().unwrap();
    let members = super::super::all(group, "member");
    let different: BTreeSet<String> = members.iter().map(|member| (*member).to_owned()).collect();
    assert_eq!(members.len(), different.len(), "somebody is a member twice");
    different
}

/// LDAP-067, LDAP-068
#[tokio::test]
async fn a_group_of_more_than_1500_is_whole_in_full_runs_and_increments() {
    let _alone = ALONE.lock().await;
    let server = samba::shared().await;
    let base = format!("OU=ranged,{DOMAIN}");
    let group = format!("CN=many,{base}");
    let listed = (0..CONTACTS).map(|n| format!("member: {}\n", contact(n))).collect::<Vec<_>>().concat();
    server.change(&format!(
        "dn: {base}\nobjectClass: organizationalUnit\n\ndn: {group}\nobjectClass: group\nsAMAccountName: many\n{listed}"
    ));
    let cutting = Cutting::start(server, MOST).await;
    let config = |who: &str, password: &str| {
        let table = server.table(&format!("\"ldap://127.0.0.1:{}\"", cutting.port), who, password);
        source_of(&format!(
            "[[source]]\nname = \"ad\"\n{table}allow_plaintext = true\n[source.users]\nbase_dn = \"{base}\"\n\
             [source.groups]\nbase_dn = \"{base}\"\n"
        ))
    };
    let mut expected: BTreeSet<String> = (0..CONTACTS).map(contact).collect();
    for (n, who, password, how) in [(0, READER, PASSWORD, "usn"), (2, ADMIN, ADMIN_PASSWORD, "dirsync")] {
        let config = config(who, password);
        let before = cutting.cut();
        let (position, mut mirror) = begin(&config).await;
        assert_eq!((way(&position).as_str(), cutting.cut() > before), (how, true));
        assert_eq!(members(&mirror), expected, "{how}");
        // One leaves from the first range, one from the last, and the group itself changes, so that it comes whole.
        let gone = [contact(n), contact(CONTACTS - 1 - n)];
        let less = gone.each_ref().map(|dn| format!("delete: member\nmember: {dn}\n-\n")).concat();
        server.change(&format!("dn: {group}\nchangetype: modify\n{less}replace: displayName\ndisplayName: Many {n}\n"));
        for dn in &gone {
            expected.remove(dn);
        }
        let before = cutting.cut();
        let read = delta(&config, &position, &mirror).await;
        assert!(cutting.cut() > before, "{how}: the increment did not meet a range");
        mirror.take(read);
        assert_eq!(members(&mirror), expected, "{how}");
        mirror.assert_is(&config).await;
    }
    ends_early(&cutting, &config(READER, PASSWORD), &base, &group).await;
}

/// LDAP-068: the server goes away between two ranges: nothing is concluded, in full runs and increments.
async fn ends_early(cutting: &Cutting, config: &SourceConfig, base: &str, group: &str) {
    let (position, mirror) = begin(config).await;
    cutting.hang_up();
    let error = read(config, Path::new("/")).await.unwrap_err();
    assert!(matches!(error, SourceError::Broken { .. }), "{base}: {error}");
    let server = samba::shared().await;
    server.change(&format!("dn: {group}\nchangetype: modify\nreplace: displayName\ndisplayName: Many\n"));
    let error = changes(config, &position, &mirror).await.unwrap_err();
    assert!(matches!(error, SourceError::Broken { .. }), "{error}");
}
