//! `BENCH_TOKENS=10000000`: whether so many refresh tokens in the table slow a sign-in, a refresh or the clearing away.
//!
//! They are written set-based, with a grant for each ten, and a tenth of them has expired. The broker is started on them,
//! and clears away at once what has expired: refreshes meanwhile are a line of their own.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};

use super::calls::{Bench, Line};
use super::person::SignIn;
use super::stage::Stage;

/// Rows of one transaction.
const STEP: usize = 200_000;
/// Tokens of one grant.
const CHAIN: usize = 10;
/// Sign-ins that are timed, one after the other.
const SIGN_INS: usize = 30;

/// What was measured.
#[derive(Clone, Debug)]
pub struct Many {
    /// How many tokens.
    pub tokens: usize,
    /// Seconds in which the expired ones were cleared away.
    pub cleared: f64,
    /// Median milliseconds of a sign-in: before, and with the tokens.
    pub sign_in: [f64; 2],
    /// Refreshes: before, while some are cleared away, with the tokens.
    pub refresh: [Line; 3],
}

/// Fills the stage's database and measures, each part for `time`.
pub async fn measure(stage: &mut Stage, tokens: usize, time: Duration) -> anyhow::Result<Many> {
    let before = (refresh(stage, time).await?, sign_in(stage).await?);
    stage.stop();
    let mut database = Database::open(&stage.database()).await?;
    fill(&mut database, tokens).await?;
    stage.start()?;
    let begun = Instant::now();
    let meanwhile = refresh(stage, time).await?;
    while database.has_expired().await? {
        if begun.elapsed() > Duration::from_mins(30) {
            bail!("what has expired is not cleared away in half an hour");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let cleared = begun.elapsed().as_secs_f64();
    let after = (refresh(stage, time).await?, sign_in(stage).await?);
    Ok(Many { tokens, cleared, sign_in: [before.1, after.1], refresh: [before.0, meanwhile, after.0] })
}

async fn refresh(stage: &Stage, time: Duration) -> anyhow::Result<Line> {
    let mut bench = Bench::of(stage.target().await?, time);
    bench.refresh("ES256").await?;
    bench.lines.pop().context("nothing was measured")
}

async fn sign_in(stage: &Stage) -> anyhow::Result<f64> {
    let mut sign_in = SignIn::at(&stage.broker).await?;
    let mut took = Vec::new();
    for _ in 0..SIGN_INS {
        let begun = Instant::now();
        super::client::expect(&sign_in.send().await?, hyper::StatusCode::SEE_OTHER)?;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    Ok(took.get(SIGN_INS / 2).context("nobody signed in")?.as_secs_f64() * 1e3)
}

async fn fill(database: &mut Database, tokens: usize) -> anyhow::Result<()> {
    let begun = Instant::now();
    for from in (0..tokens).step_by(STEP) {
        database.fill(from, STEP.min(tokens - from)).await?;
        eprintln!("{} refresh tokens after {:.0} s", from + STEP.min(tokens - from), begun.elapsed().as_secs_f64());
    }
    Ok(())
}

/// The database beside the broker.
enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Database {
    async fn open(url: &str) -> anyhow::Result<Self> {
        if url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(url).await?;
            connection.execute("PRAGMA busy_timeout = 10000").await?;
            connection.execute("PRAGMA cache_size = -400000").await?;
            return Ok(Self::Sqlite(connection));
        }
        Ok(Self::Postgres(PgConnection::connect(url).await?))
    }

    /// Grants and their tokens, with numbers from `from` on.
    async fn fill(&mut self, from: usize, count: usize) -> anyhow::Result<()> {
        let (grants, first) = (count.div_ceil(CHAIN), from / CHAIN);
        match self {
            Self::Sqlite(connection) => {
                let sql = SQLITE.replace("{grants}", &grants.to_string()).replace("{first}", &first.to_string());
                connection.execute(AssertSqlSafe(sql)).await?;
            }
            Self::Postgres(connection) => {
                let sql = POSTGRES.replace("{grants}", &grants.to_string()).replace("{first}", &first.to_string());
                connection.execute(AssertSqlSafe(sql)).await?;
            }
        }
        Ok(())
    }

    async fn has_expired(&mut self) -> anyhow::Result<bool> {
        let sql = "SELECT 1 FROM refresh_tokens WHERE expires_at < '2021-01-01T00:00:00.000000+00:00' LIMIT 1";
        Ok(match self {
            Self::Sqlite(connection) => sqlx::query(sql).fetch_optional(connection).await?.is_some(),
            Self::Postgres(connection) => sqlx::query(sql).fetch_optional(connection).await?.is_some(),
        })
    }
}

/// Grants of everybody in turn; each tenth ended in 2020, the others live long.
const SQLITE: &str = "BEGIN;
CREATE TEMP TABLE IF NOT EXISTS people AS SELECT row_number() OVER () - 1 AS number, id FROM users;
CREATE TEMP TABLE IF NOT EXISTS fresh (id BLOB, ends TEXT);
DELETE FROM fresh;
WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {first} + {grants})
INSERT INTO fresh SELECT randomblob(16), CASE i % 10 WHEN 0 THEN '2020-06-01T00:00:00.000000+00:00'
  ELSE '2099-06-01T00:00:00.000000+00:00' END FROM n;
INSERT INTO grants (id, application_id, user_id, scope, auth_time, amr, created_at, expires_at, details)
  SELECT f.id, 'oa-ES256', p.id, 'openid profile', '2020-01-01T00:00:00.000000+00:00', 'pwd',
    '2020-01-01T00:00:00.000000+00:00', f.ends, '{}'
  FROM fresh f JOIN people p ON p.number = f.rowid % (SELECT COUNT(*) FROM people);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
INSERT INTO refresh_tokens (token_hash, grant_id, created_at, expires_at)
  SELECT substr(hex(randomblob(22)), 1, 43), f.id, '2020-01-01T00:00:00.000000+00:00', f.ends FROM fresh f, n;
COMMIT;";

const POSTGRES: &str = "BEGIN;
CREATE TEMP TABLE IF NOT EXISTS people AS SELECT row_number() OVER () - 1 AS number, id FROM users;
CREATE TEMP TABLE IF NOT EXISTS fresh (i bigint, id uuid, ends timestamptz);
TRUNCATE fresh;
INSERT INTO fresh SELECT i, gen_random_uuid(),
  CASE i % 10 WHEN 0 THEN timestamptz '2020-06-01 00:00Z' ELSE timestamptz '2099-06-01 00:00Z' END
  FROM generate_series({first}, {first} + {grants} - 1) AS i;
INSERT INTO grants (id, application_id, user_id, scope, auth_time, amr, created_at, expires_at, details)
  SELECT f.id, 'oa-ES256', p.id, 'openid profile', '2020-01-01 00:00Z', 'pwd', '2020-01-01 00:00Z', f.ends, '{}'
  FROM fresh f JOIN people p ON p.number = f.i % (SELECT COUNT(*) FROM people);
INSERT INTO refresh_tokens (token_hash, grant_id, created_at, expires_at)
  SELECT left(md5(random()::text) || md5(random()::text), 43), f.id, '2020-01-01 00:00Z', f.ends
  FROM fresh f, generate_series(1, 10);
COMMIT;";
