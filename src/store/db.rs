//! The database and its transactions: an enum over the two kinds, and four methods on it.
//!
//! [`Db::write`] opens a transaction (BEGIN IMMEDIATE on SQLite, one writer); [`Db::read`] takes a reader connection
//! without a transaction, on which SQLite refuses writes. Both give a [`Tx`], so a store function is written once.

use std::path::Path;
use std::str::FromStr as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, PgPool, Postgres, Sqlite, SqlitePool, Transaction};

use super::migrate::{Dialect, migrator};
use super::param::{postgres, sqlite};
use super::{Param, Row, StoreError};

/// Statements that a connection keeps prepared: those of requests come in several lengths.
const STATEMENTS: usize = 400;
/// Rows that SQLite's thread reads ahead of who takes them.
const ROWS_AHEAD: usize = 1_000;

/// A database: cheap to clone.
#[derive(Clone, Debug)]
pub enum Db {
    /// A SQLite file: one writer, several readers.
    Sqlite {
        /// The pool of one writing connection.
        writer: SqlitePool,
        /// The pool of connections that can only read.
        reader: SqlitePool,
    },
    /// A PostgreSQL server.
    Postgres(PgPool),
}

/// A connection on which store functions run: a transaction, or a reader outside of one. The second field tells
/// which cached answers the commit makes stale.
#[derive(Debug)]
pub struct Tx(pub(super) Link, Stale);

/// What a commit makes stale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stale {
    /// Nothing: only what is never kept was written.
    Nothing,
    /// What is known of people.
    People,
    /// That, and whether tokens are still alive.
    All,
}

/// Commits of this process that took something away.
static INVALIDATIONS: AtomicU64 = AtomicU64::new(0);

/// Commits of this process that may have changed what is known of people.
static CHANGES: AtomicU64 = AtomicU64::new(0);

/// Grows with every commit of this process but those of [`Tx::leaves_people_alone`]. What is kept of people counts only
/// while this number stands still.
pub(super) fn changes() -> u64 {
    CHANGES.load(Ordering::SeqCst)
}

/// Grows with every commit of this process that revoked or switched off something (see [`Tx::invalidates`]). A cache
/// of "is it still alive" keeps an answer only while this number stands still, and no longer than its own bound.
#[must_use]
pub fn invalidations() -> u64 {
    INVALIDATIONS.load(Ordering::SeqCst)
}

#[derive(Debug)]
pub(super) enum Link {
    SqliteTx(Transaction<'static, Sqlite>),
    PostgresTx(Transaction<'static, Postgres>),
    SqliteReader(PoolConnection<Sqlite>),
    PostgresReader(PoolConnection<Postgres>),
}

/// Runs `$call` on the right driver: `$build` makes the arguments, `$conn` is the connection.
macro_rules! on {
    ($self:expr, |$conn:ident, $args:ident| $call:expr) => {
        match &mut $self.0 {
            Link::SqliteTx(tx) => {
                let ($conn, $args) = (&mut **tx, sqlite);
                $call
            }
            Link::PostgresTx(tx) => {
                let ($conn, $args) = (&mut **tx, postgres);
                $call
            }
            Link::SqliteReader(c) => {
                let ($conn, $args) = (&mut **c, sqlite);
                $call
            }
            Link::PostgresReader(c) => {
                let ($conn, $args) = (&mut **c, postgres);
                $call
            }
        }
    };
}

pub(super) use on;

impl Db {
    /// Opens the database of `url` (`sqlite://FILE` or `postgres://…`), creating the SQLite file where it is missing.
    ///
    /// # Errors
    /// An unknown URL, or a database that cannot be reached.
    pub async fn open(url: &str, connections: u32) -> Result<Self, StoreError> {
        if let Some(file) = url.strip_prefix("sqlite://") {
            Self::open_sqlite(Path::new(file), connections).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url)?
                .application_name("yaopai")
                .statement_cache_capacity(STATEMENTS)
                .disable_statement_logging();
            let pool = PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(Duration::from_secs(10))
                .connect_with(options);
            Ok(Self::Postgres(pool.await?))
        } else {
            Err(StoreError::Url(url.to_owned()))
        }
    }

    async fn open_sqlite(file: &Path, connections: u32) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            // Rows cross from SQLite's thread to ours in a channel: a small one is two thread switches each few rows.
            .row_buffer_size(ROWS_AHEAD)
            .statement_cache_capacity(STATEMENTS)
            .pragma("cache_size", "-16000")
            // A bulk statement is a megabyte of placeholders: no log wants it.
            .disable_statement_logging();
        // A file does not hang up: asking each connection whether it still lives would double the thread switches.
        let pool = || SqlitePoolOptions::new().test_before_acquire(false);
        let writer = pool().max_connections(1).connect_with(options.clone()).await?;
        let reader =
            pool().max_connections(connections.max(1)).connect_with(options.pragma("query_only", "on")).await?;
        Ok(Self::Sqlite { writer, reader })
    }

    /// Brings the schema up to date. Safe to call on every start and from several nodes.
    ///
    /// # Errors
    /// A migration that fails, or a database that is newer than this program.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { writer, .. } => migrator(Dialect::Sqlite).run(writer).await?,
            Self::Postgres(pool) => migrator(Dialect::Postgres).run(pool).await?,
        }
        Ok(())
    }

    /// Opens a transaction that may write. Dropped without [`Tx::commit`], it is rolled back.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let link = match self {
            Self::Sqlite { writer, .. } => Link::SqliteTx(writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Link::PostgresTx(pool.begin().await?),
        };
        Ok(Tx(link, Stale::People))
    }

    /// Takes a connection for reading, each statement on its own.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let link = match self {
            Self::Sqlite { reader, .. } => Link::SqliteReader(reader.acquire().await?),
            Self::Postgres(pool) => Link::PostgresReader(pool.acquire().await?),
        };
        Ok(Tx(link, Stale::People))
    }

    /// Closes every connection; SQLite folds its write-ahead log into the file.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, reader } => {
                reader.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// What work cost a database.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// Statements that were sent.
    pub statements: u64,
    /// Rows that were read.
    pub rows: u64,
}

tokio::task_local! {
    /// The cost of a task that is counted.
    static COUNTED: std::cell::Cell<Cost>;
}

/// Runs something and counts what it asks of a database by itself, without the tasks that it spawns.
pub async fn counted<F: Future>(work: F) -> (F::Output, Cost) {
    let counting = async {
        let output = work.await;
        (output, COUNTED.with(std::cell::Cell::get))
    };
    COUNTED.scope(std::cell::Cell::new(Cost::default()), counting).await
}

/// Counts a statement where somebody counts.
pub(super) fn count() {
    add(|cost| Cost { statements: cost.statements + 1, ..cost });
}

/// Counts the rows that a statement brought.
pub(super) fn count_rows<T>(rows: &[T]) {
    add(|cost| Cost { rows: cost.rows + u64::try_from(rows.len()).unwrap_or(u64::MAX), ..cost });
}

fn add(more: impl FnOnce(Cost) -> Cost) {
    // Elsewhere nobody asks.
    let _ = COUNTED.try_with(|counted| counted.set(more(counted.get())));
}

impl Tx {
    /// The first row, where there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn optional<T: Row>(
        &mut self,
        sql: &'static str,
        params: &[&dyn Param],
    ) -> Result<Option<T>, StoreError> {
        count();
        on!(self, |conn, args| sqlx::query_as_with(sql, args(params)?).fetch_optional(conn).await).map_err(Into::into)
    }

    /// The one row.
    ///
    /// # Errors
    /// When there is none, or the database fails.
    pub async fn one<T: Row>(&mut self, sql: &'static str, params: &[&dyn Param]) -> Result<T, StoreError> {
        count();
        on!(self, |conn, args| sqlx::query_as_with(sql, args(params)?).fetch_one(conn).await).map_err(Into::into)
    }

    /// Every row.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all<T: Row>(&mut self, sql: &'static str, params: &[&dyn Param]) -> Result<Vec<T>, StoreError> {
        count();
        let rows = on!(self, |conn, args| sqlx::query_as_with(sql, args(params)?).fetch_all(conn).await)?;
        count_rows(&rows);
        Ok(rows)
    }

    /// Runs a statement and tells how many rows it touched.
    ///
    /// # Errors
    /// When the database fails, [`StoreError::Conflict`] when a unique key is taken.
    pub async fn run(&mut self, sql: &'static str, params: &[&dyn Param]) -> Result<u64, StoreError> {
        count();
        on!(self, |conn, args| sqlx::query_with(sql, args(params)?)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Into::into)
    }

    /// Notes that this transaction revokes, ends or switches off something, so that its commit empties the caches of
    /// this process. Every store function that does such a thing calls it.
    pub fn invalidates(&mut self) {
        self.1 = Stale::All;
    }

    /// Notes that this transaction writes nothing that is known of people, but tokens, codes and the audit log.
    pub(super) fn leaves_people_alone(&mut self) {
        if self.1 == Stale::People {
            self.1 = Stale::Nothing;
        }
    }

    /// Commits what [`Db::write`] opened. On a reader it does nothing.
    ///
    /// # Errors
    /// When the database refuses; nothing was written then.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.0 {
            Link::SqliteTx(tx) => tx.commit().await?,
            Link::PostgresTx(tx) => tx.commit().await?,
            Link::SqliteReader(_) | Link::PostgresReader(_) => return Ok(()),
        }
        if self.1 != Stale::Nothing {
            CHANGES.fetch_add(1, Ordering::SeqCst);
        }
        if self.1 == Stale::All {
            INVALIDATIONS.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}
