//! Migration twins: the same files for both databases, and the same schema once they have run.

use std::collections::BTreeSet;

use yaopai::store::{Db, MIGRATIONS, Tx};

use super::hold;
use super::tree;
use crate::harness::{Kind, database};

/// (name of the fact, SQL on SQLite, SQL on PostgreSQL): each row is one line of text that must stand on both sides.
const FACTS: &[(&str, &str, &str)] = &[
    (
        "column",
        "SELECT m.name || '.' || p.name || ' at ' || p.cid || ' ' || p.type
            || CASE WHEN p.\"notnull\" = 1 OR p.pk > 0 THEN ' not null' ELSE '' END
            || CASE WHEN p.pk > 0 THEN ' primary key' WHEN p.dflt_value IS NOT NULL THEN ' default' ELSE '' END
         FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'",
        "SELECT c.table_name || '.' || c.column_name || ' at ' || (c.ordinal_position - 1) || ' '
            || CASE c.data_type WHEN 'uuid' THEN 'BLOB' WHEN 'bytea' THEN 'BLOB' WHEN 'bigint' THEN 'INTEGER'
               WHEN 'boolean' THEN 'INTEGER' WHEN 'double precision' THEN 'REAL' WHEN 'text' THEN 'TEXT'
               WHEN 'date' THEN 'TEXT'
               WHEN 'jsonb' THEN 'TEXT' WHEN 'json' THEN 'TEXT' WHEN 'timestamp with time zone' THEN 'TEXT' ELSE c.data_type END
            || CASE WHEN c.is_nullable = 'NO' THEN ' not null' ELSE '' END
            || CASE WHEN k.column_name IS NOT NULL THEN ' primary key'
               WHEN c.column_default IS NOT NULL THEN ' default' ELSE '' END
         FROM information_schema.columns c
         LEFT JOIN (information_schema.table_constraints t JOIN information_schema.key_column_usage k
                    ON k.constraint_name = t.constraint_name AND t.constraint_type = 'PRIMARY KEY')
             ON k.table_name = c.table_name AND k.column_name = c.column_name
         WHERE c.table_schema = 'public'",
    ),
    (
        "index",
        "SELECT i.name || ' on ' || m.name || '(' || (SELECT group_concat(coalesce(c.name, '…'), ',')
             FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno) c) || ')'
             || CASE WHEN i.\"unique\" = 1 THEN ' unique' ELSE '' END
             || CASE WHEN i.partial = 1 THEN ' partial' ELSE '' END
         FROM sqlite_master m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND i.origin = 'c'",
        "SELECT c.relname || ' on ' || t.relname || '(' || (SELECT string_agg(coalesce(a.attname, '…'), ',' ORDER BY k.n)
             FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
             LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum AND k.attnum > 0) || ')'
             || CASE WHEN i.indisunique THEN ' unique' ELSE '' END
             || CASE WHEN i.indpred IS NOT NULL THEN ' partial' ELSE '' END
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
         JOIN pg_namespace n ON n.oid = t.relnamespace
         WHERE n.nspname = 'public'
           AND NOT EXISTS (SELECT 1 FROM pg_constraint x WHERE x.conindid = c.oid AND x.contype IN ('p', 'u'))",
    ),
    (
        "unique constraint",
        "SELECT m.name || '(' || (SELECT group_concat(c.name, ',')
             FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno) c) || ')'
         FROM sqlite_master m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND i.origin = 'u'",
        "SELECT t.relname || '(' || (SELECT string_agg(a.attname, ',' ORDER BY k.n)
             FROM unnest(x.conkey) WITH ORDINALITY AS k(attnum, n)
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum) || ')'
         FROM pg_constraint x JOIN pg_class t ON t.oid = x.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
         WHERE n.nspname = 'public' AND x.contype = 'u'",
    ),
    (
        "foreign key",
        "SELECT m.name || '.' || f.\"from\" || ' to ' || f.\"table\" || '.' || coalesce(f.\"to\", 'id')
             || CASE f.on_delete WHEN 'CASCADE' THEN ' cascade' WHEN 'SET NULL' THEN ' set null' ELSE '' END
         FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'",
        "SELECT t.relname || '.' || a.attname || ' to ' || r.relname || '.' || b.attname
             || CASE x.confdeltype WHEN 'c' THEN ' cascade' WHEN 'n' THEN ' set null' ELSE '' END
         FROM pg_constraint x JOIN pg_class t ON t.oid = x.conrelid JOIN pg_class r ON r.oid = x.confrelid
         JOIN pg_namespace n ON n.oid = t.relnamespace
         CROSS JOIN LATERAL unnest(x.conkey, x.confkey) AS k(own, other)
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.own
         JOIN pg_attribute b ON b.attrelid = r.oid AND b.attnum = k.other
         WHERE n.nspname = 'public' AND x.contype = 'f'",
    ),
];

/// What stands on one side only.
fn differences(fact: &str, sqlite: &BTreeSet<String>, postgres: &BTreeSet<String>) -> Vec<String> {
    let only = |side: &str, rows: Vec<&String>| {
        rows.iter().map(|row| format!("{fact} `{row}` only on {side}; change its twin too")).collect::<Vec<_>>()
    };
    let mut found = only("SQLite", sqlite.difference(postgres).collect());
    found.extend(only("PostgreSQL", postgres.difference(sqlite).collect()));
    found
}

async fn rows(tx: &mut Tx, sql: &'static str) -> BTreeSet<String> {
    let rows: Vec<(String,)> = tx.all(sql, &[]).await.unwrap();
    rows.into_iter()
        .map(|row| row.0)
        .filter(|row| !row.contains("_sqlx_migrations") && !row.contains("sqlite_"))
        .collect()
}

async fn compared(sqlite: &Db, postgres: &Db) -> Vec<String> {
    let (mut left, mut right) = (sqlite.read().await.unwrap(), postgres.read().await.unwrap());
    let mut problems = Vec::new();
    for (fact, on_sqlite, on_postgres) in FACTS {
        let (one, other) = (rows(&mut left, on_sqlite).await, rows(&mut right, on_postgres).await);
        problems.extend(differences(fact, &one, &other));
    }
    problems
}

#[test]
fn every_migration_has_a_twin_and_is_run() {
    let names = |folder: &str| -> BTreeSet<String> {
        let files = tree::files(&[folder], &[".sql"]);
        files.iter().map(|file| file.path.rsplit('/').next().unwrap().trim_end_matches(".sql").to_owned()).collect()
    };
    let run: BTreeSet<String> = MIGRATIONS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let mut problems = differences("migration", &names("migrations/sqlite"), &names("migrations/postgres"));
    for name in names("migrations/sqlite").difference(&run) {
        problems.push(format!("migration `{name}` is not run; add it to src/store/migrate.rs"));
    }
    for (name, sqlite, _) in MIGRATIONS {
        let tables = sqlite.matches("CREATE TABLE").count();
        if sqlite.matches(") STRICT;").count() + sqlite.matches(") STRICT, WITHOUT ROWID;").count() != tables {
            problems.push(format!("migrations/sqlite/{name}.sql: a table is not STRICT; end it with `) STRICT;`"));
        }
    }
    hold("migrations", &problems);
}

#[tokio::test]
async fn the_migrated_schemas_are_twins() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = database(Kind::Sqlite, folder.path()).await;
    let postgres = database(Kind::Postgres, folder.path()).await;
    let mut tx = postgres.read().await.unwrap();
    for (fact, _, sql) in FACTS.iter().filter(|(fact, ..)| *fact != "unique constraint") {
        assert!(rows(&mut tx, sql).await.len() > 3, "no {fact} was seen at all");
    }
    hold("schema", &compared(&sqlite, &postgres).await);
}

#[tokio::test]
async fn a_schema_that_drifted_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = database(Kind::Sqlite, folder.path()).await;
    let postgres = database(Kind::Postgres, folder.path()).await;
    let mut tx = postgres.write().await.unwrap();
    for sql in [
        "CREATE TABLE lone (id UUID PRIMARY KEY)",
        "ALTER TABLE users ALTER COLUMN mail SET NOT NULL",
        "ALTER TABLE users ALTER COLUMN version TYPE TEXT",
        "DROP INDEX departments_parent",
        "ALTER TABLE departments DROP CONSTRAINT departments_parent_id_fkey",
    ] {
        tx.run(sql, &[]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let found = compared(&sqlite, &postgres).await.join("\n");
    for trace in ["lone.id", "users.mail", "users.version", "departments_parent on", "departments.parent_id to"] {
        assert!(found.contains(trace), "{trace} is not in\n{found}");
    }
}
