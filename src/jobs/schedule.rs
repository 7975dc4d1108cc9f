//! Schedules: cron expressions with a time zone, and the loop that runs what is due.
//!
//! A due time is taken in the database by exactly one node. What was due while nobody ran is made up for once, at the
//! next start; a new schedule begins with its next due time.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use chrono_tz::Tz;
use croner::Cron;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::store::{Db, StoreError};
use crate::time::{Clock, Instant};

/// How often the loop looks at the clock.
const TICK: Duration = Duration::from_secs(5);

/// A schedule that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{expression}` is no cron expression: {cause}")]
pub struct ScheduleError {
    expression: String,
    cause: String,
}

/// When a job is due.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Cron,
    zone: Tz,
}

impl Schedule {
    /// Parses a cron expression of five fields.
    ///
    /// # Errors
    /// [`ScheduleError`], which quotes the expression.
    pub fn new(expression: &str, zone: Tz) -> Result<Self, ScheduleError> {
        let cron = expression.parse().map_err(|cause: croner::errors::CronError| ScheduleError {
            expression: expression.to_owned(),
            cause: cause.to_string(),
        })?;
        Ok(Self { cron, zone })
    }

    /// The first due time after `at`; none when it is never due again.
    #[must_use]
    pub fn next_after(&self, at: Instant) -> Option<Instant> {
        let next = self.cron.find_next_occurrence(&at.with_timezone(&self.zone), false).ok()?;
        Some(next.to_utc())
    }

    /// The last due time in `(after, until]`.
    fn last_due(&self, after: Instant, until: Instant) -> Option<Instant> {
        let first = self.next_after(after).filter(|due| *due <= until)?;
        let previous = self.cron.find_previous_occurrence(&until.with_timezone(&self.zone), true);
        Some(previous.map_or(first, |due| due.to_utc().max(first)))
    }
}

/// A boxed future of a job's work; it logs its own failures.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Something to do at certain times.
pub struct Job {
    /// Name, unique: one due time is run by one node.
    pub name: String,
    /// When.
    pub schedule: Schedule,
    /// What.
    pub work: Box<dyn Fn() -> Work + Send + Sync>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("name", &self.name).field("schedule", &self.schedule).finish_non_exhaustive()
    }
}

impl Job {
    /// Takes the due time, if there is one that no node has taken. A schedule seen for the first time counts from now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_due(&self, db: &Db, now: Instant) -> Result<bool, StoreError> {
        let last = db.read().await?.leases().last_due(&self.name).await?;
        let due = match last {
            Some(last) => self.schedule.last_due(last, now),
            None => Some(now),
        };
        let Some(due) = due else { return Ok(false) };
        let mut tx = db.write().await?;
        let is_ours = tx.leases().take_due(&self.name, due).await?;
        tx.commit().await?;
        Ok(is_ours && last.is_some())
    }
}

/// Runs the jobs when they are due, until `stop`; work under way is finished.
pub async fn run_jobs(db: Db, clock: Clock, jobs: Vec<Job>, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    while !stop.is_cancelled() {
        for job in &jobs {
            match job.take_due(&db, clock.now()).await {
                Ok(true) => drop(tasks.spawn((job.work)())),
                Ok(false) => {}
                Err(error) => tracing::error!(job = %job.name, %error, "a schedule could not be read"),
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
    tasks.close();
    tasks.wait().await;
}

#[cfg(test)]
mod tests {
    use super::Schedule;
    use crate::time::Instant;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn two_in_the_morning_is_two_in_the_zone() {
        let nightly = Schedule::new("0 2 * * *", chrono_tz::Asia::Shanghai).unwrap();
        assert_eq!(nightly.next_after(at("2026-11-22T01:00:00Z")), Some(at("2026-11-22T18:00:00Z")));
        assert_eq!(nightly.next_after(at("2026-11-22T18:00:00Z")), Some(at("2026-11-23T18:00:00Z")));
    }

    #[test]
    fn what_was_missed_is_due_once() {
        let nightly = Schedule::new("0 2 * * *", chrono_tz::Asia::Shanghai).unwrap();
        let (last, now) = (at("2026-11-20T18:00:00Z"), at("2026-11-23T05:00:00Z"));
        assert_eq!(nightly.last_due(last, now), Some(at("2026-11-22T18:00:00Z")));
        assert_eq!(nightly.last_due(at("2026-11-22T18:00:00Z"), now), None);
        assert_eq!(nightly.last_due(last, at("2026-11-21T18:00:00Z")), Some(at("2026-11-21T18:00:00Z")));
    }

    #[test]
    fn faults_are_quoted() {
        let error = Schedule::new("every night", chrono_tz::UTC).unwrap_err().to_string();
        assert!(error.starts_with("`every night` is no cron expression"), "{error}");
    }
}
