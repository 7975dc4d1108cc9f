//! Role rules over a large company: right, and not in proportion to people times rules.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use uuid::Uuid;
use yaopai::access::{RoleDepartment, RoleFacts, RolePerson, RoleRules};
use yaopai::model::{Attributes, DepartmentId, GroupId, Member, ObjectKind, PositionId, UserId};

const PEOPLE: usize = 20_000;
const DEPARTMENTS: usize = 500;
const POSITIONS: usize = 50;

fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128)
}

/// Rules over departments, positions, groups, heads and attributes: a hundred and one, as a company may have them.
fn rules() -> RoleRules {
    let mut text = "[[rule]]\nid = \"all\"\nrole = \"employee\"\ndescription = \"all\"\neveryone = true\n".to_owned();
    let mut rule = |number: usize, what: String| {
        let _ = writeln!(text, "[[rule]]\nid = \"r{number}\"\nrole = \"role{number}\"\ndescription = \"d\"\n{what}");
    };
    for number in 0..20 {
        rule(number, format!("department = \"d{number}\"\nposition = \"p{number}\"\nscope = \"own\""));
        rule(100 + number, format!("group = \"g{number}\""));
        rule(200 + number, format!("position = [\"p{number}\", \"p{}\"]\nassignment = \"any\"", number + 20));
        rule(300 + number, format!("attribute = {{ name = \"grade\", value = \"m{number}\" }}"));
        rule(400 + number, format!("department = \"d{number}\"\nhead = true\nscope = \"headed\""));
    }
    RoleRules::parse("roles.toml", &text).unwrap()
}

#[test]
fn a_hundred_rules_over_twenty_thousand_people() {
    let grades: Vec<Attributes> =
        (0..100).map(|grade| Attributes::from([("grade".to_owned(), vec![format!("M{grade}")])])).collect();
    let (departments, positions): (Vec<String>, Vec<String>) =
        ((0..DEPARTMENTS).map(|n| format!("D{n}")).collect(), (0..POSITIONS).map(|n| format!("P{n}")).collect());
    let groups: Vec<String> = (0..20).map(|number| format!("g{number}")).collect();
    let person = |number: usize| RolePerson {
        id: UserId(id(number + 1)),
        department: Some(DepartmentId(id(number % DEPARTMENTS + 1))),
        position: Some(PositionId(id(number % POSITIONS + 1))),
        title: None,
        employee_number: None,
        mail: None,
        attributes: &grades[number % 100],
        manager: None,
        assignments: &[],
    };
    let member = |number: usize| Member {
        group_id: GroupId(id(number % 20 + 1)),
        member_kind: ObjectKind::User,
        member_id: id(number * 10 + 1),
    };
    let facts = RoleFacts {
        people: (0..PEOPLE).map(person).collect(),
        departments: departments
            .iter()
            .enumerate()
            .map(|(n, code)| {
                let head = Some(UserId(id(n + 1)));
                (DepartmentId(id(n + 1)), RoleDepartment { head, ..RoleDepartment::plain(code, None) })
            })
            .collect(),
        positions: positions.iter().enumerate().map(|(n, code)| (PositionId(id(n + 1)), code.as_str())).collect(),
        groups: groups.iter().enumerate().map(|(n, code)| (GroupId(id(n + 1)), code.as_str())).collect(),
        members: (0..PEOPLE / 10).map(member).collect(),
        ..RoleFacts::default()
    };
    let rules = rules();
    let begun = Instant::now();
    let grants = rules.evaluate(&facts);
    let took = begun.elapsed();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for grant in &grants {
        *counts.entry(&grant.role).or_default() += 1;
    }
    // Everybody; 40 a department, all of one position; 100 a group; 400 a position; 200 a grade; one head.
    let expected = [("employee", PEOPLE), ("role0", 40), ("role100", 100), ("role200", 800), ("role300", 200)];
    for (role, people) in expected.into_iter().chain([("role400", 1)]) {
        assert_eq!(counts.get(role), Some(&people), "{role}");
    }
    assert_eq!(grants.iter().find(|grant| &*grant.role == "role419").map(|grant| &*grant.scope), Some("D19"));
    // Without optimisation, on a machine that does other things too: a fraction of a second by itself.
    assert!(took < Duration::from_secs(30), "{took:?}");
}
