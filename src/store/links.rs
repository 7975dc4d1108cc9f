//! Links: (source, external id) ↔ our id.

use uuid::Uuid;

use super::{StoreError, Tx};
use crate::model::{Link, PlanId, RunId};

/// Store functions of links.
#[derive(Debug)]
pub struct Links<'a>(&'a mut Tx);

impl Tx {
    /// Links.
    pub fn links(&mut self) -> Links<'_> {
        Links(self)
    }
}

impl Links<'_> {
    /// Every link of the source.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_source(&mut self, source: &str) -> Result<Vec<Link>, StoreError> {
        self.0.all("SELECT * FROM links WHERE source = $1", &[&source]).await
    }

    /// The link of an object; its source owns it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_by_object(&mut self, object: Uuid) -> Result<Option<Link>, StoreError> {
        self.0.optional("SELECT * FROM links WHERE object_id = $1 ORDER BY source LIMIT 1", &[&object]).await
    }

    /// Makes the links what the plan says.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn apply_plan(&mut self, plan: PlanId, source: &str, run: RunId) -> Result<(), StoreError> {
        let sql = "INSERT INTO links (source, kind, external_id, object_id, dn, digest, run_id) \
                   SELECT $2, kind, external_id, object_id, dn, digest, $3 FROM plan_links WHERE plan_id = $1 \
                   ON CONFLICT (source, kind, external_id) DO UPDATE SET dn = excluded.dn, digest = excluded.digest, \
                   run_id = excluded.run_id";
        self.0.run(sql, &[&plan, &source, &run]).await.map(drop)
    }
}
