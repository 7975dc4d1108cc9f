//! Taking one person out of an LDIF file, as a personnel department would export it the next day.

use anyhow::{Context as _, ensure};

/// The file without the person whose `uid` is `login`, and without their memberships.
pub fn without(ldif: &str, login: &str) -> anyhow::Result<String> {
    let uid = format!("uid: {login}");
    let records: Vec<&str> = ldif.split("\n\n").collect();
    let gone = records
        .iter()
        .find(|record| record.lines().any(|line| line == uid))
        .with_context(|| format!("nobody with `{uid}` stands in the file"))?;
    let unfolded = unfold(gone);
    let dn = unfolded.lines().find_map(|line| line.strip_prefix("dn:")).context("a record without dn")?;
    let kept: Vec<String> = records
        .iter()
        .filter(|record| record != &gone)
        .map(|record| {
            let member = format!("member:{dn}");
            if !unfold(record).lines().any(|line| line == member) {
                return (*record).to_owned();
            }
            let lines = unfold(record);
            lines.lines().filter(|line| *line != member).collect::<Vec<_>>().join("\n")
        })
        .collect();
    ensure!(kept.len() + 1 == records.len(), "more than one record has `{uid}`");
    Ok(kept.join("\n\n"))
}

/// Continuation lines (RFC 2849 note 2) joined to the line they continue.
fn unfold(record: &str) -> String {
    record.replace("\n ", "")
}
