//! `[retention]`: how long runs, the steps of applied plans, and resolved findings are kept.

use serde::Deserialize;

use super::Lifetime;

/// `[retention]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Runs with their reports, and plans that were not applied.
    pub runs: Lifetime,
    /// Steps of applied plans: how long a run can be undone.
    pub undo: Lifetime,
    /// Findings that were resolved.
    pub findings: Lifetime,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        let days = |days: i64| Lifetime::seconds(days * 86_400);
        Self { runs: days(400), undo: days(90), findings: days(180) }
    }
}

impl RetentionConfig {
    pub(super) fn check(&self, problems: &mut Vec<String>) {
        // The guard's rolling windows look a week back, the chart a month.
        let least = Lifetime::seconds(31 * 86_400).0;
        if self.runs.0 < least {
            problems.push("retention.runs is too short: write 31d or more".to_owned());
        }
        if self.undo.0 > self.runs.0 {
            problems.push(
                "retention.undo is longer than retention.runs: a run that is forgotten cannot be undone".to_owned(),
            );
        }
    }
}
