//! `[session]` and `[login]`: how long a sign-in lasts, and what protects the sign-in page.

use serde::Deserialize;

use super::Lifetime;

/// `[session]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionConfig {
    /// A session unused for so long ends.
    pub idle: Lifetime,
    /// A session ends so long after the last proof of who it is, in any case.
    pub absolute: Lifetime,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self { idle: Lifetime::seconds(2 * 3_600), absolute: Lifetime::seconds(12 * 3_600) }
    }
}

/// `[login]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoginConfig {
    /// Failed attempts for one account before it has to wait.
    pub failures_per_account: i64,
    /// Failed attempts from one address before it has to wait.
    pub failures_per_address: i64,
    /// How long failures are remembered.
    pub window: Lifetime,
    /// How long the wait is.
    pub wait: Lifetime,
    /// Password checks at the same moment; more wait in line.
    pub concurrent_checks: usize,
}

impl Default for LoginConfig {
    fn default() -> Self {
        Self {
            failures_per_account: 5,
            failures_per_address: 100,
            window: Lifetime::seconds(900),
            wait: Lifetime::seconds(300),
            concurrent_checks: 2,
        }
    }
}
