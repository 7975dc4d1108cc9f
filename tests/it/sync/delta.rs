//! Increments: what changed becomes a plan at the cost of what changed, and a full run afterwards finds nothing to do.

use chrono::Duration;
use yaopai::model::{RunKind, RunState};
use yaopai::source::{self, Delta, Gone, MemberChange, Part, Position, Snapshot};
use yaopai::store::counted;
use yaopai::sync::{self, FullReason, Increment, RunReport, Waiting};

use super::again::WIDE;
use super::courses::delta;
use super::{BASE, Company, Entry, MAPPING, SALES, assert_sums, config, group, person, unit, uuid};
use crate::both;

/// A directory that keeps references as Active Directory does; nothing is read from it here.
const KEEPING: &str = "[source.ldap]\nurl = \"ldap://127.0.0.1:1\"\nallow_plaintext = true\nbind_dn = \"cn=x\"\n\
                       bind_password = { value = \"x\" }\nbase_dn = \"dc=example,dc=com\"\nschema = \"active-directory\"\n";

fn keeping() -> String {
    format!("{}code = \"cn\"\nname = \"cn\"\n", MAPPING.replace("[source.ldif]\nfile = \"company.ldif\"\n", KEEPING))
}

impl Company {
    /// What a full read gives.
    pub(super) async fn snapshot(&self, entries: &[Entry]) -> Snapshot {
        self.write(entries);
        let config = config(self.folder.path(), MAPPING, "");
        source::read(config.source("hr").unwrap(), self.folder.path(), &mut |_| {}).await.unwrap()
    }

    pub(super) async fn full(&self, snapshot: &Snapshot) -> RunReport {
        let report = sync::take_snapshot(&self.broker, snapshot, "cli", true).await.unwrap();
        assert_sums(&report);
        report
    }

    pub(super) async fn increment(&self, delta: &Delta) -> RunReport {
        let report = sync::take_delta(&self.broker, delta, "cli", RunKind::Incremental).await.unwrap();
        assert_sums(&report);
        assert_eq!(report.kind, RunKind::Incremental);
        report
    }

    pub(super) async fn members(&self, code: &str) -> usize {
        let mut tx = self.broker.db.read().await.unwrap();
        let groups = tx.groups().list_by_source("hr").await.unwrap();
        let group = groups.iter().find(|group| group.code == code).unwrap().id;
        tx.groups().list_members("hr").await.unwrap().iter().filter(|member| member.group_id == group).count()
    }
}

pub(super) fn position(number: u64) -> Position {
    serde_json::from_value(serde_json::json!({ "server": "test", "at": number })).unwrap()
}

fn sales(people: u32) -> Vec<Entry> {
    let mut all = vec![unit(900_000, "sales", BASE), unit(900_001, "east", SALES)];
    let east = format!("ou=east,{SALES}");
    all.extend((1..=people).map(|id| person(id, &format!("u{id}"), if id % 2 == 0 { SALES } else { &east })));
    let names: Vec<String> = all.iter().skip(2).map(|entry| entry.dn.clone()).collect();
    all.push(group(900_002, "staff", &names.iter().map(String::as_str).collect::<Vec<_>>()));
    all
}

/// The same directory with another name for `ou=sales`, as references that are kept show it.
fn renamed(entries: &[Entry], name: &str) -> Vec<Entry> {
    let moved =
        |text: &str| text.replace("ou=sales", &format!("ou={name}")).replace("ou: sales", &format!("ou: {name}"));
    let lines = |entry: &Entry| entry.lines.iter().map(|line| moved(line)).collect();
    entries.iter().map(|entry| Entry { dn: moved(&entry.dn), lines: lines(entry) }).collect()
}

both!(
    /// LDAP-039, LDAP-073: a unit with another name comes as one entry, and is one change; everybody below keeps department, groups
    /// and account, and a full run finds nothing to do.
    a_renamed_unit_is_one_change,
    |kind| async move {
        let company = Company::with(kind, &keeping(), "").await;
        company.rules("[[rule]]\nid = \"s\"\nrole = \"seller\"\ndescription = \"sales\"\ndepartment = \"verkauf\"\n");
        let before = company.snapshot(&sales(40)).await;
        company.full(&before).await;
        let department = company.user("u2").await.department_id;
        let after = company.snapshot(&renamed(&sales(40), "verkauf")).await;
        let mut moved = Delta::new("hr", position(2));
        let is_renamed = |id: &str| id == uuid(900_000);
        moved.departments.extend(after.departments.iter().filter(|entry| is_renamed(&entry.external_id)).cloned());
        let report = company.increment(&moved).await;
        assert_eq!(report.full_follows, []);
        assert_eq!((report.departments.changed, report.users.changed), (1, 0), "{report:#?}");
        // The role follows the code: one change of a department, and forty people gain it.
        assert_eq!((report.changes, report.roles["seller"].granted), (41, 40));
        assert_eq!(company.user("u2").await.department_id, department);
        assert_eq!(company.user("u2").await.status, yaopai::model::Status::Active);
        let again = company.full(&after).await;
        assert_eq!(again.state, RunState::Unchanged, "{again:#?}");
        // Found under the new name: a member by that name is known.
        let mut change = Delta::new("hr", position(3));
        change.members.push(MemberChange {
            external_id: uuid(900_002),
            added: vec![],
            removed: vec![format!("cn=p2,ou=verkauf,{BASE}")],
        });
        assert_eq!(company.increment(&change).await.members.removed, 1);
    }
);

both!(
    /// A group gains and loses members one by one: as many statements for a large group as for a small one, and the next
    /// full run finds nothing to do.
    members_change_one_by_one,
    |kind| async move {
        let mut statements = Vec::new();
        for people in [20, 400] {
            let company = Company::with(kind, &keeping(), "").await;
            company.rules("[[rule]]\nid = \"s\"\nrole = \"seller\"\ndescription = \"s\"\ngroup = \"staff\"\n");
            let mut entries = sales(people);
            entries.insert(2, person(5_000, "new", BASE));
            let before = company.snapshot(&entries).await;
            company.full(&before).await;
            let mut change = Delta::new("hr", position(2));
            let new = format!("cn=p5000,{BASE}");
            let old = format!("cn=p2,{SALES}");
            change.members.push(MemberChange {
                external_id: uuid(900_002),
                added: vec![new.clone(), "cn=nobody,dc=example,dc=com".to_owned()],
                removed: vec![old.clone()],
            });
            let (report, count) = Box::pin(counted(company.increment(&change))).await;
            statements.push(count);
            assert_eq!((report.members.added, report.members.removed, report.members.skipped), (1, 1, 1));
            assert_eq!((report.roles["seller"].granted, report.roles["seller"].revoked), (1, 1));
            assert_eq!(company.members("staff").await, usize::try_from(people).unwrap());
            assert_eq!(company.roles("new").await, ["seller"]);
            // The same again changes nothing.
            assert_eq!(company.increment(&change).await.state, RunState::Unchanged);
            let staff = entries.iter_mut().find(|entry| entry.dn.starts_with("cn=staff")).unwrap();
            staff.lines.retain(|line| *line != format!("member: {old}"));
            staff.lines.extend([format!("member: {new}"), "member: cn=nobody,dc=example,dc=com".to_owned()]);
            let after = company.snapshot(&entries).await;
            let again = company.full(&after).await;
            assert_eq!(again.state, RunState::Unchanged, "{again:#?}");
        }
        assert_eq!(statements[0], statements[1], "the cost follows what changed");
    }
);

both!(
    /// The number of statements follows what changed, not the size of the company.
    an_increment_costs_what_changed,
    |kind| async move {
        let mut statements = Vec::new();
        for people in [30, 600] {
            let company = Company::with(kind, &keeping(), "max_disabled_percent = 100").await;
            let mut entries = sales(people);
            let before = company.snapshot(&entries).await;
            company.full(&before).await;
            entries[2] = entries[2].clone().with("mail", "one@example.com");
            entries[3] = entries[3].clone().with("title", "clerk");
            entries[4] = entries[4].clone().with("employeeType", "left");
            let after = company.snapshot(&entries).await;
            let (report, count) = Box::pin(counted(company.increment(&delta(&before, &after)))).await;
            assert_eq!((report.users.changed, report.users.locked_out), (3, 1), "{report:#?}");
            statements.push(count);
            assert_eq!(company.full(&after).await.state, RunState::Unchanged);
        }
        assert_eq!(statements[0], statements[1]);
        assert!(statements[0].statements <= 120, "{statements:?}");
        println!("an increment of three people: {:?}", statements[0]);
    }
);

both!(
    /// LDAP-031: who is gone is locked out; those they managed have no manager, groups keep their place; how long it took is kept.
    a_leaver_is_out_and_it_is_timed,
    |kind| async move {
        let company = Company::with(kind, MAPPING, "").await;
        let mut entries = sales(20);
        let boss = entries[2].dn.clone();
        entries[3] = entries[3].clone().with("manager", &boss);
        let before = company.snapshot(&entries).await;
        company.full(&before).await;
        let boss = company.user("u1").await.id;
        assert_eq!(company.user("u2").await.manager_id, Some(boss));
        // Looked for a second time, and not found.
        company.write(&entries.iter().filter(|entry| entry.dn != entries[2].dn).cloned().collect::<Vec<_>>());
        let now = company.broker.clock.now();
        let mut gone = Delta::new("hr", position(2));
        gone.gone.push(Gone::Id { part: None, external_id: uuid(1) });
        gone.changed_at.insert(uuid(1), now - Duration::milliseconds(1_500));
        let report = company.increment(&gone).await;
        assert_eq!((report.users.absent, report.users.changed), (1, 1), "{report:#?}");
        assert_eq!(company.user("u2").await.manager_id, None);
        assert_eq!(report.full_follows, []);
        let timed = report.lockout.unwrap();
        assert_eq!((timed.people, timed.timed, timed.max_ms, timed.median_ms), (1, 1, 1_500, 1_500));
        let kept = company.broker.db.read().await.unwrap().sync_positions().list_lockouts("hr", 5).await.unwrap();
        assert_eq!(kept.iter().map(|one| (one.user_id, one.millis)).collect::<Vec<_>>(), [(boss, 1_500)]);
        // The directory takes them out of the group and from those they managed; a full run finds nothing to do.
        let gone_dn = entries.remove(2).dn;
        for entry in &mut entries {
            entry.lines.retain(|line| !line.contains(&gone_dn));
        }
        let after = company.snapshot(&entries).await;
        let again = company.full(&after).await;
        assert_eq!(again.state, RunState::Unchanged, "{again:#?}");
    }
);

both!(
    /// LDAP-019, LDAP-085: a held increment changes nothing and does not move the position; approved, it does both.
    a_held_increment_does_not_move_the_position,
    |kind| async move {
        let company = Company::with(kind, MAPPING, "max_disabled = 1\nfloor = 0").await;
        let entries = sales(20);
        let before = company.snapshot(&entries).await;
        company.full(&before).await;
        let stored = async || company.broker.db.read().await.unwrap().sync_positions().find("hr").await.unwrap();
        company.write(&[&entries[..2], &entries[5..]].concat());
        let begun = stored().await.unwrap();
        assert_eq!(begun.position, None);
        let mut gone = Delta::new("hr", position(7));
        gone.gone.extend((1..4).map(|id| Gone::Id { part: Some(Part::Users), external_id: uuid(id) }));
        let held = company.increment(&gone).await;
        assert_eq!(held.state, RunState::Held);
        let waiting = stored().await.unwrap();
        assert_eq!((waiting.position, waiting.blocked_by), (None, held.plan_id));
        // Nothing is read past it.
        let step = sync::increment(&company.broker, "hr", "schedule", &mut |_| {}).await.unwrap();
        assert_eq!(step, Increment::Waits(Waiting::Held(held.plan_id.unwrap())));
        company.approve(&held).await;
        let done = stored().await.unwrap();
        assert_eq!(done.blocked_by, None);
        assert!(done.position.unwrap().0.to_string().contains('7'));
        assert_eq!(company.user("u1").await.status_reason.as_deref(), Some("absent"));
    }
);

both!(
    /// LDAP-044, LDAP-050: what cannot be judged alone is left to a full run, and says why; the rest takes effect.
    what_cannot_be_judged_alone_is_left,
    |kind| async move {
        let company = Company::with(kind, &keeping(), WIDE).await;
        let mut entries = sales(10);
        let first = company.snapshot(&entries).await;
        company.full(&first).await;
        // A joiner with the login name of somebody who is here, and a leaver.
        let mut thief = person(50, "u3", SALES);
        thief.lines.push("mail: thief@example.com".to_owned());
        entries.insert(2, thief);
        entries[6] = entries[6].clone().with("employeeType", "left");
        let second = company.snapshot(&entries).await;
        let report = company.increment(&delta(&first, &second)).await;
        assert_eq!((report.users.created, report.users.locked_out), (0, 1), "{report:#?}");
        assert_eq!(report.full_follows, [FullReason::Duplicate]);
        assert_eq!(company.user("u3").await.mail, None);
        let full = company.full(&second).await;
        assert_eq!(full.findings["duplicate_login"], 2, "{full:#?}");
        // Back again: the groups that were kept for them are compared by the full run.
        entries[6].lines.pop();
        let third = company.snapshot(&entries).await;
        let report = company.increment(&delta(&second, &third)).await;
        assert_eq!((report.full_follows.as_slice(), report.changes), (&[FullReason::Returned][..], 0), "{report:#?}");
        assert_eq!(company.full(&third).await.users.enabled, 1);
    }
);
