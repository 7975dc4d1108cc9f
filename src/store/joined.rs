//! Statements that cross to SQLite's thread together.
//!
//! Each SQLite connection works on a thread of its own, and waking it and being woken costs more than most statements.
//! So where nothing has to be decided between statements, they go as one text. Only for what requests write together:
//! elsewhere it is not worth a second way.

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Sqlite, SqlitePool};

use super::bulk::placeholders;
use super::{Param, StoreError};

/// Statements of at most so many values stay prepared; longer ones are as good as never seen again.
const PREPARED: usize = 640;

/// Statements with their values.
#[derive(Default)]
pub(super) struct Joined {
    sql: String,
    arguments: SqliteArguments,
}

impl Joined {
    /// Adds a statement without values.
    pub fn add(&mut self, sql: &str) {
        self.sql.push_str(sql);
        self.sql.push(';');
    }

    /// Adds `{head} (?, …) {tail}`, where the places of `head` are `$1…`, given in `fixed`.
    pub fn add_in(
        &mut self,
        head: &str,
        fixed: &[&dyn Param],
        list: &[&dyn Param],
        tail: &str,
    ) -> Result<(), StoreError> {
        // Lists of a few lengths only, so that statements stay prepared: the last value again fills up.
        let filling = list.last().into_iter().cycle().take(list.len().next_power_of_two() - list.len());
        let list: Vec<&dyn Param> = list.iter().chain(filling).copied().collect();
        self.text(head, fixed)?;
        self.sql.push_str(" IN ");
        self.rows(&[list])?;
        self.sql.push(' ');
        self.add(tail);
        Ok(())
    }

    /// Adds `{head} VALUES (?, …), … {tail}`; nothing where there are no rows.
    pub fn add_rows(&mut self, head: &str, rows: &[Vec<&dyn Param>], tail: &str) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.sql.push_str(head);
        self.sql.push_str(" VALUES ");
        self.rows(rows)?;
        self.sql.push(' ');
        self.add(tail);
        Ok(())
    }

    /// Adds a statement whose places are `$1…`.
    pub fn add_with(&mut self, sql: &str, params: &[&dyn Param]) -> Result<(), StoreError> {
        self.text(sql, params)?;
        self.sql.push(';');
        Ok(())
    }

    fn rows(&mut self, rows: &[Vec<&dyn Param>]) -> Result<(), StoreError> {
        placeholders(&mut self.sql, rows.len(), rows.first().map_or(0, Vec::len), false);
        rows.iter().flatten().try_for_each(|param| param.add_sqlite(&mut self.arguments))
    }

    /// Numbered places would count through all statements: each becomes the next one.
    fn text(&mut self, sql: &str, params: &[&dyn Param]) -> Result<(), StoreError> {
        let mut parts = sql.split('$');
        self.sql.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = part.split_at(digits);
            let param = number.parse::<usize>().ok().and_then(|number| params.get(number.checked_sub(1)?));
            param
                .ok_or_else(|| StoreError::Encode(format!("no value for ${number}")))?
                .add_sqlite(&mut self.arguments)?;
            self.sql.push('?');
            self.sql.push_str(rest);
        }
        Ok(())
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.sql.is_empty()
    }
}

/// A transaction of joined statements. What is not finished is taken back.
#[derive(Debug)]
pub(super) struct JoinedTx(Option<PoolConnection<Sqlite>>);

impl JoinedTx {
    /// Takes the writer. The transaction begins with the statements: `BEGIN IMMEDIATE` comes first, `COMMIT` last.
    pub async fn on(writer: &SqlitePool) -> Result<Self, StoreError> {
        Ok(Self(Some(writer.acquire().await?)))
    }

    /// Does all of it; the rows of every statement, in order.
    pub async fn run(&mut self, joined: Joined) -> Result<Vec<SqliteRow>, StoreError> {
        super::db::count();
        let Some(connection) = &mut self.0 else { return Err(StoreError::Interrupted) };
        let stays = joined.arguments.len() <= PREPARED;
        let query = sqlx::query_with(AssertSqlSafe(joined.sql), joined.arguments).persistent(stays);
        Ok(query.fetch_all(&mut **connection).await?)
    }

    /// Does the last of it, with its `COMMIT`.
    pub async fn finish(mut self, mut joined: Joined) -> Result<(), StoreError> {
        joined.add("COMMIT");
        self.run(joined).await?;
        self.0 = None;
        Ok(())
    }
}

impl Drop for JoinedTx {
    fn drop(&mut self) {
        let Some(mut connection) = self.0.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            connection.close_on_drop();
            return;
        };
        // Nobody has the connection before that is done: there is one writer.
        runtime.spawn(async move {
            // It may be over already: where it could not begin, or SQLite took it back.
            if sqlx::query("ROLLBACK").execute(&mut *connection).await.is_err() {
                connection.close_on_drop();
            }
        });
    }
}
