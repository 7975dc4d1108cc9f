//! A search page by page (RFC 2696). The result code of every page is looked at; only result 0 on each and an empty
//! cookie at the end make a complete search.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use ldap3::controls::{ControlType, MakeCritical as _, PagedResults, RawControl};
use ldap3::{LdapResult, Scope};

use super::connect::Connection;
use super::{answer, entry};
use crate::config::LdapConfig;
use crate::source::collect::{Collector, Raw};
use crate::source::dn::Dn;
use crate::source::error::SourceError;
use crate::source::select::Selection;
use crate::source::snapshot::ACCOUNT_STATE;

/// LDAP result 12 (RFC 4511 section 4.1.11): the server does not do what the critical control asks for.
pub(super) const UNAVAILABLE_CRITICAL_EXTENSION: u32 = 12;
/// A server that sends this many pages in a row with nothing new is going round in circles.
pub(super) const MAX_IDLE_PAGES: u32 = 100;

/// Tells when a server goes round in circles: empty pages, or the same ones again, each with a cookie for the next.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    seen: HashSet<u64>,
    idle: u32,
}

impl Rounds {
    /// What is wrong with a server that goes round in circles.
    pub const CIRCLING: &'static str = "page after page without a new entry";

    /// Notes a page: the fingerprint of its entries, none when it has none. Whether the server goes round in circles.
    pub fn is_circling(&mut self, page: Option<u64>) -> bool {
        let is_new = page.is_some_and(|page| self.seen.insert(page));
        self.idle = if is_new { 0 } else { self.idle + 1 };
        self.idle > MAX_IDLE_PAGES
    }
}

/// One search: where and for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search<'a> {
    pub base: &'a str,
    pub scope: Scope,
    pub filter: &'a str,
    pub attributes: &'a [String],
}

/// Reads everything that the selection asks for; `each` gets the entries as they come.
pub(super) async fn all_pages(
    connection: &mut Connection,
    config: &LdapConfig,
    selection: &Selection,
    mut each: impl FnMut(Raw),
) -> Result<(), SourceError> {
    let base = selection.base.as_ref().map_or("", |base| base.text.as_str());
    let filter = selection.filter.to_string();
    let attributes = attributes(selection);
    let search = Search { base, scope: Scope::Subtree, filter: &filter, attributes: &attributes };
    let mut cookie = Vec::new();
    let mut rounds = Rounds::default();
    loop {
        let is_first = cookie.is_empty();
        let control: RawControl = PagedResults { size: config.page_size, cookie }.critical().into();
        let mut names = DefaultHasher::new();
        let mut noted = |raw: Raw| {
            raw.dn.hash(&mut names);
            each(raw);
        };
        let (result, entries) = page(connection, search, Some(control), &mut noted).await?;
        if is_first && result.rc == UNAVAILABLE_CRITICAL_EXTENSION {
            tracing::warn!(server = connection.url, "the server cannot send results in pages; asking for all at once");
            let (result, _) = page(connection, search, None, &mut each).await?;
            return complete(base, &result);
        }
        complete(base, &result)?;
        cookie = next_cookie(&result);
        if cookie.is_empty() {
            return Ok(());
        }
        if rounds.is_circling((entries > 0).then(|| names.finish())) {
            let reason = Rounds::CIRCLING.to_owned();
            return Err(SourceError::Malformed { url: connection.url.clone(), reason });
        }
    }
}

/// What the server is asked for.
pub(super) fn attributes(selection: &Selection) -> Vec<String> {
    let mut attributes: Vec<String> = selection.wanted.iter().filter(|name| *name != ACCOUNT_STATE).cloned().collect();
    attributes.push(selection.id.clone());
    attributes.extend(selection.asked.iter().chain(&selection.stamp).map(|name| (*name).to_owned()));
    attributes
}

/// One page: its result and how many entries it had. A reference to another server ends the read.
pub(super) async fn page(
    connection: &mut Connection,
    search: Search<'_>,
    controls: impl IntoIterator<Item = RawControl>,
    each: &mut impl FnMut(Raw),
) -> Result<(LdapResult, u64), SourceError> {
    let Search { base, scope, filter, attributes } = search;
    let controls: Vec<RawControl> = controls.into_iter().collect();
    let ldap = connection.ldap.with_timeout(connection.timeout);
    if !controls.is_empty() {
        ldap.with_controls(controls);
    }
    let mut stream = match ldap.streaming_search(base, scope, filter, attributes).await {
        Ok(stream) => stream,
        Err(ldap3::LdapError::FilterParsing) => {
            let reason = format!("the LDAP library cannot read the filter `{filter}`");
            return Err(SourceError::Config { key: "source filter".to_owned(), reason });
        }
        Err(error) => return Err(connection.broken(error, "searching", base).await),
    };
    let mut entries = 0;
    loop {
        match stream.next().await {
            Ok(Some(item)) if item.is_ref() => {
                let to = entry::reference(item.0);
                if !connection.passes_over(&to) {
                    return Err(SourceError::Referral { base: base.to_owned(), to });
                }
            }
            Ok(Some(item)) if item.is_intermediate() => {}
            Ok(Some(item)) => {
                let raw = entry::raw(item.0).ok_or_else(|| SourceError::Malformed {
                    url: connection.url.clone(),
                    reason: "an entry is no SearchResultEntry".to_owned(),
                })?;
                entries += 1;
                each(raw);
            }
            Ok(None) => return Ok((stream.finish().await, entries)),
            Err(error) => return Err(connection.broken(error, "searching", base).await),
        }
    }
}

fn complete(base: &str, result: &LdapResult) -> Result<(), SourceError> {
    if result.rc == 0 { Ok(()) } else { Err(answer::search_failed(base, result)) }
}

/// The cookie of the next page; empty when there is none, or when the server sent all without pages.
pub(super) fn next_cookie(result: &LdapResult) -> Vec<u8> {
    let is_paged = |kind: &ControlType| matches!(kind, ControlType::PagedResults);
    let control = result.ctrls.iter().find(|control| control.0.as_ref().is_some_and(is_paged));
    control.map(|control| control.1.parse::<PagedResults>().cookie).unwrap_or_default()
}

/// Hands an entry to the collector, unless it is from outside of the base, which nobody asked for.
pub(super) fn take(collector: &mut Collector, selection: &Selection, raw: &Raw) {
    if let (Some(base), Ok(text)) = (&selection.base, std::str::from_utf8(&raw.dn))
        && !base.spells(text)
        && Dn::parse(text).is_ok_and(|dn| !base.contains(&dn))
    {
        collector.ignore(selection.part, text);
        return;
    }
    collector.take(selection, raw);
}
