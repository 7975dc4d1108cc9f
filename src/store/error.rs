//! What can go wrong in the store.

/// A failure of the store. Callers tell conflicts apart; everything else is "the database failed".
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique key was violated.
    #[error("the row exists already")]
    Conflict(#[source] sqlx::Error),
    /// The database URL names no database we know.
    #[error("`{0}` is not a database URL: use sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE")]
    Url(String),
    /// A migration could not be applied.
    #[error("the database could not be migrated")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A value could not be encoded as a parameter.
    #[error("a value could not be stored: {0}")]
    Encode(String),
    /// Written together with others, and all of it failed.
    #[error(transparent)]
    Shared(std::sync::Arc<StoreError>),
    /// The task that was writing ended before it was done.
    #[error("writing was interrupted")]
    Interrupted,
    /// Anything else the driver reports.
    #[error("the database failed")]
    Driver(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(db) if db.is_unique_violation() => Self::Conflict(error),
            _ => Self::Driver(error),
        }
    }
}
