//! Reports on their way: queued once for each occasion, taken by one node, kept until they are delivered or given up.

use serde_json::Value;
use uuid::Uuid;

use super::{Json, Param, StoreError, Tx};
use crate::model::{Run, RunId, RunState};
use crate::time::Instant;

/// A report on its way.
#[derive(Clone, PartialEq, Debug, sqlx::FromRow)]
pub struct ReportDelivery {
    /// Id; what a receiver knows a repetition by.
    pub id: Uuid,
    /// Name of the `[[report]]`.
    pub report: String,
    /// `mail` or `webhook`.
    pub channel: String,
    /// What it tells of: a run and its state, or a due time.
    pub occasion: String,
    /// Subject, texts, runs.
    pub body: Json<Value>,
    /// When queued.
    pub created_at: Instant,
    /// When it is tried next.
    pub due_at: Instant,
    /// How often it was tried, this time included.
    pub attempts: i64,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// When it was delivered, or given up.
    pub done_at: Option<Instant>,
}

/// Store functions of reports on their way.
#[derive(Debug)]
pub struct ReportDeliveries<'a>(&'a mut Tx);

impl Tx {
    /// Reports on their way.
    pub fn report_deliveries(&mut self) -> ReportDeliveries<'_> {
        ReportDeliveries(self)
    }
}

impl ReportDeliveries<'_> {
    /// Runs that ended, or ended otherwise, since they were last told of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn untold(&mut self, limit: i64) -> Result<Vec<Run>, StoreError> {
        let sql = "SELECT * FROM runs WHERE state <> 'running' AND (reported_state IS NULL OR reported_state <> state) \
                   ORDER BY started_at LIMIT $1";
        self.0.all(sql, &[&limit]).await
    }

    /// Notes what was told of a run.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn told(&mut self, run: RunId, state: RunState) -> Result<(), StoreError> {
        self.0.run("UPDATE runs SET reported_state = $2 WHERE id = $1", &[&run, &state]).await.map(drop)
    }

    /// Queues reports; those that are queued for their occasion already are left alone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue(&mut self, all: &[ReportDelivery]) -> Result<u64, StoreError> {
        let rows: Vec<Vec<&dyn Param>> = all
            .iter()
            .map(|d| -> Vec<&dyn Param> {
                vec![&d.id, &d.report, &d.channel, &d.occasion, &d.body, &d.created_at, &d.due_at, &d.attempts]
            })
            .collect();
        let head = "INSERT INTO report_deliveries (id, report, channel, occasion, body, created_at, due_at, attempts)";
        self.0.insert_rows(head, &rows, "ON CONFLICT (report, channel, occasion) DO NOTHING").await
    }

    /// Takes due reports until `until`: each goes to one caller.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take(&mut self, now: Instant, until: Instant, limit: i64) -> Result<Vec<ReportDelivery>, StoreError> {
        let sql = "UPDATE report_deliveries SET due_at = $2, attempts = attempts + 1 \
                   WHERE done_at IS NULL AND due_at <= $1 AND id IN (SELECT id FROM report_deliveries \
                   WHERE done_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT $3) RETURNING *";
        self.0.all(sql, &[&now, &until, &limit]).await
    }

    /// Notes that a report was delivered, or (with an error) given up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish(&mut self, id: Uuid, at: Instant, error: Option<&str>) -> Result<(), StoreError> {
        let error = error.map(str::to_owned);
        let sql = "UPDATE report_deliveries SET done_at = $2, last_error = $3 WHERE id = $1";
        self.0.run(sql, &[&id, &at, &error]).await.map(drop)
    }

    /// Puts a report back, to be tried again at `due`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_back(&mut self, id: Uuid, due: Instant, error: &str) -> Result<(), StoreError> {
        let sql = "UPDATE report_deliveries SET due_at = $2, last_error = $3 WHERE id = $1";
        self.0.run(sql, &[&id, &due, &error]).await.map(drop)
    }

    /// The last due time of a report that was queued.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_due(&mut self, report: &str) -> Result<Option<Instant>, StoreError> {
        let sql = "SELECT last_due FROM report_times WHERE report = $1";
        Ok(self.0.optional::<(Instant,)>(sql, &[&report]).await?.map(|row| row.0))
    }

    /// Notes that a due time was queued.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_due(&mut self, report: &str, due: Instant) -> Result<(), StoreError> {
        let sql = "INSERT INTO report_times (report, last_due) VALUES ($1, $2) \
                   ON CONFLICT (report) DO UPDATE SET last_due = excluded.last_due";
        self.0.run(sql, &[&report, &due]).await.map(drop)
    }

    /// Forgets reports that were done before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&mut self, before: Instant) -> Result<u64, StoreError> {
        self.0.run("DELETE FROM report_deliveries WHERE done_at < $1", &[&before]).await
    }
}
