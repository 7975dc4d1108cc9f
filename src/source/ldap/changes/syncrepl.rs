//! Content synchronisation (RFC 4533) as OpenLDAP serves it: for each search of the mapping the entries that changed since
//! its cookie, whole, and either what is gone or who is there.

use std::collections::{BTreeSet, HashSet};

use ldap3::Scope;

use super::standing::{Standing, Way};
use super::{Changed, Session, Stop};
use crate::config::DirectorySchema;
use crate::source::collect::Raw;
use crate::source::delta::{DeltaRefusal, Gone};
use crate::source::error::SourceError;
use crate::source::ldap::control::{self, Info, State};
use crate::source::ldap::search::{Search, attributes, take};
use crate::source::ldap::{answer, entry, ranges};
use crate::source::snapshot::Part;

/// `e-syncRefreshRequired` (section 2.6).
const REFRESH_REQUIRED: u32 = 4096;

/// What one search brought.
#[derive(Default)]
pub(super) struct Refreshed {
    /// Changed entries with their ids.
    pub entries: Vec<([u8; 16], Raw)>,
    pub gone: HashSet<[u8; 16]>,
    /// Who was listed as being there; whoever is changed is there as well.
    pub present: HashSet<[u8; 16]>,
    /// Whether all who are there were listed.
    pub lists_present: bool,
    /// Where to go on from; none when nothing changed.
    pub cookie: Option<Vec<u8>>,
    /// Ids in the longest list of those that are gone.
    pub longest: usize,
}

/// Name of a search in a position.
pub(super) const fn name(part: Part) -> &'static str {
    match part {
        Part::Users => "users",
        Part::Departments => "departments",
        Part::Groups => "groups",
    }
}

/// Stands at the present. The cookie is that of the whole database: one entry is enough to get it, and each search is tried
/// with it at once.
pub(super) async fn stand(session: &mut Session<'_>) -> Result<Standing, Stop> {
    let mut standing = Standing::new(session.reader, Way::Syncrepl, &session.connection.url);
    for selection in &session.reader.selections {
        // Deletions come by the server's own id.
        if selection.id != "entryuuid" {
            return Err(DeltaRefusal::NotSupported.into());
        }
        let base = selection.base.as_ref().map_or("", |base| base.text.as_str());
        let attributes = ["1.1".to_owned()];
        let one = Search { base, scope: Scope::Base, filter: "(objectClass=*)", attributes: &attributes };
        let cookie = refresh(session, one, None).await?.cookie.ok_or(DeltaRefusal::NotSupported)?;
        let filter = selection.filter.to_string();
        let tried = Search { scope: Scope::Subtree, filter: &filter, ..one };
        let cookie = refresh(session, tried, Some(&cookie)).await?.cookie.unwrap_or(cookie);
        standing.set_cookie(name(selection.part), &cookie);
    }
    Ok(standing)
}

/// What changed since then.
pub(super) async fn read(session: &mut Session<'_>, mut standing: Standing) -> Result<(Changed, Standing), Stop> {
    let (mut changed, mut collector) = (Changed::default(), session.collector());
    for selection in &session.reader.selections {
        let Some(cookie) = standing.cookie(name(selection.part)) else {
            return Err(DeltaRefusal::Reconfigured.into());
        };
        // OpenLDAP takes a cookie without a CSN for none, and then claims to have listed what was deleted.
        if session.reader.config.schema == DirectorySchema::OpenLdap && !holds(&cookie, b"csn=") {
            return Err(DeltaRefusal::Expired { said: "the cookie holds no csn".to_owned() }.into());
        }
        let base = selection.base.as_ref().map_or("", |base| base.text.as_str());
        let (filter, attributes) = (selection.filter.to_string(), attributes(selection));
        let search = Search { base, scope: Scope::Subtree, filter: &filter, attributes: &attributes };
        let read = refresh(session, search, Some(&cookie)).await?;
        match read.cookie {
            Some(cookie) => standing.set_cookie(name(selection.part), &cookie),
            None if read.entries.is_empty() && read.gone.is_empty() && !read.lists_present => {}
            None => return Err(session.malformed("changes came without a cookie to go on from").into()),
        }
        let returned: BTreeSet<[u8; 16]> = read.entries.iter().map(|(id, _)| *id).collect();
        if read.lists_present {
            let all = read.present.iter().chain(&returned).map(|id| uuid(*id)).collect();
            changed.present.insert(selection.part, all);
        }
        let gone = read.gone.iter().filter(|id| !returned.contains(*id));
        let part = Some(selection.part);
        changed.gone.extend(gone.map(|id| Gone::Id { part, external_id: uuid(*id) }));
        for (_, mut raw) in read.entries {
            if raw.cut().next().is_some() {
                ranges::fill(&mut session.connection, selection, &mut raw).await?;
            }
            session.kind.shape(selection.part, &mut raw);
            take(&mut collector, selection, &raw);
        }
    }
    standing.server = session.connection.url.clone();
    changed.snapshot = collector.seal();
    Ok((changed, standing))
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn uuid(id: [u8; 16]) -> String {
    uuid::Uuid::from_bytes(id).to_string()
}

/// One search to its end. Nothing is concluded from one that does not end with success and the control that says how.
pub(super) async fn refresh(
    session: &mut Session<'_>,
    search: Search<'_>,
    cookie: Option<&[u8]>,
) -> Result<Refreshed, Stop> {
    let connection = &mut session.connection;
    let mut read = Refreshed::default();
    let attributes: Vec<&str> = search.attributes.iter().map(String::as_str).collect();
    let ldap = connection.ldap.with_timeout(connection.timeout);
    ldap.with_controls(vec![control::sync_request(false, cookie)]);
    let opened = ldap.streaming_search(search.base, search.scope, search.filter, attributes).await;
    let mut stream = match opened {
        Ok(stream) => stream,
        Err(error) => return Err(connection.broken(error, "asking for changes", search.base).await.into()),
    };
    let result = loop {
        let item = match stream.next().await {
            Ok(Some(item)) => item,
            Ok(None) => break stream.finish().await,
            Err(error) => return Err(connection.broken(error, "reading changes", search.base).await.into()),
        };
        if item.is_ref() {
            let to = entry::reference(item.0);
            if !connection.passes_over(&to) {
                return Err(SourceError::Referral { base: search.base.to_owned(), to }.into());
            }
        } else {
            let url = connection.url.clone();
            let malformed = |reason: &str| SourceError::Malformed { url, reason: reason.to_owned() };
            read.take(item).map_err(malformed)?;
        }
    };
    if result.rc != 0 {
        return Err(refused(search.base, &result));
    }
    let done = control::sync_done(&result);
    let (cookie, lists_deletions) =
        done.map_err(|_| session.malformed("the search ended without a Sync Done control"))?;
    read.cookie = cookie.filter(|cookie| !cookie.is_empty());
    read.lists_present |= !lists_deletions;
    Ok(read)
}

impl Refreshed {
    fn take(&mut self, item: ldap3::ResultEntry) -> Result<(), &'static str> {
        if item.is_intermediate() {
            match control::sync_info(&item.0).map_err(|_| "a Sync Info message is malformed")? {
                Some(Info::Ids { are_gone: true, ids }) => {
                    self.longest = self.longest.max(ids.len());
                    self.gone.extend(ids);
                }
                Some(Info::Ids { are_gone: false, ids }) => self.present.extend(ids),
                Some(Info::PresentEnd) => self.lists_present = true,
                Some(Info::Cookie | Info::DeletesEnd) | None => {}
            }
            return Ok(());
        }
        let state = control::sync_state(&item.1);
        let (state, id) = state.map_err(|_| "an entry has no readable Sync State control")?;
        match state {
            State::Present => {
                self.present.insert(id);
            }
            State::Deleted => {
                self.gone.insert(id);
            }
            State::Changed => {
                let raw = entry::raw(item.0).ok_or("an entry is no SearchResultEntry")?;
                self.entries.push((id, raw));
            }
        }
        Ok(())
    }
}

/// What a search without success means: that the server cannot go on from the cookie, or that the read failed.
fn refused(base: &str, result: &ldap3::LdapResult) -> Stop {
    let said = || format!("result {} {}", result.rc, result.text);
    match result.rc {
        REFRESH_REQUIRED => DeltaRefusal::Expired { said: format!("e-syncRefreshRequired {}", result.text) }.into(),
        // protocolError for a cookie that it cannot read, unwillingToPerform for one that is newer than its data.
        2 | 53 => DeltaRefusal::Expired { said: said() }.into(),
        3 | 4 | 11 => DeltaRefusal::TooMany { code: result.rc }.into(),
        12 | 50 => DeltaRefusal::NotSupported.into(),
        _ => answer::search_failed(base, result).into(),
    }
}
