//! Migrations, embedded: every file exists twice, once per database, same name and same shape.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

macro_rules! migrations {
    ($($name:literal),* $(,)?) => {
        /// (name, SQLite text, PostgreSQL text), in order.
        pub const MIGRATIONS: &[(&str, &str, &str)] = &[$((
            $name,
            include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            include_str!(concat!("../../migrations/postgres/", $name, ".sql")),
        )),*];
    };
}

migrations! {
    "0001_directory",
    "0002_sync",
    "0003_login",
    "0004_oidc",
    "0005_audit",
    "0006_jobs",
    "0007_grant_details",
    "0010_settled",
    "0030_pushed_requests",
    "0035_consents",
    "0036_test_logins",
    "0040_proof",
    "0045_access_tokens",
    "0046_purge_indexes",
    "0050_decoupled",
    "0051_secret_overlap",
    "0052_registration",
    "0053_assertions",
    "0055_logout",
    "0056_revocations",
    "0060_old_sealed_secrets",
    "0061_master_key",
    "0062_purge_indexes",
    "0070_document_texts",
    "0071_change_log_index",
    "0073_increments",
    "0077_contributions",
    "0082_plan_lifecycle",
    "0083_work_list",
    "0084_reports",
    "0087_organisation",
    "0088_links_by_path",
    "0100_pings",
}

/// Which of the twins to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The first text.
    Sqlite,
    /// The second text.
    Postgres,
}

/// The migrator of one database kind.
pub(super) fn migrator(dialect: Dialect) -> Migrator {
    let migrations = MIGRATIONS.iter().map(|(name, sqlite, postgres)| {
        // The number at the front of the name; there may be gaps.
        let version =
            name.bytes().take_while(u8::is_ascii_digit).fold(0, |all, digit| all * 10 + i64::from(digit - b'0'));
        let text = if dialect == Dialect::Sqlite { *sqlite } else { *postgres };
        Migration::new(version, Cow::Borrowed(*name), MigrationType::Simple, text.into_sql_str(), false)
    });
    Migrator { migrations: migrations.collect(), ..Migrator::DEFAULT }
}
