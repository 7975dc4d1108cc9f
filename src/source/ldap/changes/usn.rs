//! By `uSNChanged` of one domain controller (Microsoft's "Polling for changes using `USNChanged`"), for accounts that may not
//! use `DirSync`. The mark is kept for each domain controller and its invocation id, and taken before the search.
//!
//! Deleted objects are seen by the show-deleted control; where the account sees none, everybody's id is listed
//! instead.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ldap3::Scope;
use ldap3::controls::{MakeCritical as _, PagedResults, RawControl};

use super::standing::{Standing, Way};
use super::{Changed, Session, Stop};
use crate::source::collect::Raw;
use crate::source::delta::{DeltaRefusal, Gone};
use crate::source::generalized_time::instant;
use crate::source::ldap::answer;
use crate::source::ldap::kind::{SHOW_DELETED, guid};
use crate::source::ldap::search::{MAX_IDLE_PAGES, Search, next_cookie, page};
use crate::time::Instant;

/// Stands at the present.
pub(super) async fn stand(session: &mut Session<'_>) -> Result<Standing, Stop> {
    let (name, mark) = session.mark().await?;
    let mut standing = Standing::new(session.reader, Way::Usn, &session.connection.url);
    session.stand_at(&mut standing, name, mark);
    Ok(standing)
}

#[derive(Default)]
struct Told {
    gone: BTreeSet<String>,
    gone_at: BTreeMap<String, Instant>,
    changed: BTreeSet<String>,
    /// Units that are not new.
    units: BTreeSet<String>,
    unreadable: u64,
}

/// What changed since then.
pub(super) async fn read(session: &mut Session<'_>, mut standing: Standing) -> Result<(Changed, Standing), Stop> {
    let (name, mark) = session.mark().await?;
    session.refuse_set_back(&standing, &name, &mark)?;
    let Some(before) = standing.marks.get(&name).cloned() else {
        return Err(DeltaRefusal::OtherServer { server: session.connection.url.clone() }.into());
    };
    let sees_deleted = sees_deleted(session).await?;
    let mut told = Told::default();
    search(session, before.usn, &mut |raw| told.take(&raw, before.usn)).await?;
    if told.unreadable > 0 {
        return Err(session.malformed("an object shows no objectGUID").into());
    }
    session.stand_at(&mut standing, name, mark);
    let changed: Vec<String> = told.changed.into_iter().collect();
    let (snapshot, missing) = session.read_again(&changed).await?;
    // Whether it was renamed the server does not say: any unit that no search returns may have been.
    let units: Vec<String> = missing.iter().filter(|id| told.units.contains(*id)).cloned().collect();
    if let Some(dn) = session.moved_container(&units).await? {
        return Err(DeltaRefusal::SubtreeMoved { dn }.into());
    }
    let members = session.primary_memberships(&snapshot, Vec::new()).await?;
    let present = if sees_deleted { HashMap::new() } else { session.sweep().await? };
    let gone = told.gone.into_iter().chain(missing).map(|external_id| Gone::Id { part: None, external_id }).collect();
    Ok((Changed { snapshot, members, gone, gone_at: told.gone_at, present }, standing))
}

/// Whether the account sees deleted objects. That it sees their container proves nothing (Samba shows it to everybody), so
/// that one of them must be seen.
async fn sees_deleted(session: &mut Session<'_>) -> Result<bool, Stop> {
    let base = format!("CN=Deleted Objects,{}", session.domain()?);
    let attributes = ["objectGUID".to_owned()];
    let any = Search { base: &base, scope: Scope::OneLevel, filter: "(isDeleted=TRUE)", attributes: &attributes };
    let one: RawControl = PagedResults { size: 1, cookie: Vec::new() }.critical().into();
    let deleted = RawControl { ctype: SHOW_DELETED.to_owned(), crit: true, val: None };
    let (result, entries) = page(&mut session.connection, any, [one, deleted], &mut |_| {}).await?;
    Ok(result.rc == 0 && entries > 0)
}

/// Everything in the domain that changed after the mark, what was deleted besides.
async fn search(session: &mut Session<'_>, after: u64, each: &mut impl FnMut(Raw)) -> Result<(), Stop> {
    let domain = session.domain()?;
    let filter = format!("(uSNChanged>={})", after.saturating_add(1));
    let attributes = ["objectGUID", "isDeleted", "uSNCreated", "objectClass", "whenChanged"].map(str::to_owned);
    let (mut cookie, mut empty) = (Vec::new(), 0);
    loop {
        let search = Search { base: &domain, scope: Scope::Subtree, filter: &filter, attributes: &attributes };
        let size = session.reader.config.page_size;
        let pages: RawControl = PagedResults { size, cookie }.critical().into();
        let deleted = RawControl { ctype: SHOW_DELETED.to_owned(), crit: true, val: None };
        let (result, entries) = page(&mut session.connection, search, [pages, deleted], each).await?;
        if result.rc != 0 {
            return Err(answer::search_failed(&domain, &result).into());
        }
        cookie = next_cookie(&result);
        if cookie.is_empty() {
            return Ok(());
        }
        empty = if entries == 0 { empty + 1 } else { 0 };
        if empty > MAX_IDLE_PAGES {
            return Err(session.malformed("page after page without an entry").into());
        }
    }
}

impl Told {
    fn take(&mut self, raw: &Raw, after: u64) {
        let values = |name: &str| raw.values.get(name).into_iter().flatten();
        let Some(id) = values("objectguid").next().and_then(|bytes| guid(bytes)) else {
            self.unreadable += 1;
            return;
        };
        if values("isdeleted").any(|value| value.eq_ignore_ascii_case(b"true")) {
            let at = values("whenchanged").next().and_then(|text| instant(std::str::from_utf8(text).ok()?));
            self.gone_at.extend(at.map(|at| (id.clone(), at)));
            self.gone.insert(id);
            return;
        }
        let created = values("usncreated").next().and_then(|text| std::str::from_utf8(text).ok()?.parse::<u64>().ok());
        let is_unit = values("objectclass").any(|class| class.eq_ignore_ascii_case(b"organizationalUnit"));
        if is_unit && created.is_none_or(|created| created <= after) {
            self.units.insert(id.clone());
        }
        self.changed.insert(id);
    }
}
