//! The clock: passed in, so that tests own time.
//!
//! The only caller of the wall clock. Every instant is truncated to microseconds, which is what PostgreSQL keeps, so
//! that a value reads back equal from both databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, Utc};

/// An instant in UTC, whole microseconds.
pub type Instant = DateTime<Utc>;

/// A day of the calendar, in whatever zone it is written for.
pub type Date = chrono::NaiveDate;

/// The day that it is in the zone.
#[must_use]
pub fn date_in(at: Instant, zone: chrono_tz::Tz) -> Date {
    at.with_timezone(&zone).date_naive()
}

/// Where the current time comes from. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until [`Clock::advance`] moves it; microseconds since the epoch.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock standing at `at`.
    #[must_use]
    pub fn fixed(at: Instant) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.timestamp_micros())))
    }

    /// The current instant.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    pub fn now(&self) -> Instant {
        let micros = match self {
            Self::System => Utc::now().timestamp_micros(),
            Self::Fixed(micros) => micros.load(Ordering::SeqCst),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Moves a fixed clock forward; the machine's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Self::Fixed(micros) = self {
            micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
        }
    }
}

/// The last moment of a day in a zone; none for a day that the calendar cannot say.
#[must_use]
pub fn end_of_day(day: chrono::NaiveDate, zone: chrono_tz::Tz) -> Option<Instant> {
    let midnight = day.succ_opt()?.and_hms_opt(0, 0, 0)?;
    Some(midnight.and_local_timezone(zone).earliest()?.to_utc())
}
