//! Access: gathers the facts that policy needs, asks it, and says why; role rules, separation of duties.

mod decide;
mod facts;
mod organisation;
mod roles;
mod separation;
mod watch;
mod why;

pub use decide::{may_administer, may_enter, may_sign_in};
pub use facts::{department_above, principal, principal_now, principal_of};
pub use organisation::{Count, Everybody, Held, Shift, shift};
pub use roles::{GrantKey, RoleDepartment, RoleFacts, RolePerson, RoleRule, RoleRuleError, RoleRules};
pub use separation::{Conflict, Exemption, Pair, Separation, Severity, Tree};
pub use watch::watch_policies;
pub use why::{Besides, Since, Why, WhyError, WhyLine, WhyRole, why};
