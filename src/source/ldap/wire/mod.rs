//! The bulk read, on a connection of our own: entries are fingerprinted where they lie in the buffer, and decoded only
//! when the fingerprint of all of them is not the one that is known already. Through the LDAP library each value is an
//! allocation and each entry two thread switches, and reading took longer than everything that follows.
//!
//! What makes a read complete is the same as everywhere: result 0 on every page, an empty cookie at the end, no
//! reference to another server.

mod answer;
mod link;
mod request;

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::path::Path;
use std::sync::Arc;

use ldap3::LdapResult;
use tokio::sync::watch;

use super::answer::search_failed;
use super::ber::{Elements, Malformed, element};
use super::kind::Kind;
use super::search::{Rounds, UNAVAILABLE_CRITICAL_EXTENSION, attributes, take};
use super::servers::{all_failed, goes_on, in_order};
use crate::config::{BindMethod, DirectorySchema, LdapConfig};
use crate::source::collect::{Collector, Duplicates};
use crate::source::content::Content;
use crate::source::error::SourceError;
use crate::source::select::Selection;
use crate::source::{Progress, Read};

pub(super) use link::{Link, Stream};

/// Whether this way serves the source: an OpenLDAP that is asked with a password or a keytab and sends all there is. What other kinds
/// of directories need (values in ranges, states by the clock, references passed over) takes the library's way.
pub(super) fn reads(config: &LdapConfig) -> bool {
    config.schema == DirectorySchema::OpenLdap && config.bind != BindMethod::External && config.left_out.is_empty()
}

/// Reads all selections over one connection. Call it in a task of its own.
pub(super) async fn read(
    source: String,
    config: Arc<LdapConfig>,
    folder: Arc<Path>,
    selections: Vec<Selection>,
    known: Option<String>,
    progress: watch::Sender<Progress>,
) -> Result<Read, SourceError> {
    let mut link = open(&config, &folder).await?;
    let collector = Collector::new(&source, Duplicates::Merge);
    let mut taken = Taken { collector, content: Content::default(), kept: Vec::new(), is_known: known.is_some() };
    for selection in &selections {
        pages(&mut link, &config, selection, &mut taken, &progress).await?;
    }
    progress.send_replace(Progress { entries: taken.content.entries() });
    let url = link.url.clone();
    link.close().await;
    taken.seal(&selections, known.as_deref(), url.clone()).map_err(|Malformed| no_entry(url))
}

/// A connection to the first server that works, bound as the service account.
async fn open(config: &LdapConfig, folder: &Path) -> Result<Link, SourceError> {
    let mut errors = Vec::new();
    for url in in_order(config) {
        let outcome = match Link::open(config, url, folder).await {
            Ok(mut link) => link.bind(config, folder).await.map(|()| link),
            Err(error) => Err(error),
        };
        let goes_on = goes_on(url, &outcome);
        match outcome {
            Ok(link) => return Ok(link),
            Err(error) if goes_on => errors.push(error),
            Err(error) => return Err(error),
        }
    }
    Err(all_failed(errors))
}

fn no_entry(url: String) -> SourceError {
    SourceError::Malformed { url, reason: "an entry is no SearchResultEntry".to_owned() }
}

/// What was read so far.
struct Taken {
    collector: Collector,
    content: Content,
    /// Pages as they came, while they may turn out to be known.
    kept: Vec<Page>,
    is_known: bool,
}

/// Contents of `SearchResultEntry` one after the other, and whose they are.
struct Page {
    part: crate::source::Part,
    bytes: Vec<u8>,
}

impl Taken {
    /// Takes a page: to be decoded at once, or when it is clear that something differs.
    fn page(&mut self, selection: &Selection, page: Page) -> Result<(), Malformed> {
        let mut entries = Elements(&page.bytes);
        while let Some(entry) = entries.next()? {
            self.content.add(selection.part, entry.content);
        }
        if self.is_known {
            self.kept.push(page);
            return Ok(());
        }
        self.decode(selection, &page)
    }

    fn decode(&mut self, selection: &Selection, page: &Page) -> Result<(), Malformed> {
        let mut entries = Elements(&page.bytes);
        while let Some(entry) = entries.next()? {
            let mut raw = answer::entry(entry.content)?;
            Kind::OpenLdap.shape(selection.part, &mut raw);
            take(&mut self.collector, selection, &raw);
        }
        Ok(())
    }

    /// What the read comes to. Only after every result was a success.
    fn seal(mut self, selections: &[Selection], known: Option<&str>, server: String) -> Result<Read, Malformed> {
        let content = std::mem::take(&mut self.content).finish();
        if known == Some(content.as_str()) {
            return Ok(Read::Same);
        }
        for page in std::mem::take(&mut self.kept) {
            if let Some(selection) = selections.iter().find(|selection| selection.part == page.part) {
                self.decode(selection, &page)?;
            }
        }
        let mut snapshot = self.collector.seal();
        snapshot.content = Some(content);
        snapshot.server = Some(server);
        Ok(Read::Whole(Box::new(snapshot)))
    }
}

/// Reads everything that the selection asks for. The next page is asked for before the last one is looked at, so that
/// the server works meanwhile.
async fn pages(
    link: &mut Link,
    config: &LdapConfig,
    selection: &Selection,
    taken: &mut Taken,
    progress: &watch::Sender<Progress>,
) -> Result<(), SourceError> {
    let base = selection.base.as_ref().map_or("", |base| base.text.as_str());
    let filter = selection.filter.to_string();
    let search = request::search(base, &filter, &attributes(selection)).ok_or_else(|| {
        let reason = format!("the LDAP library cannot read the filter `{filter}`");
        SourceError::Config { key: "source filter".to_owned(), reason }
    })?;
    let size = u32::try_from(config.page_size).unwrap_or(1);
    let mut asked = ask(link, base, &search, Some(&request::page(size, &[]))).await?;
    let (mut is_first, mut rounds) = (true, Rounds::default());
    loop {
        let (result, cookie, bytes) = page(link, base, asked).await?;
        let is_refused = is_first && result.rc == UNAVAILABLE_CRITICAL_EXTENSION;
        if is_refused {
            tracing::warn!(server = link.url, "the server cannot send results in pages; asking for all at once");
            asked = ask(link, base, &search, None).await?;
        } else {
            if result.rc != 0 {
                return Err(search_failed(base, &result));
            }
            if !cookie.is_empty() {
                asked = ask(link, base, &search, Some(&request::page(size, &cookie))).await?;
            }
        }
        let is_circling = rounds
            .is_circling((!bytes.is_empty()).then(|| BuildHasherDefault::<DefaultHasher>::default().hash_one(&bytes)));
        let page = Page { part: selection.part, bytes };
        taken.page(selection, page).map_err(|Malformed| no_entry(link.url.clone()))?;
        progress.send_replace(Progress { entries: taken.content.entries() });
        if is_refused {
            is_first = false;
            continue;
        }
        if cookie.is_empty() {
            return Ok(());
        }
        if is_circling {
            return Err(link.malformed(Rounds::CIRCLING));
        }
        is_first = false;
    }
}

async fn ask(link: &mut Link, base: &str, search: &[u8], control: Option<&[u8]>) -> Result<u32, SourceError> {
    link.send(search, control).await.map_err(|cause| link.broken("searching", base, &cause))
}

/// One page: its result, the cookie of the next, its entries. A reference to another server ends the read.
async fn page(link: &mut Link, base: &str, id: u32) -> Result<(LdapResult, Vec<u8>, Vec<u8>), SourceError> {
    let mut bytes = Vec::new();
    loop {
        let message = link.receive("searching", base).await?;
        if message.id != id {
            return Err(link.malformed("it answers what nobody asked"));
        }
        match message.tag {
            answer::ENTRY => bytes.extend(element(answer::ENTRY, message.content)),
            answer::REFERENCE => {
                return Err(SourceError::Referral { base: base.to_owned(), to: message.reference() });
            }
            answer::INTERMEDIATE => {}
            answer::DONE => {
                let read = message.result().and_then(|result| Ok((result, message.cookie()?)));
                let (result, cookie) = read.map_err(|Malformed| link.malformed("the result of a search is no LDAP"))?;
                return Ok((result, cookie, bytes));
            }
            _ => return Err(link.malformed("it answers a search with something else")),
        }
    }
}
