//! Several sources over one person: who is who (`correlate`), who is named across sources (`references`), and whose value
//! counts (`offers`).
//!
//! Each person is owned by one source, which alone locks them out, lets them in and names their login. Other sources with
//! a link to them contribute: what they say is kept as an [`Offer`](crate::model::Offer), and of all offers the precedence
//! chooses. People whom one source knows cost nothing: they have no offers.

mod correlate;
mod masters;
mod offers;
mod references;

use std::fmt::Write as _;

use crate::config::{Config, JoinConfig, SourceConfig};
use crate::crypto::sha256_hex;
use crate::model::{FindingCode, Precedence};
use crate::store::{StoreError, Tx};

use super::finding::arguments;
use super::record::Mapped;

pub(super) use correlate::correlate;
pub(super) use masters::count as count_masters;
pub(super) use offers::{Merge, Named, Role};
pub(super) use references::{named_elsewhere, resolve as resolve_references};

/// Notes sources that are no longer configured and own people still: those stay as they are.
pub(super) async fn find_orphans(tx: &mut Tx, all: &Config, mapped: &mut Mapped) -> Result<(), StoreError> {
    for (source, people) in tx.users().count_by_source().await? {
        if all.source(&source).is_none() {
            let said = arguments([("count", people.to_string()), ("value", source.clone())]);
            mapped.warn(FindingCode::OwnerGone, (&source, ""), said);
        }
    }
    Ok(())
}

/// What several sources have to do with each other; none where there is only one.
#[derive(Clone, Debug)]
pub(super) struct Sharing {
    /// The source that is looked at.
    pub source: String,
    /// Its `[source.join]`.
    pub join: Option<JoinConfig>,
    pub precedence: Precedence,
    /// Fingerprint of the precedence: part of the digest of every link that contributes.
    pub digest: String,
}

impl Sharing {
    /// What the configuration says.
    pub fn of(all: &Config, config: &SourceConfig) -> Option<Self> {
        if all.sources.len() < 2 {
            return None;
        }
        let sources: Vec<String> = all.sources.iter().map(|source| source.name.clone()).collect();
        let precedence = Precedence { fields: all.precedence.clone(), sources };
        let text = format!("{:?}", (&precedence.fields, &precedence.sources));
        let digest = sha256_hex(text.as_bytes()).chars().take(16).collect();
        Some(Self { source: config.name.clone(), join: config.join.clone(), precedence, digest })
    }

    /// Fingerprint of what the other sources stand at.
    pub async fn others(&self, tx: &mut Tx) -> Result<String, StoreError> {
        let mut text = format!("{} {:?}", self.digest, self.join);
        for (source, version) in tx.source_states().versions().await? {
            if source != self.source {
                let _ = write!(text, "\n{source} {version}");
            }
        }
        Ok(sha256_hex(text.as_bytes()))
    }

    /// Whether this source takes over people whom their owner no longer has.
    pub fn adopts(&self) -> bool {
        self.join.as_ref().is_some_and(|join| join.creates && join.adopts)
    }
}
