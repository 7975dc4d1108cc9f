//! Access: gathers the facts that policy needs, asks it, and says why.

mod decide;
mod facts;
mod roles;
mod watch;
mod why;

pub use decide::{may_administer, may_enter, may_sign_in};
pub use facts::{department_above, principal};
pub use roles::{GrantKey, RoleFacts, RolePerson, RoleRule, RoleRuleError, RoleRules};
pub use watch::watch_policies;
pub use why::{Why, WhyError, WhyRole, why};
