//! Content synchronisation as 389 Directory Server serves it, out of its retro change log.
//!
//! It departs from RFC 4533 in ways that would lose leavers, so that only ids are taken from it:
//! - an entry that a change took out of the filter is not mentioned, so that the filter is wide and entries are read by id;
//! - the end of a refresh claims to have listed who is there, and has not;
//! - of more than fifty deletions one in fifty-one is dropped, so that everybody's id is listed then;
//! - a change log that was trimmed is not noticed, so that its first number is looked at.

use std::collections::{BTreeSet, HashMap};

use ldap3::Scope;

use super::standing::{Standing, Way, hex};
use super::syncrepl::{Refreshed, refresh};
use super::{Changed, Session, Stop};
use crate::source::delta::{DeltaRefusal, Gone};
use crate::source::ldap::search::Search;

/// Deletions in one message; a full one may be followed by a lost one.
const FULL_MESSAGE: usize = 50;
/// Everything, so that what leaves the mapping's filters is mentioned.
const ANYTHING: &str = "(objectClass=*)";

/// Stands at the present. A cookie is of one base and filter: that of one entry is tried for the whole base, and where the
/// server tells scopes apart, all ids are read once.
pub(super) async fn stand(session: &mut Session<'_>) -> Result<Standing, Stop> {
    let mut standing = Standing::new(session.reader, Way::Syncrepl, &session.connection.url);
    if session.reader.selections.iter().any(|selection| selection.id != "nsuniqueid") {
        return Err(DeltaRefusal::NotSupported.into());
    }
    for base in bases(session) {
        let attributes = ["1.1".to_owned()];
        let one = Search { base: &base, scope: Scope::Base, filter: ANYTHING, attributes: &attributes };
        let all = Search { scope: Scope::Subtree, ..one };
        let cookie = refresh(session, one, None).await?.cookie.ok_or(DeltaRefusal::NotSupported)?;
        let tried = match refresh(session, all, Some(&cookie)).await {
            Err(Stop::Full(DeltaRefusal::Expired { .. })) => refresh(session, all, None).await?,
            tried => tried?,
        };
        standing.set_cookie(&base, &tried.cookie.ok_or(DeltaRefusal::NotSupported)?);
    }
    Ok(standing)
}

/// What changed since then.
pub(super) async fn read(session: &mut Session<'_>, mut standing: Standing) -> Result<(Changed, Standing), Stop> {
    let (mut changed, mut deleted, mut is_swept) = (BTreeSet::new(), BTreeSet::new(), false);
    for base in bases(session) {
        let Some(cookie) = standing.cookie(&base) else { return Err(DeltaRefusal::Reconfigured.into()) };
        refuse_trimmed(session, &cookie)?;
        let attributes = ["nsUniqueId".to_owned()];
        let all = Search { base: &base, scope: Scope::Subtree, filter: ANYTHING, attributes: &attributes };
        let Refreshed { entries, gone, cookie, longest, .. } = refresh(session, all, Some(&cookie)).await?;
        let cookie = cookie.ok_or_else(|| session.malformed("the refresh ended without a cookie to go on from"))?;
        standing.set_cookie(&base, &cookie);
        is_swept |= longest >= FULL_MESSAGE;
        changed.extend(entries.iter().map(|(id, _)| unique_id(*id)));
        deleted.extend(gone.iter().map(|id| unique_id(*id)));
    }
    standing.server = session.connection.url.clone();
    // What was deleted from one base may have moved to another.
    changed.extend(deleted);
    let changed: Vec<String> = changed.into_iter().collect();
    let (snapshot, missing) = session.read_again(&changed).await?;
    let gone = missing.into_iter().map(|external_id| Gone::Id { part: None, external_id }).collect();
    let present = if is_swept { session.sweep().await? } else { HashMap::new() };
    Ok((Changed { snapshot, gone, present, ..Changed::default() }, standing))
}

fn bases(session: &Session<'_>) -> BTreeSet<String> {
    session.reader.selections.iter().filter_map(|one| one.base.as_ref()).map(|base| base.text.clone()).collect()
}

/// Whether the change log still holds what follows the cookie, which ends in the number of a change.
fn refuse_trimmed(session: &Session<'_>, cookie: &[u8]) -> Result<(), Stop> {
    let text = String::from_utf8_lossy(cookie);
    let seen = text.rsplit_once('#').and_then(|(_, number)| number.parse::<u64>().ok());
    let first = session.root.first("firstchangenumber").and_then(|number| number.parse::<u64>().ok());
    match (seen, first) {
        (Some(seen), Some(first)) if seen + 1 < first => {
            let said = format!("the change log begins with {first}, and {seen} was seen last");
            Err(DeltaRefusal::Expired { said }.into())
        }
        _ => Ok(()),
    }
}

/// `nsUniqueId` as the server writes it: four groups of eight.
fn unique_id(id: [u8; 16]) -> String {
    let hex = hex(&id);
    let groups: Vec<&str> = [0, 8, 16, 24].iter().filter_map(|start| hex.get(*start..start + 8)).collect();
    groups.join("-")
}
