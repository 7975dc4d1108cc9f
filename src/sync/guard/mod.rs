//! The guard: limits that hold a plan before anything of it is applied.
//!
//! A plan is held when a number is over a limit, not at it. Percent limits never hold as few as `floor`. Rolling windows
//! add what was applied within a day or a week without anybody's approval: what somebody looked at does not count.
//!
//! How to add a limit: a key in `config/guard.rs`, a count in [`tally`], a line in [`judge`], a message
//! `sync-held-CODE` in both languages that names number, limit and key.

mod numbers;
mod tally;

use crate::config::{FirstRun, GuardConfig, SourceConfig};
use crate::crypto::sha256_hex;
use crate::model::ObjectKind;

use super::diff::Draft;
use super::report::HeldReason;

pub(super) use numbers::{Numbers, gather};
pub(super) use tally::Tally;
use tally::{CREATED, DEPARTMENTS, DISABLED, GROUPS, MEMBERS, ROLES};

/// Scope digest after an undo: the next run is held, so that it does not do again what was undone.
pub(super) const AFTER_UNDO: &str = "undone";

/// The limits on one thing that a plan does.
struct Limits<'a> {
    /// What it is about: a group, say.
    about: &'a str,
    /// What the percentage is of.
    of: i64,
    number: i64,
    percent: f64,
    per_day: i64,
    per_week: i64,
}

/// Reasons found so far.
struct Verdict<'a> {
    guard: &'a GuardConfig,
    held: Vec<HeldReason>,
}

impl Verdict<'_> {
    /// Holds when `actual` is over `limit`; `key` is what sets the limit.
    fn over(&mut self, code: &str, (actual, limit): (i64, i64), about: &str, key: String) {
        if actual > limit {
            let (code, about) = (code.to_owned(), about.to_owned());
            self.held.push(HeldReason { code, actual, limit, about, key });
        }
    }

    fn percent_over(&mut self, code: &str, (actual, of): (i64, i64), rate: f64, about: &str) {
        let floor = self.guard.floor;
        let key = format!("max_{code} = {rate}, floor = {floor}");
        self.over(code, (actual, percent(rate, of, floor)), about, key);
    }

    /// Number, percentage, day and week.
    fn all(&mut self, code: &str, actual: i64, lately: (i64, i64), limits: &Limits<'_>) {
        if actual == 0 {
            return;
        }
        let about = limits.about;
        self.over(code, (actual, limits.number), about, format!("max_{code} = {}", limits.number));
        self.percent_over(&format!("{code}_percent"), (actual, limits.of), limits.percent, about);
        let windows = [("per_day", lately.0, limits.per_day), ("per_week", lately.1, limits.per_week)];
        for (window, before, limit) in windows.into_iter().filter(|(_, before, _)| *before > 0) {
            let code = format!("{code}_{window}");
            let key = format!("max_{code} = {limit}");
            self.over(&code, (actual + before, limit), about, key);
        }
    }
}

/// Why the plan must be held; empty when it need not.
pub(super) fn judge(guard: &GuardConfig, draft: &Draft, tally: &Tally, numbers: &Numbers) -> Vec<HeldReason> {
    let mut verdict = Verdict { guard, held: Vec::new() };
    let read = draft.counts.get(&ObjectKind::User).map_or(0, |counts| counts.read);
    match &numbers.last_scope {
        None if guard.first_run == FirstRun::Hold => {
            verdict.over("first_run", (1, 0), "", "first_run = \"hold\"".into());
        }
        Some(last) if last == AFTER_UNDO => verdict.over("after_undo", (1, 0), "", String::new()),
        Some(last) if *last != numbers.scope => verdict.over("scope_changed", (1, 0), "", String::new()),
        _ => {}
    }
    if numbers.active > 0 && read == 0 {
        verdict.over("empty_snapshot", (numbers.active, 0), "", String::new());
    }
    people(&mut verdict, tally, numbers);
    let moved_out = if numbers.holds_moved_out { 0 } else { guard.max_moved_out };
    verdict.over("moved_out", (draft.moved_out, moved_out), "", format!("max_moved_out = {moved_out}"));
    if numbers.holds_rehired {
        verdict.over("rehired", (draft.rehired, 0), "", String::new());
    }
    organisation(&mut verdict, tally, numbers);
    for (pair, people) in &draft.separated {
        verdict.over("separation", (*people, 0), pair, String::new());
    }
    if numbers.is_known() {
        storms(&mut verdict, tally, numbers);
        protected(&mut verdict, tally, numbers);
    }
    verdict.held
}

/// Departments, groups, members of each group, roles.
fn organisation(verdict: &mut Verdict<'_>, tally: &Tally, numbers: &Numbers) {
    let guard = verdict.guard;
    let departments = Limits {
        about: "",
        of: numbers.departments,
        number: guard.max_departments_removed,
        percent: guard.max_departments_removed_percent,
        per_day: guard.max_departments_removed_per_day,
        per_week: guard.max_departments_removed_per_week,
    };
    verdict.all(DEPARTMENTS, tally.count(DEPARTMENTS), numbers.lately(DEPARTMENTS), &departments);
    let groups = Limits {
        about: "",
        of: numbers.groups,
        number: guard.max_groups_removed,
        percent: guard.max_groups_removed_percent,
        per_day: guard.max_groups_removed_per_day,
        per_week: guard.max_groups_removed_per_week,
    };
    verdict.all(GROUPS, tally.count(GROUPS), numbers.lately(GROUPS), &groups);
    for (group, removed) in tally.members() {
        let (code, members) = numbers.group(group);
        let limits = Limits {
            about: code,
            of: members,
            number: guard.max_members_removed,
            percent: guard.max_members_removed_percent,
            per_day: guard.max_members_removed_per_day,
            per_week: guard.max_members_removed_per_week,
        };
        verdict.all(MEMBERS, removed, numbers.lately_about(MEMBERS, &group.to_string()), &limits);
    }
    let roles = Limits {
        about: "",
        of: numbers.roles,
        number: guard.max_roles_revoked,
        percent: guard.max_roles_revoked_percent,
        per_day: guard.max_roles_revoked_per_day,
        per_week: guard.max_roles_revoked_per_week,
    };
    verdict.all(ROLES, tally.count(ROLES), numbers.lately(ROLES), &roles);
}

fn people(verdict: &mut Verdict<'_>, tally: &Tally, numbers: &Numbers) {
    let guard = verdict.guard;
    let disabled = Limits {
        about: "",
        of: numbers.active,
        number: guard.max_disabled,
        percent: guard.max_disabled_percent,
        per_day: guard.max_disabled_per_day,
        per_week: guard.max_disabled_per_week,
    };
    verdict.all(DISABLED, tally.count(DISABLED), numbers.lately(DISABLED), &disabled);
    if numbers.is_known() {
        let created = Limits {
            about: "",
            of: numbers.active,
            number: guard.max_created,
            percent: guard.max_created_percent,
            per_day: guard.max_created_per_day,
            per_week: guard.max_created_per_week,
        };
        verdict.all(CREATED, tally.count(CREATED), numbers.lately(CREATED), &created);
    }
    if let Some(most) = guard.max_people.filter(|_| tally.people > 0) {
        verdict.over("people", (numbers.active + tally.people, most), "", format!("max_people = {most}"));
    }
}

/// One attribute that changes, or becomes empty, for very many at once: a renamed mail domain, a lost right to read.
fn storms(verdict: &mut Verdict<'_>, tally: &Tally, numbers: &Numbers) {
    let (changed, emptied) = (verdict.guard.max_attribute_changed_percent, verdict.guard.max_attribute_emptied_percent);
    for (attribute, (differing, empty)) in &tally.attributes {
        verdict.percent_over("attribute_changed_percent", (*differing, numbers.active), changed, attribute);
        let having = numbers.having.get(attribute).copied().unwrap_or(numbers.active);
        verdict.percent_over("attribute_emptied_percent", (*empty, having), emptied, attribute);
    }
}

fn protected(verdict: &mut Verdict<'_>, tally: &Tally, numbers: &Numbers) {
    let guard = verdict.guard;
    for (group, steps) in &tally.groups {
        let (code, _) = numbers.group(*group);
        if guard.protected_groups.iter().any(|protected| protected == code) {
            verdict.over("protected_group", (*steps, 0), code, "protected_groups".to_owned());
        }
    }
    for (role, steps) in tally.roles.iter().filter(|(role, _)| guard.protected_roles.contains(role)) {
        verdict.over("protected_role", (*steps, 0), role, "protected_roles".to_owned());
    }
}

/// So many percent of a number, at least the floor.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts of people are small")]
fn percent(percent: f64, of: i64, floor: i64) -> i64 {
    ((of as f64 * percent / 100.0).floor() as i64).max(floor)
}

/// Fingerprint of what decides which entries are seen and what they mean: bases, filters and mapping.
pub(super) fn scope_digest(config: &SourceConfig) -> Result<String, serde_json::Error> {
    let base = config.ldap.as_ref().map(|ldap| ldap.base_dn.as_str());
    let base = base.or_else(|| config.ldif.as_ref()?.base_dn.as_deref());
    let mut scope =
        serde_json::to_string(&(base, &config.users, &config.departments, &config.positions, &config.groups))?;
    if let Some(assignments) = &config.assignments {
        scope.push_str(&serde_json::to_string(assignments)?);
    }
    // What is not configured leaves the fingerprint as it was before there was such a thing.
    if config.join.is_some() || !config.excludes.is_empty() {
        scope.push_str(&serde_json::to_string(&(&config.join, &config.excludes))?);
    }
    Ok(sha256_hex(scope.as_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::{AFTER_UNDO, Numbers, Tally, judge, percent};
    use crate::config::{FirstRun, GuardConfig};
    use crate::model::{Change, ChangeKind, ObjectKind};
    use crate::sync::diff::Draft;

    fn change(kind: ChangeKind, object_kind: ObjectKind) -> Change {
        let object_id = Uuid::from_u128(7);
        let [mut before, mut after] = [Some(json!({ "status": "active" })), Some(json!({ "status": "active" }))];
        match kind {
            ChangeKind::Disabled => after = Some(json!({ "status": "disabled" })),
            ChangeKind::Created => before = None,
            _ => {}
        }
        Change { kind, object_kind, object_id, before: before.map(Into::into), after: after.map(Into::into) }
    }

    fn many(count: usize, kind: ChangeKind, object_kind: ObjectKind) -> Vec<Change> {
        vec![change(kind, object_kind); count]
    }

    fn absent(count: usize) -> Vec<Change> {
        many(count, ChangeKind::Disabled, ObjectKind::User)
    }

    fn held(guard: &GuardConfig, read: u64, changes: &[Change], numbers: &Numbers) -> Vec<String> {
        let mut draft = Draft::default();
        draft.count(ObjectKind::User).read = read;
        let reasons = judge(guard, &draft, &Tally::of(changes.iter()), numbers);
        reasons.into_iter().map(|reason| reason.code).collect()
    }

    fn codes(changes: &[Change], numbers: &Numbers) -> Vec<String> {
        held(&GuardConfig::default(), 1_000, changes, numbers)
    }

    fn numbers(active: i64) -> Numbers {
        Numbers { active, last_scope: Some("s".into()), scope: "s".into(), ..Numbers::default() }
    }

    /// LDAP-019, LDAP-020
    #[test]
    fn at_a_limit_passes_and_over_it_is_held() {
        assert_eq!(codes(&absent(50), &numbers(1_000)), [""; 0]);
        assert_eq!(codes(&absent(51), &numbers(1_000)), ["disabled_percent"]);
        assert_eq!(codes(&absent(100), &numbers(10_000)), [""; 0]);
        assert_eq!(codes(&absent(101), &numbers(10_000)), ["disabled"]);
    }

    /// LDAP-030
    #[test]
    fn percent_limits_have_a_floor() {
        assert_eq!(percent(5.0, 10, 5), 5);
        assert_eq!(codes(&absent(5), &numbers(10)), [""; 0]);
        assert_eq!(codes(&absent(6), &numbers(10)), ["disabled_percent"]);
    }

    /// LDAP-021
    #[test]
    fn a_day_and_a_week_have_limits_of_their_own() {
        let lately = |day, week| numbers(10_000).with_lately("disabled", "", (day, week));
        assert_eq!(codes(&absent(50), &lately(150, 150)), [""; 0]);
        assert_eq!(codes(&absent(51), &lately(150, 150)), ["disabled_per_day"]);
        assert_eq!(codes(&absent(50), &lately(0, 450)), [""; 0]);
        assert_eq!(codes(&absent(51), &lately(0, 450)), ["disabled_per_week"]);
        assert_eq!(codes(&[], &lately(500, 5_000)), [""; 0]);
    }

    /// LDAP-010, LDAP-024, LDAP-026
    #[test]
    fn everything_about_people_that_holds() {
        assert_eq!(held(&GuardConfig::default(), 0, &absent(1), &numbers(10)), ["empty_snapshot"]);
        assert_eq!(codes(&[], &Numbers { scope: "t".into(), ..numbers(10) }), ["scope_changed"]);
        assert_eq!(codes(&[], &Numbers { last_scope: Some(AFTER_UNDO.into()), ..numbers(10) }), ["after_undo"]);
        let new = many(2_001, ChangeKind::Created, ObjectKind::User);
        assert_eq!(codes(&new, &numbers(10_000)), ["created"]);
        assert_eq!(codes(&new[..101], &numbers(100)), ["created_percent"]);
        let first = Numbers { last_scope: None, ..numbers(0) };
        assert_eq!(codes(&new, &first), [""; 0]);
        let careful = GuardConfig { first_run: FirstRun::Hold, ..GuardConfig::default() };
        assert_eq!(held(&careful, 9, &new, &first), ["first_run"]);
        let seats = GuardConfig { max_people: Some(2_000), ..GuardConfig::default() };
        assert_eq!(held(&seats, 9, &new, &first), ["people"]);
        assert_eq!(held(&seats, 9, &new[..2_000], &first), [""; 0]);
    }

    /// LDAP-022
    #[test]
    fn departments_groups_members_and_roles_have_limits() {
        let departments = many(11, ChangeKind::Disabled, ObjectKind::Department);
        assert_eq!(codes(&departments, &Numbers { departments: 100, ..numbers(10) }), ["departments_removed"]);
        assert_eq!(
            codes(&departments[..6], &Numbers { departments: 10, ..numbers(10) }),
            ["departments_removed_percent"]
        );
        let groups = many(21, ChangeKind::Disabled, ObjectKind::Group);
        assert_eq!(codes(&groups, &Numbers { groups: 1_000, ..numbers(10) }), ["groups_removed"]);
        let members = many(51, ChangeKind::MemberRemoved, ObjectKind::Group);
        let of = |size| numbers(10).with_group(Uuid::from_u128(7), "all", size);
        assert_eq!(codes(&members, &of(100)), ["members_removed_percent"]);
        assert_eq!(codes(&members[..50], &of(100)), [""; 0]);
        // All members of a small group: as few as the floor.
        assert_eq!(codes(&members[..5], &of(5)), [""; 0]);
        assert_eq!(codes(&members[..6], &of(6)), ["members_removed_percent"]);
        let day = of(10_000).with_lately("members_removed", &Uuid::from_u128(7).to_string(), (1_950, 1_950));
        assert_eq!(codes(&members, &day), ["members_removed_per_day"]);
        let roles = many(11, ChangeKind::RoleRevoked, ObjectKind::User);
        assert_eq!(codes(&roles, &Numbers { roles: 100, ..numbers(10) }), ["roles_revoked_percent"]);
    }

    fn moved_mail(count: usize, to: Option<&str>) -> Vec<Change> {
        let mut after = json!({ "status": "active", "login": "a" });
        if let Some(to) = to {
            after["mail"] = to.into();
        }
        let before = Some(json!({ "status": "active", "login": "a", "mail": "a@old.example" }).into());
        vec![Change { before, after: Some(after.into()), ..change(ChangeKind::Changed, ObjectKind::User) }; count]
    }

    /// LDAP-023, LDAP-064, LDAP-091
    #[test]
    fn a_storm_over_one_attribute_is_held() {
        assert_eq!(codes(&moved_mail(30, Some("a@new.example")), &numbers(100)), [""; 0]);
        assert_eq!(codes(&moved_mail(31, Some("a@new.example")), &numbers(100)), ["attribute_changed_percent"]);
        // Few have the attribute: it is the share of those that counts.
        let rare = Numbers { having: [("mail".to_owned(), 10)].into(), ..numbers(1_000) };
        assert_eq!(codes(&moved_mail(6, None), &rare), ["attribute_emptied_percent"]);
        assert_eq!(codes(&moved_mail(5, None), &rare), [""; 0]);
        assert_eq!(codes(&moved_mail(500, None), &Numbers { last_scope: None, ..numbers(0) }), [""; 0]);
    }

    /// LDAP-025
    #[test]
    fn protected_groups_and_roles_are_held_at_the_first_step() {
        let guard = GuardConfig {
            protected_groups: vec!["admins".into()],
            protected_roles: vec!["it-admin".into()],
            ..GuardConfig::default()
        };
        let added = many(1, ChangeKind::MemberAdded, ObjectKind::Group);
        let group = |code: &str| numbers(10).with_group(Uuid::from_u128(7), code, 3);
        assert_eq!(held(&guard, 9, &added, &group("admins")), ["protected_group"]);
        assert_eq!(held(&guard, 9, &added, &group("others")), [""; 0]);
        let mut granted = change(ChangeKind::RoleGranted, ObjectKind::User);
        granted.after = Some(json!({ "role": "it-admin", "rule": "r" }).into());
        assert_eq!(held(&guard, 9, &[granted.clone()], &numbers(10)), ["protected_role"]);
        assert_eq!(codes(&[granted], &numbers(10)), [""; 0]);
    }
}
