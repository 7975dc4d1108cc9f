//! Sync: from an LDIF file to people, departments, groups and roles, and back.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod absence;
mod again;
mod clocks;
mod converge;
mod courses;
#[cfg(debug_assertions)]
mod crash;
mod dates;
mod delta;
mod faults;
mod follow;
mod guard;
mod identity;
mod kill;
mod natural;
mod organisation;
#[cfg(debug_assertions)]
mod outage;
mod plan;
mod revocation;
mod roles;
mod several;
mod tell;
mod texts;
mod undo;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use yaopai::broker::Broker;
use yaopai::config::Config;
use yaopai::model::{PlanId, RunState, User};
use yaopai::sync::{self, Approval, RunReport, SyncError};

use crate::harness::{Kind, broker};

/// An entry of the test company.
#[derive(Clone, Debug)]
pub struct Entry {
    dn: String,
    lines: Vec<String>,
}

impl Entry {
    /// One more `attribute: value`.
    fn with(mut self, attribute: &str, value: &str) -> Self {
        self.lines.push(format!("{attribute}: {value}"));
        self
    }
}

/// A person below `ou`, known by `id`.
fn person(id: u32, uid: &str, ou: &str) -> Entry {
    let lines = [
        "objectClass: inetOrgPerson".to_owned(),
        format!("entryUUID: {}", uuid(id)),
        format!("uid: {uid}"),
        format!("cn: Person {id}"),
        format!("sn: P{id}"),
        format!("employeeNumber: E{id}"),
    ];
    Entry { dn: format!("cn=p{id},{ou}"), lines: lines.into() }
}

/// An organisational unit.
fn unit(id: u32, name: &str, above: &str) -> Entry {
    let lines =
        ["objectClass: organizationalUnit".to_owned(), format!("entryUUID: {}", uuid(id)), format!("ou: {name}")];
    Entry { dn: format!("ou={name},{above}"), lines: lines.into() }
}

/// A group with members by DN.
fn group(id: u32, name: &str, members: &[&str]) -> Entry {
    let mut lines =
        vec!["objectClass: groupOfNames".to_owned(), format!("entryUUID: {}", uuid(id)), format!("cn: {name}")];
    lines.extend(members.iter().map(|dn| format!("member: {dn}")));
    Entry { dn: format!("cn={name},ou=groups,{BASE}"), lines }
}

fn uuid(id: u32) -> String {
    format!("00000000-0000-4000-8000-{id:012}")
}

const BASE: &str = "dc=example,dc=com";
const SALES: &str = "ou=sales,dc=example,dc=com";
const FINANCE: &str = "ou=finance,dc=example,dc=com";

/// Limits of `[source.guard]` that nothing reaches: every one there is, for tests in which more happens than a day brings.
pub const UNLIMITED: &str = "max_disabled = 1000000\nmax_disabled_percent = 1000000.0\nmax_disabled_per_day = 1000000\n\
    max_disabled_per_week = 1000000\nmax_moved_out = 1000000\nmax_created = 1000000\n\
    max_created_percent = 1000000.0\nmax_created_per_day = 1000000\nmax_created_per_week = 1000000\n\
    max_attribute_changed_percent = 1000000.0\nmax_attribute_emptied_percent = 1000000.0\n\
    max_departments_removed = 1000000\nmax_departments_removed_percent = 1000000.0\n\
    max_departments_removed_per_day = 1000000\nmax_departments_removed_per_week = 1000000\n\
    max_groups_removed = 1000000\nmax_groups_removed_percent = 1000000.0\n\
    max_groups_removed_per_day = 1000000\nmax_groups_removed_per_week = 1000000\n\
    max_members_removed = 1000000\nmax_members_removed_percent = 1000000.0\n\
    max_members_removed_per_day = 1000000\nmax_members_removed_per_week = 1000000\n\
    max_roles_revoked = 1000000\nmax_roles_revoked_percent = 1000000.0\nmax_roles_revoked_per_day = 1000000\n\
    max_roles_revoked_per_week = 1000000\n";

const MAPPING: &str = r#"
[source.ldif]
file = "company.ldif"
[source.users]
login = "uid"
employee_number = "employeeNumber"
display_name = "{displayName|cn}"
mail = "mail"
manager = "manager"
title = "title"
enabled = { attribute = "employeeType", disabled = ["left"] }
attributes = { city = "l" }
[source.departments]
from = "ou"
[source.positions]
attribute = "title"
[source.groups]
filter = "(objectClass=groupOfNames)"
"#;

/// A broker with one source, `hr`, on an LDIF file.
pub struct Company {
    broker: Broker,
    folder: TempDir,
}

impl Company {
    async fn new(kind: Kind) -> Self {
        Self::with(kind, MAPPING, "").await
    }

    /// `mapping` follows `[[source]]`, `guard` follows it.
    async fn with(kind: Kind, mapping: &str, guard: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("policies")).unwrap();
        let broker = broker(kind, folder.path(), config(folder.path(), mapping, guard)).await;
        let company = Self { broker, folder };
        company.rules("[[rule]]\nid = \"all\"\nrole = \"employee\"\ndescription = \"everybody\"\neveryone = true\n");
        company
    }

    /// Takes another mapping.
    fn remap(&mut self, mapping: &str, guard: &str) {
        self.broker.config = Arc::new(config(self.folder.path(), mapping, guard));
    }

    /// Writes the role rules.
    fn rules(&self, text: &str) {
        std::fs::write(self.folder.path().join("policies/roles.toml"), text).unwrap();
    }

    /// Writes the LDIF file.
    fn write(&self, entries: &[Entry]) {
        let mut text = String::from("version: 1\n\n");
        for entry in entries {
            let _ = writeln!(text, "dn: {}\n{}\n", entry.dn, entry.lines.join("\n"));
        }
        std::fs::write(self.folder.path().join("company.ldif"), text).unwrap();
    }

    /// Writes the file and runs the sync.
    async fn sync(&self, entries: &[Entry]) -> RunReport {
        self.write(entries);
        self.run().await.unwrap()
    }

    async fn run(&self) -> Result<RunReport, SyncError> {
        let report = sync::run(&self.broker, "hr", "cli", &mut |_| {}).await?;
        assert_sums(&report);
        Ok(report)
    }

    async fn plan(&self, entries: &[Entry]) -> RunReport {
        self.write(entries);
        let report = sync::plan(&self.broker, "hr", "cli", &mut |_| {}).await.unwrap();
        assert_sums(&report);
        report
    }

    /// Runs the sync, which must be applied.
    async fn applied(&self, entries: &[Entry]) -> RunReport {
        let report = self.sync(entries).await;
        assert_eq!(report.state, RunState::Applied, "{report:#?}");
        report
    }

    /// Approves the plan of a report.
    async fn approve(&self, report: &RunReport) -> RunReport {
        let plan = report.plan_id.unwrap();
        sync::apply(&self.broker, plan, Approval { by: "user:boss", is_given: true }).await.unwrap()
    }

    async fn apply(&self, plan: PlanId) -> Result<RunReport, SyncError> {
        sync::apply(&self.broker, plan, Approval { by: "cli", is_given: false }).await
    }

    async fn user(&self, login: &str) -> User {
        let found = self.broker.db.read().await.unwrap().users().find_by_login(login).await.unwrap();
        found.unwrap_or_else(|| panic!("there is no `{login}`"))
    }

    async fn roles(&self, login: &str) -> Vec<String> {
        let user = self.user(login).await;
        self.broker.db.read().await.unwrap().role_grants().roles_of(user.id).await.unwrap()
    }

    async fn groups(&self, login: &str) -> Vec<String> {
        let user = self.user(login).await;
        self.broker.db.read().await.unwrap().groups().codes_of_user(user.id).await.unwrap()
    }

    async fn department(&self, login: &str) -> Option<String> {
        let user = self.user(login).await;
        let mut tx = self.broker.db.read().await.unwrap();
        Some(tx.departments().find(user.department_id?).await.unwrap().unwrap().code)
    }

    /// Everything the sync writes, as text: equal before and after means that nothing was touched.
    async fn dump(&self) -> String {
        dump(&self.broker.db).await
    }
}

/// Every row that an apply writes, in one order.
pub async fn dump(db: &yaopai::store::Db) -> String {
    let mut tx = db.read().await.unwrap();
    let mut users = tx.users().list_by_source("hr").await.unwrap();
    users.sort_by_key(|user| user.id);
    let mut departments = tx.departments().list_by_source("hr").await.unwrap();
    departments.sort_by_key(|row| row.id);
    let mut groups = tx.groups().list_by_source("hr").await.unwrap();
    groups.sort_by_key(|row| row.id);
    let mut members = tx.groups().list_members("hr").await.unwrap();
    members.sort();
    let mut grants = tx.role_grants().list_by_source("hr").await.unwrap();
    grants.sort();
    let mut links = tx.links().list_by_source("hr").await.unwrap();
    links.sort_by(|a, b| a.external_id.cmp(&b.external_id));
    let log = tx.change_log().list_after(0, 1_000_000).await.unwrap().len();
    let audit: Vec<(i64,)> = tx.all("SELECT COUNT(*) FROM audit_log WHERE outcome = 'success'", &[]).await.unwrap();
    let state = tx.source_states().find("hr").await.unwrap().map(|state| state.version);
    format!("{users:?}\n{departments:?}\n{groups:?}\n{members:?}\n{grants:?}\n{links:?}\n{log} {audit:?} {state:?}")
}

fn config(folder: &Path, mapping: &str, guard: &str) -> Config {
    let text = format!(
        "[server]\npublic_url = \"http://127.0.0.1\"\n[policies]\nfolder = \"policies\"\n[[source]]\nname = \"hr\"\n\
         {mapping}\n[source.guard]\n{guard}\n"
    );
    Config::parse(&folder.join("yaopai.toml"), &text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// LDAP-035: the numbers add up.
pub fn assert_sums(report: &RunReport) {
    for counts in [report.users, report.departments, report.positions, report.groups] {
        assert!(counts.adds_up(), "{counts:?} in {report:#?}");
    }
}
