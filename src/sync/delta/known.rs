//! What the readers may ask about a source: which ids are linked.

use std::collections::HashSet;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::model::ObjectKind;
use crate::source::{KnownIds, Part, SourceError};
use crate::store::{Db, StoreError};

/// The links of one source.
pub(super) struct Linked {
    pub db: Db,
    pub source: String,
}

pub(super) const fn kind_of(part: Part) -> ObjectKind {
    match part {
        Part::Users => ObjectKind::User,
        Part::Departments => ObjectKind::Department,
        Part::Groups => ObjectKind::Group,
    }
}

fn unknown(error: &StoreError) -> SourceError {
    SourceError::Known { reason: error.to_string() }
}

impl KnownIds for Linked {
    fn all(&self, part: Part) -> BoxFuture<'_, Result<HashSet<String>, SourceError>> {
        let ask = async move {
            let mut tx = self.db.read().await?;
            tx.links().list_present_ids(&self.source, kind_of(part)).await
        };
        ask.map(|ids| Ok(ids.map_err(|error| unknown(&error))?.into_iter().map(|row| row.0).collect())).boxed()
    }

    fn among<'a>(&'a self, part: Part, ids: &'a [String]) -> BoxFuture<'a, Result<HashSet<String>, SourceError>> {
        let ask = async move {
            let mut tx = self.db.read().await?;
            tx.links().list_by_ids(&self.source, kind_of(part), ids).await
        };
        ask.map(|links| {
            let links = links.map_err(|error| unknown(&error))?.into_iter();
            Ok(links.filter(|link| link.digest != super::super::link::GONE).map(|link| link.external_id).collect())
        })
        .boxed()
    }
}
