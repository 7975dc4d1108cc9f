//! Links: (source, external id) ↔ our id.

use uuid::Uuid;

use super::{Param, StoreError, Tx};
use crate::model::{Link, ObjectKind, PlanId, RunId, UserId};

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

    /// The links of these external ids of a kind.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_ids(
        &mut self,
        source: &str,
        kind: ObjectKind,
        external_ids: &[String],
    ) -> Result<Vec<Link>, StoreError> {
        let list: Vec<&dyn Param> = external_ids.iter().map(|id| -> &dyn Param { id }).collect();
        let head = "SELECT * FROM links WHERE source = $1 AND kind = $2 AND external_id";
        self.0.all_in(head, &[&source, &kind], &list, "").await
    }

    /// The links of these names (`source::Dn::path`).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_paths(&mut self, source: &str, paths: &[String]) -> Result<Vec<Link>, StoreError> {
        let list: Vec<&dyn Param> = paths.iter().map(|path| -> &dyn Param { path }).collect();
        self.0.all_in("SELECT * FROM links WHERE source = $1 AND dn_path", &[&source], &list, "").await
    }

    /// The links of everything below a name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_below(&mut self, source: &str, path: &str) -> Result<Vec<Link>, StoreError> {
        // A name below continues with a comma; `-` is the character after it.
        let (from, to) = (format!("{path},"), format!("{path}-"));
        let sql = "SELECT * FROM links WHERE source = $1 AND dn_path >= $2 AND dn_path < $3";
        self.0.all(sql, &[&source, &from, &to]).await
    }

    /// The links of these objects.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_objects(&mut self, source: &str, objects: &[Uuid]) -> Result<Vec<Link>, StoreError> {
        let list: Vec<&dyn Param> = objects.iter().map(|id| -> &dyn Param { id }).collect();
        self.0.all_in("SELECT * FROM links WHERE source = $1 AND object_id", &[&source], &list, "").await
    }

    /// External ids of a kind that the source still returns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_present_ids(&mut self, source: &str, kind: ObjectKind) -> Result<Vec<(String,)>, StoreError> {
        let sql = "SELECT external_id FROM links WHERE source = $1 AND kind = $2 AND digest <> 'gone'";
        self.0.all(sql, &[&source, &kind]).await
    }

    /// The link of an object; its source owns it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_by_object(&mut self, object: Uuid) -> Result<Option<Link>, StoreError> {
        self.0.optional("SELECT * FROM links WHERE object_id = $1 ORDER BY source LIMIT 1", &[&object]).await
    }

    /// Every link of an object, by source.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_of_object(&mut self, object: Uuid) -> Result<Vec<Link>, StoreError> {
        self.0.all("SELECT * FROM links WHERE object_id = $1 ORDER BY source", &[&object]).await
    }

    /// People and groups that other sources returned under a name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn named_elsewhere(&mut self, source: &str, paths: &[String]) -> Result<Vec<Link>, StoreError> {
        let list: Vec<&dyn Param> = paths.iter().map(|path| -> &dyn Param { path }).collect();
        let head =
            "SELECT * FROM links WHERE source <> $1 AND kind IN ('user', 'group') AND digest <> 'gone' AND dn_path";
        self.0.all_in(head, &[&source], &list, "").await
    }

    /// Makes the next run of each other source look at these people again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_digests(&mut self, source: &str, people: &[UserId]) -> Result<(), StoreError> {
        let list: Vec<&dyn Param> = people.iter().map(|id| -> &dyn Param { id }).collect();
        let head = "UPDATE links SET digest = '' WHERE source <> $1 AND digest <> 'gone' AND object_id";
        self.0.run_in(head, &[&source], &list, "").await.map(drop)
    }

    /// Forgets the names of entries that stood for these people; `source` knows that theirs are gone, others look again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_names(&mut self, source: &str, people: &[UserId]) -> Result<(), StoreError> {
        let list: Vec<&dyn Param> = people.iter().map(|id| -> &dyn Param { id }).collect();
        let head = "UPDATE links SET dn = '', dn_path = '' WHERE source = $1 AND object_id";
        self.0.run_in(head, &[&source], &list, "").await?;
        self.forget_digests(source, people).await
    }

    /// Makes the links what the plan says; gives those that others took the place of: (former external id, object).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn apply_plan(
        &mut self,
        plan: PlanId,
        source: &str,
        run: RunId,
    ) -> Result<Vec<(String, Uuid)>, StoreError> {
        // Each source has one link to an object: the former one goes first.
        let sql = "DELETE FROM links WHERE source = $2 AND kind = 'user' AND external_id IN (SELECT external_id \
                   FROM plan_links WHERE plan_id = $1 AND kind = 'user' AND digest = 'replaced') \
                   RETURNING external_id, object_id";
        let replaced = self.0.all(sql, &[&plan, &source]).await?;
        let sql = "INSERT INTO links (source, kind, external_id, object_id, dn, digest, run_id, dn_path) \
                   SELECT $2, kind, external_id, object_id, dn, digest, $3, dn_path FROM plan_links WHERE plan_id = $1 \
                   AND digest <> 'replaced' ON CONFLICT (source, kind, external_id) DO UPDATE SET dn = excluded.dn, digest = excluded.digest, \
                   run_id = excluded.run_id, dn_path = excluded.dn_path";
        self.0.run(sql, &[&plan, &source, &run]).await?;
        Ok(replaced)
    }
}
