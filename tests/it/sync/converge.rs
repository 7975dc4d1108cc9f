//! Whatever a directory went through, and however often it was read on the way: what is here in the end is what a fresh
//! import of it gives. Random directories in which everything changes hands (names, numbers, codes, places), and the
//! sample company in the course of time.

use std::fmt::Write as _;

use yaopai::model::RunState;
use yaopai::random::Rng;
use yaopai::sample::Course;

use super::kill::source_without_limits;
use super::natural::{assert_same, state};
use super::{BASE, Company, Entry, MAPPING, UNLIMITED, group, person, unit};
use crate::both;
use crate::harness::Kind;

const SOURCE: &str = "hr";
const RULES: &str = "[[rule]]\nid = \"all\"\nrole = \"employee\"\ndescription = \"everybody\"\neveryone = true\n\
    [[rule]]\nid = \"place\"\nrole = \"buyer\"\ndescription = \"a department and below\"\ndepartment = \"name1\"\n\
    [[rule]]\nid = \"group\"\nrole = \"approver\"\ndescription = \"a group\"\ngroup = \"team2\"\n\
    [[rule]]\nid = \"title\"\nrole = \"clerk\"\ndescription = \"a title\"\nposition = \"Clerk\"\n";

/// Random choices.
struct Dice(Rng);

impl Dice {
    fn below(&self, bound: u32) -> u32 {
        u32::from_be_bytes(self.0.bytes()) % bound
    }

    /// The numbers below `count` in a random order.
    fn order(&self, count: u32) -> Vec<u32> {
        let mut all: Vec<u32> = (0..count).collect();
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(u32::try_from(at).unwrap() + 1) as usize);
        }
        all
    }
}

/// A directory of up to 14 people, 7 units and 4 groups. The ids are the same in all of them, whatever else is not.
fn directory(dice: &Dice) -> Vec<Entry> {
    let names = dice.order(7);
    let mut units: Vec<(String, Entry)> = Vec::new();
    for id in dice.order(7).into_iter().take(3 + dice.below(5) as usize) {
        let above = match dice.below(u32::try_from(units.len()).unwrap() + 1) as usize {
            0 => BASE.to_owned(),
            at => units[at - 1].0.clone(),
        };
        let entry = unit(100 + id, &format!("name{}", names[id as usize]), &above);
        units.push((entry.dn.clone(), entry));
    }
    let (logins, numbers) = (dice.order(16), dice.order(16));
    let mut people: Vec<Entry> = Vec::new();
    for id in dice.order(14).into_iter().take(5 + dice.below(10) as usize) {
        let place = &units[dice.below(u32::try_from(units.len()).unwrap()) as usize].0;
        let mut entry = person(id + 1, &format!("login{}", logins[id as usize]), place);
        entry.lines.retain(|line| !line.starts_with("employeeNumber"));
        entry = entry.with("employeeNumber", &format!("N{}", numbers[id as usize]));
        entry = entry.with("title", ["Clerk", "Buyer", "Driver"][dice.below(3) as usize]);
        entry = entry.with("employeeType", if dice.below(6) == 0 { "left" } else { "active" });
        if dice.below(2) == 0 {
            entry = entry.with("mail", &format!("m{}@example.com", dice.below(5)));
        }
        if dice.below(3) == 0 {
            entry = entry.with("l", ["Beijing", "Shanghai"][dice.below(2) as usize]);
        }
        people.push(entry);
    }
    // Managers may go round in circles and may be oneself.
    let dns: Vec<String> = people.iter().map(|person| person.dn.clone()).collect();
    let anybody = || dns[dice.below(u32::try_from(dns.len()).unwrap()) as usize].clone();
    for person in &mut people {
        if dice.below(3) > 0 {
            *person = person.clone().with("manager", &anybody());
        }
    }
    let teams = dice.order(4);
    let present: Vec<u32> = dice.order(4).into_iter().take(1 + dice.below(4) as usize).collect();
    let team = |id: u32| format!("team{}", teams[id as usize]);
    let groups = present.iter().map(|id| {
        let mut members: Vec<String> = (0..=dice.below(6)).map(|_| anybody()).collect();
        if dice.below(2) == 0 {
            let nested = present[dice.below(u32::try_from(present.len()).unwrap()) as usize];
            members.push(format!("cn={},ou=groups,{BASE}", team(nested)));
        }
        members.sort();
        members.dedup();
        group(200 + id, &team(*id), &members.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let groups: Vec<Entry> = groups.collect();
    units.into_iter().map(|(_, entry)| entry).chain(people).chain(groups).collect()
}

/// Who is locked out keeps roles and memberships; a fresh import never gave any.
fn comparable(lines: Vec<String>) -> Vec<String> {
    let is_out = |line: &&String| line.starts_with("user:") && line.contains("(Disabled, ");
    let out: Vec<String> = lines.iter().filter(is_out).map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    let is_kept = |line: &String| {
        let (who, rest) = line.split_once(' ').unwrap();
        !(out.iter().any(|id| id == who) && (rest.starts_with("in ") || rest.starts_with("has ")))
    };
    lines.into_iter().filter(is_kept).collect()
}

async fn company(kind: Kind, rehire: &str) -> Company {
    let mapping = format!("{MAPPING}\n[source.grace]\nrehire = \"{rehire}\"\n");
    let company = Company::with(kind, &mapping, UNLIMITED).await;
    company.rules(RULES);
    company
}

/// One company lives through directories of a seed, another imports the last one. False where the last directory gives
/// somebody a number that several who are gone had: whose it is, nobody can tell, and they are left out, which a fresh
/// import cannot know of.
async fn converges(kind: Kind, seed: u64, rehire: &str) -> bool {
    let dice = Dice(Rng::seeded(seed));
    let living = company(kind, rehire).await;
    let mut last = Vec::new();
    let mut history = String::new();
    for turn in 0..3 + dice.below(3) {
        last = directory(&dice);
        let report = match dice.below(4) {
            // Planned, and applied afterwards.
            0 => {
                let plan = living.plan(&last).await;
                match plan.plan_id {
                    Some(id) => living.apply(id).await.unwrap(),
                    None => plan,
                }
            }
            // Planned twice: the second plan takes the place of the first.
            1 => {
                living.plan(&last).await;
                living.sync(&last).await
            }
            _ => living.sync(&last).await,
        };
        let is_done = matches!(report.state, RunState::Applied | RunState::Unchanged);
        assert!(is_done, "seed {seed}, turn {turn}: {report:#?}");
        let _ = write!(history, "{} changes, ", report.changes);
    }
    let again = living.run().await.unwrap();
    assert_eq!(again.state, RunState::Unchanged, "seed {seed}: a second look finds nothing: {again:#?}");
    if ["join_ambiguous", "rehire_conflict"].iter().any(|code| again.findings.contains_key(*code)) {
        assert_eq!(rehire, "restore", "seed {seed}: {again:#?}");
        return false;
    }
    let fresh = company(kind, rehire).await;
    fresh.applied(&last).await;
    let (one, other) = (state(&living.broker.db, SOURCE, true).await, state(&fresh.broker.db, SOURCE, true).await);
    assert!(other.len() > 15, "seed {seed}: {other:#?}");
    assert_same(&comparable(one), &comparable(other), &format!("seed {seed} ({history}) against a fresh import"));
    true
}

both!(
    /// LDAP-032, LDAP-034, LDAP-040, LDAP-041, LDAP-048
    any_course_of_full_runs_ends_like_a_fresh_import,
    |kind| async move {
        let seeds = if kind == Kind::Sqlite { 0..48 } else { 1_000..1_012 };
        let (mut same, mut unclear) = (0, 0);
        for seed in seeds {
            assert!(converges(kind, seed, "new").await);
            // Who comes back by their number is the same person, under whichever entry.
            if seed % 2 == 0 {
                if converges(kind, seed, "restore").await { same += 1 } else { unclear += 1 }
            }
        }
        assert!(same > 0, "{same} the same, {unclear} unclear");
    }
);

both!(
    /// The sample company after some batches of changes, of which not every one was read.
    the_course_of_a_company_ends_like_a_fresh_import,
    |kind| async move {
        for seed in if kind == Kind::Sqlite { 0..4 } else { 10..12 } {
            let dice = Dice(Rng::seeded(seed));
            let mapping = source_without_limits();
            let mapping = mapping.split_once("name = \"company\"").unwrap().1;
            let (mapping, guard) = mapping.split_once("[source.guard]\n").unwrap();
            let of_company = async || Company::with(kind, mapping, guard).await;
            let living = of_company().await;
            let mut course = Course::new(60, seed);
            let write = |company: &Company, course: &Course| {
                std::fs::write(company.folder.path().join("company.ldif"), course.ldif()).unwrap();
            };
            for _ in 0..5 {
                write(&living, &course);
                let report = living.run().await.unwrap();
                assert_eq!(report.state, RunState::Applied, "seed {seed}: {report:#?}");
                for _ in 0..=dice.below(3) {
                    let _ = course.next_batch(15);
                }
            }
            write(&living, &course);
            living.run().await.unwrap();
            let fresh = of_company().await;
            write(&fresh, &course);
            fresh.run().await.unwrap();
            let (one, other) =
                (state(&living.broker.db, SOURCE, true).await, state(&fresh.broker.db, SOURCE, true).await);
            assert_same(&comparable(one), &comparable(other), &format!("company of seed {seed}"));
        }
    }
);
