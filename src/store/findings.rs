//! Findings: what could not be mapped, as of the last applied run.

use super::{Json, Param, StoreError, Tx};
use crate::model::{Finding, NewFinding, RunId};
use crate::time::Instant;

/// Store functions of findings.
#[derive(Debug)]
pub struct Findings<'a>(&'a mut Tx);

impl Tx {
    /// Findings.
    pub fn findings(&mut self) -> Findings<'_> {
        Findings(self)
    }
}

impl Findings<'_> {
    /// Findings of the source, by code and DN.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_source(&mut self, source: &str) -> Result<Vec<Finding>, StoreError> {
        let sql = "SELECT * FROM findings WHERE source = $1 ORDER BY code, dn";
        self.0.all(sql, &[&source]).await
    }

    /// Findings of the source about entries that are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_quarantined(&mut self, source: &str) -> Result<Vec<Finding>, StoreError> {
        self.0.all("SELECT * FROM findings WHERE source = $1 AND quarantined = $2", &[&source, &true]).await
    }

    /// Makes the findings about the entries `about` exactly these; those about others stay.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn merge(
        &mut self,
        source: &str,
        run: RunId,
        at: Instant,
        about: &[String],
        findings: &[NewFinding],
    ) -> Result<(), StoreError> {
        self.write(source, run, at, findings).await?;
        let list: Vec<&dyn Param> = about.iter().map(|id| -> &dyn Param { id }).collect();
        let head = "DELETE FROM findings WHERE source = $1 AND run_id <> $2 AND external_id";
        self.0.run_in(head, &[&source, &run], &list, "").await.map(drop)
    }

    /// Notes that the source's findings are what they were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seen_again(&mut self, source: &str, run: RunId, at: Instant) -> Result<(), StoreError> {
        let sql = "UPDATE findings SET run_id = $2, last_seen = $3 WHERE source = $1";
        self.0.run(sql, &[&source, &run, &at]).await.map(drop)
    }

    /// Makes the source's findings exactly these: known ones keep when they were first seen, others are gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replace(
        &mut self,
        source: &str,
        run: RunId,
        at: Instant,
        findings: &[NewFinding],
    ) -> Result<(), StoreError> {
        self.write(source, run, at, findings).await?;
        self.0.run("DELETE FROM findings WHERE source = $1 AND run_id <> $2", &[&source, &run]).await.map(drop)
    }

    async fn write(
        &mut self,
        source: &str,
        run: RunId,
        at: Instant,
        findings: &[NewFinding],
    ) -> Result<(), StoreError> {
        let arguments: Vec<_> = findings.iter().map(|finding| Json(&finding.arguments)).collect();
        let rows: Vec<Vec<&dyn Param>> = findings
            .iter()
            .zip(&arguments)
            .map(|(f, arguments)| -> Vec<&dyn Param> {
                vec![&source, &f.external_id, &f.code, &f.dn, arguments, &f.details, &f.quarantined, &run, &at, &at]
            })
            .collect();
        let head = "INSERT INTO findings (source, external_id, code, dn, arguments, details, quarantined, run_id, first_seen, last_seen)";
        let tail = "ON CONFLICT (source, external_id, code) DO UPDATE SET dn = excluded.dn, arguments = excluded.arguments, details = excluded.details, \
                    quarantined = excluded.quarantined, run_id = excluded.run_id, last_seen = excluded.last_seen";
        self.0.insert_rows(head, &rows, tail).await.map(drop)
    }
}
