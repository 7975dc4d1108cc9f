//! A run that reads what it read before ends early, and never comes to another end than a run that looks at everything.

use yaopai::model::{RunState, Status};
use yaopai::sync::RunReport;

use super::{BASE, Company, Entry, FINANCE, MAPPING, SALES, group, person, unit};
use crate::both;
use crate::harness::Kind;

pub(super) const WIDE: &str = "max_disabled = 1000\nmax_disabled_percent = 100\nmax_disabled_per_day = 100000\n\
                    max_members_removed_percent = 100\nmax_roles_revoked_percent = 100\nprotected = [\"u1\"]";

/// Small numbers out of a seed.
pub(super) struct Dice(pub u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A directory with everything that goes wrong in one: shared names and numbers, people without a name, circles,
/// members and managers who are not there.
pub(super) fn directory(dice: &mut Dice) -> Vec<Entry> {
    let mut units = Vec::new();
    for (id, name) in [(1, "sales"), (2, "finance")] {
        if dice.roll(5) > 0 {
            units.push(unit(id, name, BASE));
        }
    }
    let mut entries = units;
    let mut names = Vec::new();
    for id in 10..20 {
        if dice.roll(4) == 0 {
            continue;
        }
        let place = [SALES, FINANCE, BASE][usize::try_from(dice.roll(3)).unwrap()];
        let login = if dice.roll(6) == 0 { format!("u{}", dice.roll(4)) } else { format!("u{id}") };
        let mut entry = person(id, &login, place);
        if dice.roll(9) == 0 {
            entry.lines.retain(|line| !line.starts_with("uid:"));
        }
        if dice.roll(9) == 0 {
            entry.lines.retain(|line| !line.starts_with("employeeNumber"));
            entry = entry.with("employeeNumber", "E1");
        }
        for (attribute, values) in [("title", 3), ("l", 3), ("mail", 2)] {
            let value = dice.roll(values + 1);
            if value > 0 {
                entry = entry.with(attribute, &format!("{attribute}{value}@x"));
            }
        }
        if dice.roll(6) == 0 {
            entry = entry.with("employeeType", "left");
        }
        if dice.roll(2) == 0 {
            let above = 10 + dice.roll(10);
            let place = [SALES, FINANCE, BASE][usize::try_from(dice.roll(3)).unwrap()];
            entry = entry.with("manager", &format!("cn=p{above},{place}"));
        }
        names.push(entry.dn.clone());
        entries.push(entry);
    }
    for (id, name) in [(30, "a"), (31, "b")] {
        let mut members: Vec<&str> = names.iter().filter(|_| dice.roll(2) == 0).map(String::as_str).collect();
        let other = format!("cn=b,ou=groups,{BASE}");
        if dice.roll(3) == 0 {
            members.push(&other);
        }
        if dice.roll(4) == 0 {
            members.push("cn=nobody,dc=example,dc=com");
        }
        if dice.roll(6) > 0 {
            entries.push(group(id, name, &members));
        }
    }
    entries
}

/// What people, departments, groups and roles are, without ids of our own: equal for equal states.
pub(super) async fn state(company: &Company, with_gone: bool) -> Vec<String> {
    let mut tx = company.broker.db.read().await.unwrap();
    let departments = tx.departments().list_by_source("hr").await.unwrap();
    let positions = tx.positions().list_by_source("hr").await.unwrap();
    let groups = tx.groups().list_by_source("hr").await.unwrap();
    let users = tx.users().list_by_source("hr").await.unwrap();
    let name = |id| users.iter().find(|user| user.id == id).map(|user| user.display_name.clone());
    let is_shown = |status: Status| with_gone || status == Status::Active;
    let mut lines = Vec::new();
    for user in users.iter().filter(|user| is_shown(user.status)) {
        let department = departments.iter().find(|row| Some(row.id) == user.department_id).map(|row| &row.code);
        let position = positions.iter().find(|row| Some(row.id) == user.position_id).map(|row| &row.code);
        lines.push(format!(
            "{} {} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            user.display_name,
            user.login,
            user.employee_number,
            user.mail,
            user.attributes.0,
            user.status,
            user.status_reason.as_ref().filter(|_| with_gone),
            department,
            position,
            user.manager_id.map(name)
        ));
    }
    for row in departments.iter().filter(|row| is_shown(row.status)) {
        let above = departments.iter().find(|above| Some(above.id) == row.parent_id).map(|row| &row.code);
        lines.push(format!("{} {:?} {above:?}", row.code, row.status));
    }
    lines.extend(groups.iter().filter(|row| is_shown(row.status)).map(|row| format!("{} {:?}", row.code, row.status)));
    for member in tx.groups().list_members("hr").await.unwrap() {
        let group = groups.iter().find(|group| group.id == member.group_id).unwrap();
        let user = users.iter().find(|user| user.id.0 == member.member_id);
        let nested = groups.iter().find(|group| group.id.0 == member.member_id);
        let is_shown = is_shown(group.status) && user.is_none_or(|user| is_shown(user.status));
        if is_shown && nested.is_none_or(|nested| with_gone || nested.status == Status::Active) {
            let user = user.map(|user| &user.display_name);
            lines.push(format!("{} has {user:?} {:?}", group.code, nested.map(|nested| &nested.code)));
        }
    }
    for grant in tx.role_grants().list_by_source("hr").await.unwrap() {
        let user = users.iter().find(|user| user.id == grant.user_id).unwrap();
        if is_shown(user.status) {
            lines.push(format!("{} is {}", user.display_name, grant.role));
        }
    }
    lines.sort();
    lines
}

/// The numbers of a report.
fn numbers(report: &RunReport) -> String {
    let RunReport { users, departments, positions, groups, members, findings, finding_list, state, .. } = report;
    format!("{state} {users:?} {departments:?} {positions:?} {groups:?} {members:?} {findings:?} {finding_list:?}")
}

/// A company whose file is never twice the same, so that each run looks at everything.
struct Restless(Company, u32);

impl Restless {
    async fn run(&mut self, entries: &[Entry]) -> RunReport {
        self.1 += 1;
        let file = self.0.folder.path().join("company.ldif");
        self.0.write(entries);
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("# {}\n{text}", self.1)).unwrap();
        self.0.run().await.unwrap()
    }
}

async fn histories(kind: Kind, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let mut dice = Dice(seed);
        let (calm, mut restless) =
            (Company::with(kind, MAPPING, WIDE).await, Restless(Company::with(kind, MAPPING, WIDE).await, 0));
        let mut entries = directory(&mut dice);
        for step in 0..6 {
            match dice.roll(4) {
                // The same again, in another order.
                0 => entries.reverse(),
                // One entry differs.
                1 => {
                    let other = directory(&mut dice);
                    let at = usize::try_from(dice.roll(u64::try_from(entries.len()).unwrap().max(1))).unwrap();
                    let same = other.into_iter().find(|other| entries.get(at).is_some_and(|one| one.dn == other.dn));
                    if let Some((one, same)) = entries.get_mut(at).zip(same) {
                        *one = same;
                    }
                }
                _ => entries = directory(&mut dice),
            }
            for times in 0..3 {
                let (one, other) = (company_run(&calm, &entries).await, restless.run(&entries).await);
                assert_eq!(numbers(&one), numbers(&other), "seed {seed}, step {step}, {times}");
                let (one, other) = (state(&calm, true).await, state(&restless.0, true).await);
                assert_eq!(one, other, "seed {seed}, step {step}, {times}");
            }
            let report = company_run(&calm, &entries).await;
            if report.findings.is_empty() && report.state == RunState::Unchanged {
                let fresh = Company::with(kind, MAPPING, WIDE).await;
                company_run(&fresh, &entries).await;
                assert_eq!(state(&calm, false).await, state(&fresh, false).await, "seed {seed}, step {step}: fresh");
            }
        }
    }
}

async fn company_run(company: &Company, entries: &[Entry]) -> RunReport {
    company.sync(entries).await
}

both!(
    /// LDAP-034, LDAP-035: random directories and random changes, read anew or known already, end in the same state, and
    /// in that of a fresh import.
    known_entries_never_lead_elsewhere,
    |kind| histories(kind, if kind == Kind::Sqlite { 0..12 } else { 12..18 })
);

both!(
    /// What is known is forgotten when anything else that decides has changed: an apply, an undo, the mapping, the rules.
    what_is_known_is_forgotten_in_time,
    |kind| async move {
        let mut company = Company::with(kind, MAPPING, WIDE).await;
        let known = async |company: &Company| {
            let state = company.broker.db.read().await.unwrap().source_states().find("hr").await.unwrap().unwrap();
            state.settled_content.is_some()
        };
        let entries = [person(1, "u1", BASE), person(2, "u2", BASE).with("l", "Xi'an"), person(3, "u3", BASE)];
        company.applied(&entries).await;
        assert!(known(&company).await);
        let unchanged = company.sync(&entries).await;
        assert_eq!((unchanged.state, unchanged.users.unchanged, unchanged.users.read), (RunState::Unchanged, 3, 3));
        // Another rule: asked although no entry differs.
        company.rules("[[rule]]\nid = \"all\"\nrole = \"staff\"\ndescription = \"everybody\"\neveryone = true\n");
        assert_eq!(company.sync(&entries).await.state, RunState::Applied);
        assert_eq!(company.roles("u2").await, ["staff"]);
        // Another mapping: held, as a change of scope is, and not passed over.
        let mapping = MAPPING.replace("city = \"l\"", "town = \"l\"");
        company.remap(&mapping, WIDE);
        let held = company.sync(&entries).await;
        assert_eq!(held.state, RunState::Held);
        company.approve(&held).await;
        assert!(company.user("u2").await.attributes.0.contains_key("town"));
        assert_eq!(company.sync(&entries).await.state, RunState::Unchanged);
        // Undone: the next run is held again.
        let fewer = &entries[..2];
        company.applied(fewer).await;
        yaopai::sync::undo(&company.broker, "hr", "cli").await.unwrap();
        assert!(!known(&company).await);
        assert_eq!(company.sync(fewer).await.state, RunState::Held);
        // Somebody protected is gone: found again on every run.
        let company = Company::with(kind, MAPPING, WIDE).await;
        company.applied(&entries).await;
        for _ in 0..3 {
            let report = company.sync(&entries[1..]).await;
            assert_eq!(report.findings.values().sum::<u64>(), 1, "{report:#?}");
            assert!(!known(&company).await);
        }
        // Back again: what was found about the absence is gone.
        assert!(company.sync(&entries).await.findings.is_empty());
        assert!(company.broker.db.read().await.unwrap().findings().list_by_source("hr").await.unwrap().is_empty());
    }
);

both!(
    /// LDAP-017: what was left out is told on every run, also when it is known.
    findings_stay_while_the_entries_stay,
    |kind| async move {
        let company = Company::new(kind).await;
        let mut bad = person(2, "u2", BASE);
        bad.lines.retain(|line| !line.starts_with("uid:"));
        let entries = [person(1, "u1", BASE), bad];
        let first = company.applied(&entries).await;
        for _ in 0..2 {
            let again = company.sync(&entries).await;
            assert_eq!((again.state, again.users.quarantined), (RunState::Unchanged, 1));
            assert_eq!((&again.findings, &again.finding_list), (&first.findings, &first.finding_list));
            let found = company.broker.db.read().await.unwrap().findings().list_by_source("hr").await.unwrap();
            assert_eq!(found.iter().map(|finding| finding.run_id).collect::<Vec<_>>(), [again.run_id]);
        }
    }
);
