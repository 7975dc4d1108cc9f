//! Findings: what could not be mapped, as of the last applied run; a work list with owner and state.

use std::collections::HashSet;

use super::{Json, Param, StoreError, Tx};
use crate::model::{Finding, FindingState, NewFinding, RunId};
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
    /// Findings of the source that are not resolved, by code and DN.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_source(&mut self, source: &str) -> Result<Vec<Finding>, StoreError> {
        let sql = "SELECT * FROM findings WHERE source = $1 AND state <> 'resolved' ORDER BY code, dn";
        self.0.all(sql, &[&source]).await
    }

    /// Findings of the source about entries that are left out, or were not returned and may be kept all the same.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_kept(&mut self, source: &str) -> Result<Vec<Finding>, StoreError> {
        let sql = "SELECT * FROM findings WHERE source = $1 AND state <> 'resolved' AND (quarantined = $2 \
                   OR code IN ('protected_login', 'seen_again', 'moved_out_of_scope'))";
        self.0.all(sql, &[&source, &true]).await
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
        let head = "UPDATE findings SET state = 'resolved', resolved_at = $3 \
                    WHERE source = $1 AND run_id <> $2 AND state <> 'resolved' AND external_id";
        self.0.run_in(head, &[&source, &run, &at], &list, "").await.map(drop)
    }

    /// Notes that the source's findings are what they were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seen_again(&mut self, source: &str, run: RunId, at: Instant) -> Result<(), StoreError> {
        let sql = "UPDATE findings SET run_id = $2, last_seen = $3, \
                   state = CASE WHEN state = 'accepted' AND accepted_until <= $3 THEN 'open' ELSE state END \
                   WHERE source = $1 AND state <> 'resolved'";
        self.0.run(sql, &[&source, &run, &at]).await.map(drop)
    }

    /// A page of the work list, of one source and state or of all, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        &mut self,
        source: Option<&str>,
        state: Option<FindingState>,
        (limit, offset): (i64, i64),
    ) -> Result<Vec<Finding>, StoreError> {
        let (source, state) = (source.map(str::to_owned), state.map(|state| state.to_string()));
        let sql = "SELECT * FROM findings WHERE ($1 IS NULL OR source = $1) AND ($2 IS NULL OR state = $2) \
                   ORDER BY quarantined DESC, code, first_seen, source, dn, external_id LIMIT $3 OFFSET $4";
        self.0.all(sql, &[&source, &state, &limit, &offset]).await
    }

    /// How many findings there are of each source and state.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&mut self) -> Result<Vec<(String, FindingState, i64)>, StoreError> {
        self.0
            .all("SELECT source, state, COUNT(*) FROM findings GROUP BY source, state ORDER BY source, state", &[])
            .await
    }

    /// Gives findings of an entry (its id or DN; of one code or all) to somebody, or to nobody. Tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn assign(
        &mut self,
        (source, entry, code): (&str, &str, Option<&str>),
        owner: Option<&str>,
    ) -> Result<u64, StoreError> {
        let (code, owner) = (code.map(str::to_owned), owner.map(str::to_owned));
        let sql = "UPDATE findings SET owner = $4 WHERE source = $1 AND (external_id = $2 OR dn = $2) \
                   AND ($3 IS NULL OR code = $3) AND state <> 'resolved'";
        self.0.run(sql, &[&source, &entry, &code, &owner]).await
    }

    /// Accepts findings of an entry until a date. Tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accept(
        &mut self,
        (source, entry, code): (&str, &str, Option<&str>),
        (by, reason, until): (&str, &str, Instant),
    ) -> Result<u64, StoreError> {
        let code = code.map(str::to_owned);
        let sql = "UPDATE findings SET state = 'accepted', accepted_by = $4, reason = $5, accepted_until = $6 \
                   WHERE source = $1 AND (external_id = $2 OR dn = $2) AND ($3 IS NULL OR code = $3) AND state <> 'resolved'";
        self.0.run(sql, &[&source, &entry, &code, &by, &reason, &until]).await
    }

    /// Takes accepted findings of an entry up again. Tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reopen(&mut self, (source, entry, code): (&str, &str, Option<&str>)) -> Result<u64, StoreError> {
        let code = code.map(str::to_owned);
        let sql = "UPDATE findings SET state = 'open', accepted_by = NULL, reason = NULL, accepted_until = NULL \
                   WHERE source = $1 AND (external_id = $2 OR dn = $2) AND ($3 IS NULL OR code = $3) AND state = 'accepted'";
        self.0.run(sql, &[&source, &entry, &code]).await
    }

    /// Forgets findings that were resolved before, a batch. Tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant, batch: i64) -> Result<u64, StoreError> {
        let sql = "DELETE FROM findings WHERE state = 'resolved' AND (source, external_id, code) IN \
                   (SELECT source, external_id, code FROM findings WHERE state = 'resolved' AND resolved_at < $1 LIMIT $2)";
        self.0.run(sql, &[&before, &batch]).await
    }

    /// Makes the source's open findings exactly these: known ones keep owner, state and when they were first seen; what
    /// was accepted and whose time is up is open again; the others are resolved.
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
        let sql = "UPDATE findings SET state = 'resolved', resolved_at = $3 \
                   WHERE source = $1 AND run_id <> $2 AND state <> 'resolved'";
        self.0.run(sql, &[&source, &run, &at]).await.map(drop)
    }

    async fn write(
        &mut self,
        source: &str,
        run: RunId,
        at: Instant,
        findings: &[NewFinding],
    ) -> Result<(), StoreError> {
        // An entry can have the same fault twice; the list holds it once.
        let mut seen = HashSet::new();
        let findings: Vec<&NewFinding> =
            findings.iter().filter(|finding| seen.insert((&finding.external_id, &finding.code))).collect();
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
                    quarantined = excluded.quarantined, run_id = excluded.run_id, last_seen = excluded.last_seen, resolved_at = NULL, \
                    first_seen = CASE WHEN findings.state = 'resolved' THEN excluded.first_seen ELSE findings.first_seen END, \
                    state = CASE WHEN findings.state = 'accepted' AND findings.accepted_until > excluded.last_seen \
                    THEN 'accepted' ELSE 'open' END";
        self.0.insert_rows(head, &rows, tail).await.map(drop)
    }
}
