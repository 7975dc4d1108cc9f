//! Values that a server sends in ranges (`member;range=0-1499`, [MS-ADTS] section 3.1.1.3.1.3.3): all of them, from one
//! state of the entry, or none.

use ldap3::Scope;

use super::connect::Connection;
use super::search::{Search, page};
use crate::source::collect::{Range, Raw};
use crate::source::error::SourceError;
use crate::source::select::Selection;

/// How often an entry is read anew that changes while its ranges are read.
const ATTEMPTS: u32 = 3;
/// Attributes that change whenever the entry does, of the kinds of servers that send ranges.
const STAMPS: &[&str] = &["uSNChanged", "whenChanged", "modifyTimestamp"];

/// Fetches the values that the entry lacks. What cannot be had completely stays marked, and the entry is rejected later:
/// it counts as present, and nobody is taken out of a group for it.
pub(super) async fn fill(connection: &mut Connection, selection: &Selection, raw: &mut Raw) -> Result<(), SourceError> {
    let Ok(dn) = String::from_utf8(raw.dn.clone()) else { return Ok(()) };
    let cut: Vec<String> = raw.cut().filter(|name| selection.wanted.contains(*name)).map(str::to_owned).collect();
    for name in cut {
        for _ in 0..ATTEMPTS {
            match walk(connection, &dn, &name).await? {
                Walk::Whole(values) => {
                    raw.complete(&name, values);
                    break;
                }
                Walk::Changed => {}
                Walk::Refused => break,
            }
        }
    }
    Ok(())
}

enum Walk {
    Whole(Vec<Vec<u8>>),
    /// The entry changed in between.
    Changed,
    /// The server does not give them.
    Refused,
}

/// One walk from the first value to the last.
async fn walk(connection: &mut Connection, dn: &str, name: &str) -> Result<Walk, SourceError> {
    let mut values: Vec<Vec<u8>> = Vec::new();
    let mut stamp = None;
    loop {
        let low = values.len();
        let mut attributes = vec![format!("{name};range={low}-*")];
        attributes.extend(STAMPS.iter().map(|stamp| (*stamp).to_owned()));
        let search = Search { base: dn, scope: Scope::Base, filter: "(objectClass=*)", attributes: &attributes };
        let mut found = None;
        let (result, _) = page(connection, search, None, &mut |raw| found = Some(raw)).await?;
        let Some(mut raw) = found.filter(|_| result.rc == 0) else { return Ok(Walk::Refused) };
        let seen: Vec<_> = STAMPS.iter().map(|stamp| raw.values.remove(&stamp.to_ascii_lowercase())).collect();
        if stamp.get_or_insert_with(|| seen.clone()) != &seen {
            return Ok(Walk::Changed);
        }
        let range = raw.range(name);
        let more = raw.values.remove(name).unwrap_or_default();
        match range {
            Some(Range { low: from, high: None }) if from == low => {
                values.extend(more);
                return Ok(Walk::Whole(values));
            }
            Some(Range { low: from, high: Some(to) }) if from == low && to + 1 == low + more.len() => {
                values.extend(more);
            }
            // The values became fewer, or the server counts in a way of its own.
            _ if low > 0 => return Ok(Walk::Changed),
            _ => return Ok(Walk::Refused),
        }
    }
}
