//! Steps of a run at which a test ends the process, as a power cut would: only in builds with debug assertions. In a
//! release build [`crash_point`] is an empty function, and nothing here reads the environment.

/// Environment variable that names a step: the process aborts there.
#[cfg(debug_assertions)]
pub const CRASH_AT: &str = "YAOPAI_CRASH_AT";
/// Environment variable `STEP:SECONDS`: the step is announced on the standard error, and the process waits there.
#[cfg(debug_assertions)]
pub const PAUSE_AT: &str = "YAOPAI_PAUSE_AT";

/// Every step of a run, in order; what is left out by some runs (nothing to do, a plan that is held) included.
#[cfg(debug_assertions)]
pub const CRASH_STEPS: &[&str] = &[
    "leased",
    "begun",
    "read",
    "mapped",
    "compared",
    "plan-row",
    "plan-changes",
    "plan-links",
    "plan-reported",
    "planned",
    "applying",
    "advanced",
    "consumed",
    "departments",
    "positions",
    "groups",
    "users-parked",
    "users",
    "assignments",
    "members-removed",
    "members",
    "roles-revoked",
    "roles",
    "touched",
    "links",
    "change-log",
    "ended-sessions",
    "carried",
    "described",
    "settled",
    "superseded",
    "audited",
    "reported",
    "committed",
    "released",
];

/// The step `step` is reached. Constant: it cannot read an environment, nor abort.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub const fn crash_point(_step: &'static str) {}

/// The step `step` is reached: aborts or waits when the environment says so.
#[cfg(debug_assertions)]
pub fn crash_point(step: &'static str) {
    debug_assert!(CRASH_STEPS.contains(&step), "`{step}` is missing in CRASH_STEPS: no test would try it");
    at(step);
}

#[cfg(debug_assertions)]
#[expect(clippy::disallowed_methods, reason = "config/ is the only reader of the environment; a pause is to block")]
fn at(step: &'static str) {
    use std::io::Write as _;

    if std::env::var(CRASH_AT).is_ok_and(|named| named == step) {
        std::process::abort();
    }
    let paused = std::env::var(PAUSE_AT).ok();
    let paused = paused.as_deref().and_then(|text| text.split_once(':')).filter(|(named, _)| *named == step);
    if let Some(seconds) = paused.and_then(|(_, seconds)| seconds.parse().ok()) {
        let _ = writeln!(std::io::stderr(), "paused at {step}");
        std::thread::sleep(std::time::Duration::from_secs(seconds));
    }
}
