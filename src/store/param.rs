//! Parameters and rows that both databases understand.

use sqlx::encode::IsNull;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{Arguments, Encode, FromRow, Type};

use super::StoreError;

/// A value that both databases can store. Implemented for every type that sqlx can encode for both.
pub trait Param: Send + Sync {
    /// Adds the value to a SQLite statement's arguments.
    ///
    /// # Errors
    /// When the value cannot be encoded.
    fn add_sqlite(&self, to: &mut SqliteArguments) -> Result<(), StoreError>;
    /// Adds the value to a PostgreSQL statement's arguments.
    ///
    /// # Errors
    /// When the value cannot be encoded.
    fn add_postgres(&self, to: &mut PgArguments) -> Result<(), StoreError>;
    /// Writes the bytes of the value as PostgreSQL takes them, or tells that it is NULL.
    ///
    /// # Errors
    /// When the value cannot be encoded.
    fn put_postgres(&self, to: &mut PgArgumentBuffer) -> Result<IsNull, StoreError>;
}

impl<T> Param for T
where
    T: for<'q> Encode<'q, Sqlite> + for<'q> Encode<'q, Postgres> + Type<Sqlite> + Type<Postgres> + Send + Sync,
{
    fn add_sqlite(&self, to: &mut SqliteArguments) -> Result<(), StoreError> {
        Arguments::add(to, self).map_err(|error| StoreError::Encode(error.to_string()))
    }

    fn add_postgres(&self, to: &mut PgArguments) -> Result<(), StoreError> {
        Arguments::add(to, self).map_err(|error| StoreError::Encode(error.to_string()))
    }

    fn put_postgres(&self, to: &mut PgArgumentBuffer) -> Result<IsNull, StoreError> {
        <T as Encode<'_, Postgres>>::encode_by_ref(self, to).map_err(|error| StoreError::Encode(error.to_string()))
    }
}

/// A row that both databases can give.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

/// The arguments of a SQLite statement.
pub(super) fn sqlite(params: &[&dyn Param]) -> Result<SqliteArguments, StoreError> {
    let mut arguments = SqliteArguments::default();
    params.iter().try_for_each(|param| param.add_sqlite(&mut arguments))?;
    Ok(arguments)
}

/// The arguments of a PostgreSQL statement.
pub(super) fn postgres(params: &[&dyn Param]) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    params.iter().try_for_each(|param| param.add_postgres(&mut arguments))?;
    Ok(arguments)
}
