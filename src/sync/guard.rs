//! The guard: limits that hold a plan before anything of it is applied.
//!
//! A plan is held when a number is over a limit, not at it. Percent limits never hold as few as `floor`.

use crate::config::{GuardConfig, SourceConfig};
use crate::crypto::sha256_hex;
use crate::model::ObjectKind;

use super::diff::Draft;
use super::report::HeldReason;

/// What the guard compares a draft with.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    /// Active people of the source before the plan.
    pub active: i64,
    /// People of the source disabled within the last day, before this plan.
    pub disabled_lately: i64,
    /// Fingerprint of base, filters and mapping at the last apply; none before the first.
    pub last_scope: Option<String>,
    /// The same as configured now.
    pub scope: String,
    /// Whether people who moved out of scope hold the plan.
    pub holds_moved_out: bool,
    /// Whether people who come back under a new entry hold the plan.
    pub holds_rehired: bool,
}

/// Scope digest after an undo: the next run is held, so that it does not do again what was undone.
pub(super) const AFTER_UNDO: &str = "undone";

/// Why the plan must be held; empty when it need not.
pub(super) fn judge(guard: &GuardConfig, draft: &Draft, numbers: &Numbers) -> Vec<HeldReason> {
    let mut held = Vec::new();
    let mut over = |code: &str, actual: i64, limit: i64, about: &str| {
        if actual > limit {
            held.push(HeldReason { code: code.to_owned(), actual, limit, about: about.to_owned() });
        }
    };
    let users = draft.counts.get(&ObjectKind::User).copied().unwrap_or_default();
    let disabled = number(draft.disabled());
    let is_known = numbers.last_scope.is_some() && numbers.active > 0;
    match &numbers.last_scope {
        Some(last) if last == AFTER_UNDO => over("after_undo", 1, 0, ""),
        Some(last) if *last != numbers.scope => over("scope_changed", 1, 0, ""),
        _ => {}
    }
    if numbers.active > 0 && users.read == 0 {
        over("empty_snapshot", numbers.active, 0, "");
    }
    over("disabled", disabled, guard.max_disabled, "");
    over("disabled_percent", disabled, percent(guard.max_disabled_percent, numbers.active, guard.floor), "");
    if disabled > 0 {
        over("disabled_per_day", disabled + numbers.disabled_lately, guard.max_disabled_per_day, "");
    }
    over("moved_out", draft.moved_out, if numbers.holds_moved_out { 0 } else { guard.max_moved_out }, "");
    if numbers.holds_rehired {
        over("rehired", draft.rehired, 0, "");
    }
    if is_known {
        over("created", number(users.created), guard.max_created, "");
    }
    let departments = draft.counts.get(&ObjectKind::Department).copied().unwrap_or_default();
    over("departments_removed", number(departments.absent), guard.max_departments_removed, "");
    for (group, (before, removed)) in &draft.group_losses {
        over("members_removed", *removed, percent(guard.max_members_removed_percent, *before, guard.floor), group);
    }
    let limit = percent(guard.max_roles_revoked_percent, draft.roles_before, guard.floor);
    over("roles_revoked", draft.roles_revoked, limit, "");
    for (pair, people) in &draft.separated {
        over("separation", *people, 0, pair);
    }
    held
}

/// So many percent of a number, at least the floor.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts of people are small")]
fn percent(percent: f64, of: i64, floor: i64) -> i64 {
    ((of as f64 * percent / 100.0).floor() as i64).max(floor)
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
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
    use super::{AFTER_UNDO, Numbers, judge, percent};
    use crate::config::GuardConfig;
    use crate::model::ObjectKind;
    use crate::sync::diff::Draft;

    fn codes(draft: &Draft, numbers: &Numbers) -> Vec<String> {
        judge(&GuardConfig::default(), draft, numbers).into_iter().map(|reason| reason.code).collect()
    }

    fn absent(absent: u64) -> Draft {
        let mut draft = Draft::default();
        draft.count(ObjectKind::User).read = 1_000;
        draft.count(ObjectKind::User).absent = absent;
        draft.note_disabled(absent);
        draft
    }

    fn numbers(active: i64) -> Numbers {
        Numbers { active, disabled_lately: 0, last_scope: Some("s".into()), scope: "s".into(), ..Numbers::default() }
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
    fn a_day_has_a_limit_of_its_own() {
        let lately = Numbers { disabled_lately: 150, ..numbers(10_000) };
        assert_eq!(codes(&absent(50), &lately), [""; 0]);
        assert_eq!(codes(&absent(51), &lately), ["disabled_per_day"]);
        assert_eq!(codes(&absent(0), &Numbers { disabled_lately: 500, ..lately }), [""; 0]);
    }

    /// LDAP-010, LDAP-022, LDAP-024, LDAP-026
    #[test]
    fn everything_else_that_holds() {
        let mut empty = absent(1);
        empty.count(ObjectKind::User).read = 0;
        assert_eq!(codes(&empty, &numbers(10)), ["empty_snapshot"]);
        assert_eq!(codes(&absent(0), &Numbers { scope: "t".into(), ..numbers(10) }), ["scope_changed"]);
        assert_eq!(codes(&absent(0), &Numbers { last_scope: Some(AFTER_UNDO.into()), ..numbers(10) }), ["after_undo"]);
        let mut many = absent(0);
        many.count(ObjectKind::User).created = 2_001;
        assert_eq!(codes(&many, &numbers(10)), ["created"]);
        assert_eq!(codes(&many, &Numbers { last_scope: None, ..numbers(0) }), [""; 0]);
        let mut draft = absent(0);
        draft.count(ObjectKind::Department).absent = 11;
        draft.group_losses.insert("all".into(), (100, 51));
        draft.group_losses.insert("few".into(), (5, 5));
        (draft.roles_before, draft.roles_revoked) = (100, 11);
        assert_eq!(codes(&draft, &numbers(10)), ["departments_removed", "members_removed", "roles_revoked"]);
    }
}
