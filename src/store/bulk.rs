//! Set-based statements: many rows in one statement, in chunks that both databases accept.
//!
//! The text is built from constant parts and placeholders only; values are always bound.

use std::fmt::Write as _;

use sqlx::AssertSqlSafe;

use super::db::{Link, count, count_rows, on};
use super::param::{postgres, sqlite};
use super::{Param, Row, StoreError, Tx, copy};

/// Parameters of one statement: SQLite allows 32,766, PostgreSQL 65,535.
const MAX_PARAMS: usize = 30_000;
/// Rows of one statement: beyond a thousand nothing is gained.
const MAX_ROWS: usize = 1_000;
/// Statements of at most so many rows stay prepared, and those of a whole chunk: what requests of one moment write
/// together, and what an import repeats. The others are as good as never seen again.
const PREPARED_ROWS: usize = 64;
/// Rows that callers make ready at once: what is made ready for a statement is several times the size of the row.
pub const PORTION: usize = 4_000;
/// So many rows go into PostgreSQL by COPY.
const MANY: usize = 200;

impl Tx {
    /// `{head} VALUES ($1, $2 …), (…) {tail}`, in chunks; tells how many rows were touched.
    ///
    /// `head` and `tail` hold no placeholders of their own: SQLite gets `?` for each value, since it looks a numbered
    /// parameter up among all others, which takes seconds for an import. `head` is like `INSERT INTO t (a, b)`, `tail` like `ON CONFLICT … DO UPDATE …` or empty.
    ///
    /// # Errors
    /// When the database fails, [`StoreError::Conflict`] when a unique key is taken.
    pub async fn insert_rows(
        &mut self,
        head: &'static str,
        rows: &[Vec<&dyn Param>],
        tail: &'static str,
    ) -> Result<u64, StoreError> {
        let Some(columns) = rows.first().map(Vec::len) else { return Ok(0) };
        if let (Link::PostgresTx(c), Some(target)) = (&mut self.0, head.strip_prefix("INSERT INTO "))
            && rows.len() >= MANY
        {
            return copy::insert(c, target, rows, tail).await;
        }
        let mut touched = 0;
        let whole = (MAX_PARAMS / columns.max(1)).clamp(1, MAX_ROWS);
        for chunk in rows.chunks(whole) {
            let mut sql = format!("{head} VALUES ");
            placeholders(&mut sql, chunk.len(), columns, self.is_postgres());
            let _ = write!(sql, " {tail}");
            let params: Vec<&dyn Param> = chunk.iter().flatten().copied().collect();
            let stays = chunk.len() <= PREPARED_ROWS || chunk.len() == whole;
            touched += self.run_text(sql, &params, stays).await?;
        }
        Ok(touched)
    }

    /// `{head} IN ($1, $2 …) {tail}`, in chunks; `fixed` parameters come first, as `$1…`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_in(
        &mut self,
        head: &'static str,
        fixed: &[&dyn Param],
        list: &[&dyn Param],
        tail: &'static str,
    ) -> Result<u64, StoreError> {
        let mut touched = 0;
        for chunk in list.chunks(MAX_ROWS) {
            let (sql, params) = in_list(head, fixed, chunk, tail);
            touched += self.run_text(sql, &params, true).await?;
        }
        Ok(touched)
    }

    /// Like [`Tx::run_in`], for rows. The order holds within a chunk only.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all_in<T: Row>(
        &mut self,
        head: &'static str,
        fixed: &[&dyn Param],
        list: &[&dyn Param],
        tail: &'static str,
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        for chunk in list.chunks(MAX_ROWS) {
            let (sql, params) = in_list(head, fixed, chunk, tail);
            rows.extend(self.all_text::<T>(sql, &params).await?);
        }
        Ok(rows)
    }

    const fn is_postgres(&self) -> bool {
        matches!(self.0, Link::PostgresTx(_) | Link::PostgresReader(_))
    }

    /// Runs a statement whose text was put together; `stays` prepared or not.
    pub(super) async fn run_text(
        &mut self,
        sql: String,
        params: &[&dyn Param],
        stays: bool,
    ) -> Result<u64, StoreError> {
        count();
        let sql = AssertSqlSafe(sql);
        Ok(on!(self, |conn, args| sqlx::query_with(sql, args(params)?)
            .persistent(stays)
            .execute(conn)
            .await?
            .rows_affected()))
    }

    pub(super) async fn all_text<T: Row>(&mut self, sql: String, params: &[&dyn Param]) -> Result<Vec<T>, StoreError> {
        count();
        let sql = AssertSqlSafe(sql);
        let rows = on!(self, |conn, args| sqlx::query_as_with(sql, args(params)?).fetch_all(conn).await?);
        count_rows(&rows);
        Ok(rows)
    }
}

pub(super) fn placeholders(sql: &mut String, rows: usize, columns: usize, are_numbered: bool) {
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=columns {
            sql.push_str(if column == 1 { "" } else { ", " });
            if are_numbered {
                let _ = write!(sql, "${}", row * columns + column);
            } else {
                sql.push('?');
            }
        }
        sql.push(')');
    }
}

fn in_list<'p>(
    head: &'static str,
    fixed: &[&'p dyn Param],
    list: &[&'p dyn Param],
    tail: &'static str,
) -> (String, Vec<&'p dyn Param>) {
    // Lists of a few lengths only, so that statements stay prepared: the last value again fills up.
    let places = list.len().next_power_of_two();
    let mut sql = format!("{head} IN (");
    for place in 1..=places {
        let comma = if place == 1 { "" } else { ", " };
        let _ = write!(sql, "{comma}${}", fixed.len() + place);
    }
    let _ = write!(sql, ") {tail}");
    let filling = list.last().into_iter().cycle().take(places - list.len());
    (sql, fixed.iter().chain(list).chain(filling).copied().collect())
}
