//! `DirSync` ([MS-ADTS] section 3.1.1.3.4.1.3): the domain controller sends every object of the domain that changed since the
//! cookie, with only what changed, and deleted ones marked. The account needs the right *Replicating Directory Changes*.
//!
//! Only ids are taken from the answer, and the members that groups gained and lost; entries are read whole by their ids.
//! The filter is wide on purpose: an object that no longer matches a narrow one would not be sent at all.

use std::collections::{BTreeSet, HashMap};

use ldap3::Scope;

use super::standing::{Standing, Way};
use super::{Changed, Session, Stop};
use crate::source::collect::Raw;
use crate::source::delta::{DeltaRefusal, Gone, MemberChange};
use crate::source::ldap::kind::guid;
use crate::source::ldap::search::{MAX_IDLE_PAGES, Search, attributes, page};
use crate::source::ldap::{answer, control};
use crate::source::select::Selection;

/// Name of the one cookie.
const COOKIE: &str = "domain";
/// What tells deleted objects, new ones and moved ones.
const BESIDES: &[&str] = &["isDeleted", "name", "parentGUID", "whenCreated", "objectGUID"];
/// What comes with every object, changed or not.
const ALWAYS: &[&str] = &["objectguid", "instancetype", "parentguid"];
/// Result codes that refuse the control or its cookie: protocolError, unavailableCriticalExtension,
/// insufficientAccessRights, unwillingToPerform.
const REFUSALS: &[u32] = &[2, 12, 50, 53];

/// Stands at the present: a search that finds nothing gives the cookie all the same.
pub(super) async fn stand(session: &mut Session<'_>) -> Result<Standing, Stop> {
    let (name, mark) = session.mark().await?;
    let cookie = all(session, Vec::new(), "(!(objectClass=*))", &mut |_| {}).await?;
    let mut standing = Standing::new(session.reader, Way::Dirsync, &session.connection.url);
    standing.set_cookie(COOKIE, &cookie);
    session.stand_at(&mut standing, name, mark);
    Ok(standing)
}

/// What the answer says about objects.
#[derive(Default)]
struct Told {
    gone: Vec<String>,
    changed: BTreeSet<String>,
    /// Renamed or moved, and not new.
    moved: BTreeSet<String>,
    /// Groups of which only members changed.
    members: HashMap<String, MemberChange>,
    unreadable: u64,
}

/// What changed since then.
pub(super) async fn read(session: &mut Session<'_>, mut standing: Standing) -> Result<(Changed, Standing), Stop> {
    let (name, mark) = session.mark().await?;
    session.refuse_set_back(&standing, &name, &mark)?;
    let Some(cookie) = standing.cookie(COOKIE) else { return Err(DeltaRefusal::Reconfigured.into()) };
    let member = session.reader.member.clone();
    let mut told = Told::default();
    let cookie = all(session, cookie, "(objectClass=*)", &mut |raw| told.take(raw, member.as_deref())).await?;
    if told.unreadable > 0 {
        return Err(session.malformed("an object of DirSync shows no objectGUID").into());
    }
    standing.set_cookie(COOKIE, &cookie);
    session.stand_at(&mut standing, name, mark);
    told.members.retain(|id, _| !told.changed.contains(id) && !told.gone.contains(id));
    let changed: Vec<String> = told.changed.into_iter().collect();
    let (snapshot, missing) = session.read_again(&changed).await?;
    let moved: Vec<String> = missing.iter().filter(|id| told.moved.contains(*id)).cloned().collect();
    if let Some(dn) = session.moved_container(&moved).await? {
        return Err(DeltaRefusal::SubtreeMoved { dn }.into());
    }
    let members = session.groups_in_scope(told.members).await?;
    let members = session.primary_memberships(&snapshot, members).await?;
    let gone = told.gone.into_iter().chain(missing).map(|external_id| Gone::Id { part: None, external_id }).collect();
    Ok((Changed { snapshot, members, gone, ..Changed::default() }, standing))
}

/// Asks until there is no more; gives the last cookie.
async fn all(
    session: &mut Session<'_>,
    mut cookie: Vec<u8>,
    filter: &str,
    each: &mut impl FnMut(Raw),
) -> Result<Vec<u8>, Stop> {
    let domain = session.domain()?;
    // When something changed is no change of it.
    let plain = session.reader.selections.iter().map(|one| Selection { stamp: None, ..one.clone() });
    let mut names: BTreeSet<String> = plain.flat_map(|one| attributes(&one)).collect();
    // An object of which nothing changed that was asked for is not sent, and a filter may look at more than the mapping.
    session.reader.selections.iter().for_each(|selection| selection.filter.attributes(&mut names));
    names.extend(BESIDES.iter().map(|name| (*name).to_owned()));
    let names: Vec<String> = names.into_iter().collect();
    let mut empty = 0;
    loop {
        let search = Search { base: &domain, scope: Scope::Subtree, filter, attributes: &names };
        let asked = Some(control::dirsync_request(&cookie));
        let (result, entries) = page(&mut session.connection, search, asked, each).await?;
        if REFUSALS.contains(&result.rc) {
            return Err(DeltaRefusal::Expired { said: refusal(result.rc, &result.text) }.into());
        }
        if result.rc != 0 {
            return Err(answer::search_failed(&domain, &result).into());
        }
        let read = control::dirsync_answer(&result);
        let (has_more, next) = read.map_err(|_| session.malformed("the answer to DirSync has no cookie"))?;
        empty = if entries == 0 && next == cookie { empty + 1 } else { 0 };
        cookie = next;
        if !has_more {
            return Ok(cookie);
        }
        if empty > MAX_IDLE_PAGES {
            return Err(session.malformed("DirSync goes on without an object").into());
        }
    }
}

fn refusal(code: u32, text: &str) -> String {
    let is_right = code == 50;
    let remedy = if is_right { "; DirSync needs the right Replicating Directory Changes on the domain" } else { "" };
    format!("DirSync is refused with result {code}{remedy} {}", text.trim_matches(['\0', ' ', '\n']))
}

impl Told {
    fn take(&mut self, mut raw: Raw, member: Option<&str>) {
        let id = raw.values.get("objectguid").and_then(|values| values.first()).and_then(|bytes| guid(bytes));
        let Some(id) = id else {
            self.unreadable += 1;
            return;
        };
        let is_true = |values: &Vec<Vec<u8>>| values.iter().any(|value| value.eq_ignore_ascii_case(b"true"));
        // Without a name it is a deleted object of which the account may see no more.
        if raw.dn.is_empty() || raw.values.get("isdeleted").is_some_and(is_true) {
            // It was something else before: what came earlier about it no longer matters.
            self.changed.remove(&id);
            self.gone.push(id);
            return;
        }
        self.gone.retain(|gone| *gone != id);
        if raw.values.contains_key("name") && !raw.values.contains_key("whencreated") {
            self.moved.insert(id.clone());
        }
        for name in ALWAYS {
            raw.values.remove(*name);
        }
        let pieces = member.filter(|member| raw.pieces(member).next().is_some());
        let Some(member) = pieces.filter(|member| raw.values.keys().all(|name| name == member)) else {
            if !raw.values.is_empty() {
                self.changed.insert(id);
            }
            return;
        };
        if !self.take_members(&id, member, &raw) {
            self.members.remove(&id);
            self.changed.insert(id);
        }
    }

    /// Takes the members that a group gained and lost; false when they cannot be told apart.
    fn take_members(&mut self, id: &str, member: &str, raw: &Raw) -> bool {
        let change = self.members.entry(id.to_owned()).or_insert_with(|| MemberChange {
            external_id: id.to_owned(),
            added: Vec::new(),
            removed: Vec::new(),
        });
        for (range, values) in raw.pieces(member) {
            let names: Result<Vec<String>, _> = values.iter().map(|value| String::from_utf8(value.clone())).collect();
            // `range=1-1` are values that were added, `range=0-0` those that were removed.
            match (range.low, range.high, names) {
                (1, Some(1), Ok(names)) => gain(change, names),
                (0, Some(0), Ok(names)) => lose(change, names),
                _ => return false,
            }
        }
        true
    }
}

/// The later of two changes counts.
fn gain(change: &mut MemberChange, names: Vec<String>) {
    change.removed.retain(|name| !names.contains(name));
    change.added.extend(names);
}

fn lose(change: &mut MemberChange, names: Vec<String>) {
    change.added.retain(|name| !names.contains(name));
    change.removed.extend(names);
}
