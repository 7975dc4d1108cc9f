//! Increments lead where full runs lead, whatever changes and in whatever order.

use std::collections::HashMap;

use yaopai::model::RunState;
use yaopai::source::{self, Delta, Gone, MemberChange, Part, Snapshot};
use yaopai::store::counted;
use yaopai::sync::{self, FullReason, RunReport};

use super::again::{Dice, directory, state};
use super::delta::position;
use super::{BASE, Company, Entry, MAPPING, SALES, UNLIMITED, group, person, unit};
use crate::both;
use crate::harness::Kind;

/// What a directory would tell of the way from one state to the other.
pub(super) fn delta(before: &Snapshot, after: &Snapshot) -> Delta {
    let mut delta = Delta::new("hr", position(2));
    let parts = [
        (Part::Users, &before.users, &after.users),
        (Part::Departments, &before.departments, &after.departments),
        (Part::Groups, &before.groups, &after.groups),
    ];
    for (part, old, new) in parts {
        let old: HashMap<&str, _> = old.iter().map(|entry| (entry.external_id.as_str(), entry)).collect();
        let rejected: Vec<_> = after.rejected.iter().filter(|one| one.part == part).collect();
        let changed: Vec<_> = new.iter().filter(|entry| old.get(entry.external_id.as_str()) != Some(entry)).collect();
        let is_there = |id: &str| {
            new.iter().any(|entry| entry.external_id == id)
                || rejected.iter().any(|one| one.external_id.as_deref() == Some(id))
        };
        let gone = old.keys().filter(|id| !is_there(id));
        delta.gone.extend(gone.map(|id| Gone::Id { part: Some(part), external_id: (*id).to_owned() }));
        let list = match part {
            Part::Users => &mut delta.users,
            Part::Departments => &mut delta.departments,
            Part::Groups => &mut delta.groups,
        };
        list.extend(changed.into_iter().cloned());
    }
    delta.rejected.extend(after.rejected.iter().filter(|one| !before.rejected.contains(one)).cloned());
    delta
}

/// One to three entries differ, come or go.
fn disturb(entries: &mut Vec<Entry>, dice: &mut Dice) {
    for _ in 0..=dice.roll(3) {
        let other = directory(dice);
        let at = usize::try_from(dice.roll(u64::try_from(entries.len().max(1)).unwrap())).unwrap();
        match (dice.roll(5), entries.get(at).cloned()) {
            (0, Some(_)) => drop(entries.remove(at)),
            (1, _) => {
                let known: Vec<String> = entries.iter().filter_map(|entry| entry.lines.get(1).cloned()).collect();
                entries.extend(other.into_iter().find(|new| new.lines.get(1).is_some_and(|id| !known.contains(id))));
            }
            (_, Some(one)) => {
                let same = other.into_iter().find(|other| other.lines.get(1) == one.lines.get(1));
                if let (Some(place), Some(same)) = (entries.get_mut(at), same) {
                    *place = same;
                }
            }
            _ => {}
        }
    }
}

/// Groups of which nothing but members changed, as a server tells them that sends no more than that. Not where somebody was
/// renamed: such a server keeps references, and sends no member for it.
fn by_members(delta: &mut Delta, before: &Snapshot, after: &Snapshot) {
    let names = |snapshot: &Snapshot| -> HashMap<String, String> {
        let all = snapshot.users.iter().chain(&snapshot.groups).chain(&snapshot.departments);
        let entries = all.map(|entry| (entry.external_id.clone(), entry.dn.clone()));
        let rejected = snapshot.rejected.iter();
        entries.chain(rejected.filter_map(|one| Some((one.external_id.clone()?, one.dn.clone())))).collect()
    };
    let (old, new) = (names(before), names(after));
    if old.iter().any(|(id, dn)| new.get(id).is_some_and(|now| now != dn)) {
        return;
    }
    for group in std::mem::take(&mut delta.groups) {
        let known = before.groups.iter().find(|known| known.external_id == group.external_id);
        let Some(known) = known.filter(|known| {
            let rest = |one: &source::Entry| {
                let mut rest = one.attributes.to_map();
                rest.remove("member");
                rest
            };
            rest(known) == rest(&group)
        }) else {
            delta.groups.push(group);
            continue;
        };
        let members = |one: &source::Entry| one.attributes.all("member").map(str::to_owned).collect::<Vec<_>>();
        let (was, is) = (members(known), members(&group));
        let without = |all: &[String], rest: &[String]| all.iter().filter(|dn| !rest.contains(dn)).cloned().collect();
        let (added, removed) = (without(&is, &was), without(&was, &is));
        delta.members.push(MemberChange { external_id: group.external_id, added, removed });
    }
}

/// A second source, which adds to the people of the first.
const COSTS: &str = "\n[[source]]\nname = \"costs\"\n[source.ldif]\nfile = \"costs.ldif\"\n[source.users]\nlogin = \"uid\"\n\
                     employee_number = \"employeeNumber\"\ntitle = \"title\"\nmail = \"mail\"\nattributes = { cost = \"street\" }\n\
                     [source.join]\ncreates = false\n[precedence]\nmail = [\"costs\", \"hr\"]\n";

/// What the second source says of most people.
async fn add_costs(company: &Company) {
    let mut text = String::from("version: 1\n");
    for id in 10..18 {
        let entry =
            person(id, &format!("u{id}"), "dc=costs,dc=com").with("street", &format!("C{id}")).with("mail", "m@costs");
        text.extend(["\ndn: ", &entry.dn, "\n", &entry.lines.join("\n"), "\n"]);
    }
    std::fs::write(company.folder.path().join("costs.ldif"), text).unwrap();
    let report = sync::run(&company.broker, "costs", "cli", &mut |_| {}).await.unwrap();
    assert!(report.users.changed > 0, "{report:#?}");
}

/// What an increment was about and came to, for who has to find out why it went wrong.
fn told(step: u32, delta: &Delta, report: &RunReport) -> String {
    let last = |id: &str| id.rsplit('-').next().unwrap_or_default().trim_start_matches('0').to_owned();
    let ids = |entries: &[source::Entry]| entries.iter().map(|entry| last(&entry.external_id)).collect::<Vec<_>>();
    let found: Vec<String> =
        report.finding_list.iter().map(|one| format!("{} {}", one.code, last(&one.external_id))).collect();
    format!(
        "step {step}: users {:?}, departments {:?}, groups {:?}, members {:?}, rejected {}, gone {:?}\n  {:?} {:?} {found:?}\n",
        ids(&delta.users),
        ids(&delta.departments),
        ids(&delta.groups),
        delta.members,
        delta.rejected.len(),
        delta.gone,
        report.members,
        report.full_follows,
    )
}

/// What only one of two states holds.
fn differing(company: &[String], other: &[String]) -> String {
    let only = |one: &[String], rest: &[String], name: &str| {
        let lines = one.iter().filter(|line| !rest.contains(line));
        lines.map(|line| format!("  only {name}: {line}\n")).collect::<Vec<_>>().concat()
    };
    only(company, other, "by increments") + &only(other, company, "by full runs")
}

/// Whether whose number it is depends on who had it when, so that two companies may differ.
fn is_about_history(report: &RunReport, seed: u64, step: u32) -> bool {
    assert_ne!(report.state, RunState::Held, "seed {seed}, step {step}: {report:#?}");
    ["join_ambiguous", "rehire_conflict"].iter().any(|code| report.findings.contains_key(*code))
}

async fn company(kind: Kind, are_several: bool) -> Company {
    let guard = format!("{UNLIMITED}protected = [\"u1\"]{}", if are_several { COSTS } else { "" });
    Company::with(kind, MAPPING, &guard).await
}

async fn histories(kind: Kind, seeds: std::ops::Range<u64>, are_several: bool) {
    let (mut alone, mut followed) = (0, 0);
    for seed in seeds {
        let mut dice = Dice(seed);
        let mut entries = directory(&mut dice);
        let (company, other) = (company(kind, are_several).await, company(kind, are_several).await);
        let mut before = company.snapshot(&entries).await;
        for company in [&company, &other] {
            company.full(&before).await;
            if are_several {
                add_costs(company).await;
            }
        }
        let mut course = String::new();
        'steps: for step in 0..8 {
            let (mut reasons, mut is_protected) = (Vec::new(), false);
            for _ in 0..=dice.roll(2) {
                disturb(&mut entries, &mut dice);
                let after = company.snapshot(&entries).await;
                let mut delta = delta(&before, &after);
                if dice.roll(2) == 0 {
                    by_members(&mut delta, &before, &after);
                }
                let report = company.increment(&delta).await;
                course += &told(step, &delta, &report);
                // Who lost a protected login name and was locked out at once is kept in by the name that they had, once.
                is_protected |= report.findings.contains_key("protected_login");
                reasons.extend(report.full_follows);
                before = after;
                if before.users.is_empty() {
                    // The guard holds a directory without people.
                    break 'steps;
                }
                // The other company goes through the same: whoever is locked out keeps memberships until they are back.
                // Whoever is absent is looked for once more: it has to have the same file.
                other.write(&entries);
                other.full(&before).await;
                course += &differing(&state(&company, true).await, &state(&other, true).await);
                if !reasons.is_empty() {
                    // The full run follows before anything else is read.
                    break;
                }
            }
            let shown = state(&company, true).await;
            let report = company.full(&before).await;
            let is_nothing = report.changes == 0 || is_protected || !reasons.is_empty();
            assert!(is_nothing, "seed {seed}, step {step}: {report:#?}\n{shown:#?}\n{course}");
            *(if reasons.is_empty() { &mut alone } else { &mut followed }) += 1;
            let whole = other.full(&before).await;
            if [&report, &whole].into_iter().any(|report| is_about_history(report, seed, step)) {
                break 'steps;
            }
            if reasons.is_empty() {
                let differing = differing(&state(&company, false).await, &state(&other, false).await);
                assert!(differing.is_empty(), "seed {seed}, step {step}:\n{course}in the end:\n{differing}");
            }
            let again = company.full(&before).await;
            assert_eq!(again.state, RunState::Unchanged, "seed {seed}, step {step}: {again:#?}");
        }
    }
    assert!(alone > 0 && followed > 0, "{alone} increments alone, {followed} followed by a full run");
}

both!(
    /// LDAP-034, LDAP-088: random directories and random changes, as increments: a full run afterwards plans nothing, and the state is
    /// that of full runs only, unless the increment says itself that a full run has to follow.
    increments_lead_where_full_runs_lead,
    |kind| histories(kind, if kind == Kind::Sqlite { 100..130 } else { 130..138 }, false)
);

both!(
    /// The same where a second source adds to the people, and is master of some of what is said of them.
    increments_lead_where_full_runs_lead_with_several_sources,
    |kind| histories(kind, if kind == Kind::Sqlite { 200..220 } else { 220..226 }, true)
);

both!(
    /// What an increment of one of several sources reads does not grow with the companies: statements and rows.
    an_increment_of_several_sources_costs_what_changed,
    |kind| async move {
        let mut costs = Vec::new();
        for people in [40, 400] {
            let company = Company::with(kind, MAPPING, &format!("{UNLIMITED}{COSTS}")).await;
            company.rules("[[rule]]\nid = \"g\"\nrole = \"seller\"\ndescription = \"g\"\ngroup = \"staff\"\n");
            let mut entries = vec![unit(900_000, "sales", BASE)];
            entries.extend((10..10 + people).map(|id| person(id, &format!("u{id}"), SALES)));
            let names: Vec<String> = entries.iter().skip(2).map(|entry| entry.dn.clone()).collect();
            entries.push(group(900_002, "staff", &names.iter().map(String::as_str).collect::<Vec<_>>()));
            let first = company.snapshot(&entries).await;
            company.full(&first).await;
            add_costs(&company).await;
            entries[1] = entries[1].clone().with("l", "Xi'an");
            entries[2] = entries[2].clone().with("employeeType", "left");
            entries[3] = entries[3].clone().with("manager", &entries[1].dn);
            entries.insert(1, person(5_000, "joiner", SALES));
            let staff = entries.iter_mut().find(|entry| entry.dn.starts_with("cn=staff")).unwrap();
            staff.lines.push(format!("member: cn=p5000,{SALES}"));
            let second = company.snapshot(&entries).await;
            let mut change = delta(&first, &second);
            by_members(&mut change, &first, &second);
            let (report, cost) = Box::pin(counted(company.increment(&change))).await;
            assert_eq!(report.full_follows, [], "{report:#?}");
            assert_eq!((report.users.created, report.users.changed, report.users.locked_out), (1, 3, 1), "{report:#?}");
            assert_eq!((report.members.added, report.roles["seller"].granted), (1, 1));
            // What the other source says stays.
            assert_eq!(company.user("u10").await.mail.as_deref(), Some("m@costs"));
            assert_eq!(company.user("u10").await.attributes.0["cost"], ["C10"]);
            costs.push(cost);
            assert_eq!(company.full(&second).await.state, RunState::Unchanged);
        }
        assert_eq!(costs[0], costs[1], "the cost follows what changed");
        println!("an increment of one of two sources: {:?}", costs[0]);
    }
);

both!(
    /// Members whom another source returned come and go by name as those of the own source do.
    members_of_another_source_come_and_go,
    |kind| async move {
        let child = "\n[[source]]\nname = \"child\"\n[source.ldif]\nfile = \"child.ldif\"\n[source.users]\nlogin = \"uid\"\n";
        let company = Company::with(kind, MAPPING, &format!("{UNLIMITED}{child}")).await;
        let stranger = person(50, "stranger", "dc=child,dc=com");
        let text = format!("version: 1\n\ndn: {}\n{}\n", stranger.dn, stranger.lines.join("\n"));
        std::fs::write(company.folder.path().join("child.ldif"), text).unwrap();
        sync::run(&company.broker, "child", "cli", &mut |_| {}).await.unwrap();
        let mut entries = vec![person(1, "u1", BASE), group(10, "staff", &[])];
        entries[1] = group(10, "staff", &[&entries[0].dn]);
        let mut before = company.snapshot(&entries).await;
        company.full(&before).await;
        let with = group(10, "staff", &[&entries[0].dn, &stranger.dn]);
        for (staff, expected) in [(with, (1, 0)), (entries[1].clone(), (0, 1))] {
            entries[1] = staff;
            let after = company.snapshot(&entries).await;
            let mut change = delta(&before, &after);
            by_members(&mut change, &before, &after);
            assert_eq!(change.members.len(), 1);
            let report = company.increment(&change).await;
            assert_eq!((report.members.added, report.members.removed), expected, "{report:#?}");
            assert_eq!(company.full(&after).await.state, RunState::Unchanged);
            before = after;
        }
    }
);

both!(
    /// Renamed and unreadable at once: who names them by the old name has no manager, says the full run that follows.
    somebody_renamed_and_unreadable_is_noticed,
    |kind| async move {
        let company = Company::with(kind, MAPPING, UNLIMITED).await;
        let boss = person(1, "boss", BASE);
        let mut entries = vec![boss.clone(), person(2, "u2", BASE).with("manager", &boss.dn)];
        let first = company.snapshot(&entries).await;
        company.full(&first).await;
        entries[0].dn = format!("cn=somebody,{BASE}");
        entries[0].lines.retain(|line| !line.starts_with("uid:"));
        let second = company.snapshot(&entries).await;
        let report = company.increment(&delta(&first, &second)).await;
        assert_eq!(report.full_follows, [FullReason::Reference], "{report:#?}");
        company.full(&second).await;
        assert_eq!(company.user("u2").await.manager_id, None);
        assert_eq!(company.user("boss").await.status, yaopai::model::Status::Active);
    }
);

both!(
    /// A member whose entry cannot be read counts as present: they stay in a group that no longer lists them, in a full run as
    /// in an increment, and leave it with the first full run that can read them.
    members_who_cannot_be_read_stay,
    |kind| async move {
        for whole in [true, false] {
            let company = Company::with(kind, MAPPING, UNLIMITED).await;
            let mut entries = vec![person(1, "u1", BASE), person(2, "u2", BASE), person(3, "u3", BASE)];
            let names: Vec<String> = entries.iter().map(|entry| entry.dn.clone()).collect();
            entries.push(group(10, "staff", &[&names[0], &names[1], &names[2]]));
            let first = company.snapshot(&entries).await;
            company.full(&first).await;
            let readable = entries[1].clone();
            entries[1].lines.retain(|line| !line.starts_with("uid:"));
            let second = company.snapshot(&entries).await;
            assert_eq!(company.full(&second).await.users.quarantined, 1);
            entries[3] = group(10, "staff", &[&names[0]]);
            let third = company.snapshot(&entries).await;
            let mut change = delta(&second, &third);
            if !whole {
                by_members(&mut change, &second, &third);
                assert_eq!((change.groups.len(), change.members.len()), (0, 1));
            }
            // Who can be read leaves at once, who cannot stays: also when everything is compared again.
            assert_eq!(company.increment(&change).await.members.removed, 1);
            assert_eq!((company.members("staff").await, company.groups("u2").await), (2, vec!["staff".to_owned()]));
            for _ in 0..2 {
                assert_eq!(company.full(&third).await.state, RunState::Unchanged);
                assert_eq!(company.members("staff").await, 2);
            }
            entries[1] = readable;
            let fourth = company.snapshot(&entries).await;
            let report = company.increment(&delta(&third, &fourth)).await;
            assert_eq!(report.full_follows, [FullReason::Returned], "{report:#?}");
            let full = company.full(&fourth).await;
            assert_eq!((full.members.removed, company.members("staff").await), (1, 1), "{full:#?}");
            assert_eq!(company.full(&fourth).await.state, RunState::Unchanged);
        }
    }
);
