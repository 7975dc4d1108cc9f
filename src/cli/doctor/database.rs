//! The database: reachable, migrated, writable, and agreeing about the time.

use std::path::Path;

use chrono::Duration;

use super::finding::Finding;
use crate::config::Config;
use crate::store::{Db, StoreError};
use crate::time::{Clock, Instant};

/// Clocks that differ by more are worth a look: tokens live for minutes.
const UNEASY: Duration = Duration::seconds(2);
/// Clocks that differ by more break sign-ins.
const BROKEN: Duration = Duration::seconds(30);

pub(super) async fn check(config: &Config, clock: &Clock) -> Vec<Finding> {
    let url = match config.database.full_url(&config.folder) {
        Ok(url) => url,
        Err(why) => return vec![Finding::failed("database", why, "correct [database]")],
    };
    if let Some(file) = url.strip_prefix("sqlite://").filter(|file| !Path::new(file).exists()) {
        let remedy = "`yaopai serve` makes it at its first start";
        return vec![Finding::warning("database", format!("`{file}` is not there yet"), remedy)];
    }
    match Db::open(&url, 1).await {
        Ok(db) => {
            let findings = opened(&db, config, clock).await;
            db.close().await;
            findings
        }
        Err(error) => {
            let remedy = "start it, and see that database.url names it and that this user may connect";
            vec![Finding::failed("database", said(error), remedy)]
        }
    }
}

async fn opened(db: &Db, config: &Config, clock: &Clock) -> Vec<Finding> {
    match db.pending_migrations().await {
        Ok(0) => {}
        Ok(pending) => {
            let remedy = "`yaopai serve` brings it up to date when it starts";
            return vec![Finding::warning("database", format!("{pending} migrations are missing"), remedy)];
        }
        Err(error) => return vec![Finding::failed("database", said(error), "is it a database of this program?")],
    }
    let mut findings = vec![match db.accepts_writes().await {
        Ok(()) => Finding::ok("database", format!("{}: reachable, migrated, writable", shown(config))),
        Err(error) => {
            let remedy = "look at permissions and free space, and whether it is a read-only replica";
            Finding::failed("database", format!("cannot be written: {}", said(error)), remedy)
        }
    }];
    findings.push(time(db, clock).await);
    match super::logouts::check(db, clock.now()).await {
        Ok(waiting) => findings.extend(waiting),
        Err(error) => findings.push(Finding::failed("logouts", said(error), "is the database still running?")),
    }
    findings
}

/// The URL without its password.
fn shown(config: &Config) -> String {
    let Ok(mut url) = url::Url::parse(&config.database.url) else { return config.database.url.clone() };
    if url.password().is_some() && url.set_password(Some("…")).is_err() {
        return url.scheme().to_owned();
    }
    url.to_string()
}

/// Compares our clock with the database server's, and with the newest row of the audit log.
async fn time(db: &Db, clock: &Clock) -> Finding {
    let before = clock.now();
    let theirs = match db.clock().await {
        Ok(theirs) => theirs,
        Err(error) => return Finding::failed("clock", said(error), "is the database still running?"),
    };
    // Half of the round trip is the best guess of when the server looked.
    let ours = before + (clock.now() - before) / 2;
    let newest = match db.newest_audit_time().await {
        Ok(newest) => newest,
        Err(error) => return Finding::failed("clock", said(error), "is the database still running?"),
    };
    judge(ours, theirs, newest)
}

fn judge(ours: Instant, theirs: Option<Instant>, newest: Option<Instant>) -> Finding {
    let remedy = "let both machines follow a time server (chrony, systemd-timesyncd)";
    if let Some(ahead) = newest.map(|newest| newest - ours).filter(|ahead| *ahead > UNEASY) {
        let message =
            format!("the audit log was written {} s in the future: a clock was moved back", ahead.num_seconds());
        return Finding::failed("clock", message, remedy);
    }
    let Some(theirs) = theirs else {
        return Finding::ok("clock", format!("{} UTC; not before the audit log", ours.format("%Y-%m-%d %H:%M:%S")));
    };
    let apart = (ours - theirs).abs();
    let message = format!("{} ms from the database server's clock", apart.num_milliseconds());
    match apart {
        apart if apart > BROKEN => Finding::failed("clock", message, remedy),
        apart if apart > UNEASY => Finding::warning("clock", message, remedy),
        _ => Finding::ok("clock", message),
    }
}

/// The error with its causes, on one line.
fn said(error: StoreError) -> anyhow::Error {
    anyhow::Error::new(error)
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::super::finding::State;
    use super::judge;

    #[test]
    fn clocks_are_compared_with_the_server_and_with_what_was_written() {
        let now = "2026-11-22T01:00:00Z".parse().unwrap();
        let state = |theirs: i64, newest: i64| {
            judge(now, Some(now + Duration::milliseconds(theirs)), Some(now + Duration::seconds(newest))).state
        };
        assert_eq!(state(900, -5), State::Ok);
        assert_eq!(state(-3_000, -5), State::Warning);
        assert_eq!(state(40_000, -5), State::Failed);
        assert_eq!(state(0, 60), State::Failed);
        assert_eq!(judge(now, None, None).state, State::Ok);
    }
}
