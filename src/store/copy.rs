//! Many rows into PostgreSQL by COPY in its binary form: some five times as fast as a statement of thousands of
//! placeholders, which the server has to parse and plan. Each field is what sqlx would send as a parameter.

use sqlx::postgres::PgArgumentBuffer;
use sqlx::{AssertSqlSafe, PgConnection};

use super::{Param, StoreError};

/// What is sent at once.
const PORTION: usize = 1 << 20;
/// The head of the form: signature, no flags, no extension.
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Where rows wait that may meet others: gone with the transaction at the latest.
const STAGE: &str = "bulk_stage";

/// Runs `INSERT INTO {target} {tail}` for the rows, `target` being a table and its columns: `t (a, b)`. Tells how many
/// rows were touched.
pub(super) async fn insert(
    connection: &mut PgConnection,
    target: &str,
    rows: &[Vec<&dyn Param>],
    tail: &str,
) -> Result<u64, StoreError> {
    if tail.is_empty() {
        return send(connection, target, rows).await;
    }
    let Some((table, columns)) = target.split_once(' ') else { return send(connection, target, rows).await };
    let columns = columns.trim().trim_start_matches('(').trim_end_matches(')');
    let run = async |connection: &mut PgConnection, sql: String| -> Result<u64, StoreError> {
        Ok(sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await?.rows_affected())
    };
    let stage = format!("CREATE TEMP TABLE {STAGE} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA");
    run(connection, stage).await?;
    send(connection, &format!("{STAGE} ({columns})"), rows).await?;
    let insert = format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM {STAGE} {tail}");
    let touched = run(connection, insert).await?;
    run(connection, format!("DROP TABLE {STAGE}")).await?;
    Ok(touched)
}

async fn send(connection: &mut PgConnection, target: &str, rows: &[Vec<&dyn Param>]) -> Result<u64, StoreError> {
    let mut copy = connection.copy_in_raw(&format!("COPY {target} FROM STDIN (FORMAT BINARY)")).await?;
    let mut bytes = HEAD.to_vec();
    for row in rows {
        // Of its own for each row: it keeps a note on every document until it is dropped.
        let mut field = PgArgumentBuffer::default();
        let count = i16::try_from(row.len()).map_err(|_| StoreError::Encode("too many columns".to_owned()))?;
        bytes.extend(count.to_be_bytes());
        for param in row {
            field.clear();
            if param.put_postgres(&mut field)?.is_null() {
                bytes.extend((-1i32).to_be_bytes());
                continue;
            }
            let length = i32::try_from(field.len()).map_err(|_| StoreError::Encode("too long a value".to_owned()))?;
            bytes.extend(length.to_be_bytes());
            bytes.extend_from_slice(&field);
        }
        if bytes.len() >= PORTION {
            // Dropped halfway, the connection ends the COPY with an error by itself.
            copy.send(bytes.as_slice()).await?;
            bytes.clear();
        }
    }
    bytes.extend((-1i16).to_be_bytes());
    copy.send(bytes.as_slice()).await?;
    Ok(copy.finish().await?)
}
