//! Is a source usable? For `yaopai doctor`: tries what a read needs and reports, without changing anything.

use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::changes::position;
use super::delta::Position;
use super::error::SourceError;
use super::{ldap, read, select};
use crate::config::{ChangesBy, SourceConfig};
use crate::text::{Language, finding_words};
use crate::time::Instant;

/// How a finding is to be taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// As it should be.
    Good,
    /// Works, and needs attention.
    Warning,
    /// Does not work.
    Failed,
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What was looked at.
    pub subject: String,
    /// How it is.
    pub level: Level,
    /// What was found, with the remedy where there is something to do.
    pub text: String,
}

impl Finding {
    pub(super) fn good(subject: &str, text: String) -> Self {
        Self { subject: subject.to_owned(), level: Level::Good, text }
    }

    pub(super) fn failed(subject: &str, error: &SourceError) -> Self {
        Self { subject: subject.to_owned(), level: Level::Failed, text: error.to_string() }
    }
}

/// Looks at everything that a read of this source needs: the file, or the server's TLS, the lifetime of certificates,
/// the bind and each base.
pub async fn check(config: &SourceConfig, folder: &Path, now: Instant) -> Vec<Finding> {
    let selections = match select::selections(config) {
        Ok(selections) => selections,
        Err(error) => return vec![Finding::failed("mapping", &error)],
    };
    let Some(server) = &config.ldap else { return file(config, folder).await };
    let mut tasks = JoinSet::new();
    tasks.spawn(ldap::probe(Arc::new(server.clone()), folder.into(), selections, now));
    let found = tasks.join_next().await.and_then(Result::ok);
    let mut findings = found.unwrap_or_else(|| vec![Finding::failed("directory", &SourceError::Stopped)]);
    if server.changes != ChangesBy::Nothing && findings.iter().all(|finding| finding.level != Level::Failed) {
        findings.push(changes(config, folder).await);
    }
    findings
}

/// In which way changes are read between full runs.
async fn changes(config: &SourceConfig, folder: &Path) -> Finding {
    let subject = "changes";
    let position = match position(config, folder).await {
        Ok(position) => position,
        Err(error) => return Finding { level: Level::Warning, ..Finding::failed(subject, &error) },
    };
    let way = position.as_ref().and_then(Position::way);
    let text = match way {
        Some("syncrepl") => "only what changed is read (syncrepl)",
        Some("dirsync") => "only what changed is read (DirSync)",
        Some("usn") => {
            "only what changed is read (update sequence numbers of one domain controller; with the right Replicating \
             Directory Changes it would be DirSync)"
        }
        Some(_) => "what changed is read after listing all ids (time stamps)",
        None => {
            "the server cannot tell what changed, so that every run is a full one; see its page of the documentation"
        }
    };
    let level = if way.is_some() { Level::Good } else { Level::Warning };
    Finding { subject: subject.to_owned(), level, text: text.to_owned() }
}

async fn file(config: &SourceConfig, folder: &Path) -> Vec<Finding> {
    let snapshot = match read(config, folder, &mut |_| {}).await {
        Ok(snapshot) => snapshot,
        Err(error) => return vec![Finding::failed("file", &error)],
    };
    let (users, departments, groups) = (snapshot.users.len(), snapshot.departments.len(), snapshot.groups.len());
    let text = format!("{users} people, {departments} departments and {groups} groups can be read");
    let mut findings = vec![Finding::good("file", text)];
    if users == 0 {
        let text = "no entry matches source.users.filter below the base; check both".to_owned();
        findings.push(Finding { subject: "users".to_owned(), level: Level::Warning, text });
    }
    if let Some(first) = snapshot.rejected.first() {
        let count = snapshot.rejected.len();
        let why = finding_words(first.code.as_str(), &first.arguments, Language::En).details;
        let text = format!("{count} entries cannot be used, the first being `{}`: {why}", first.dn);
        findings.push(Finding { subject: "entries".to_owned(), level: Level::Warning, text });
    }
    findings
}
