//! Access: gathers the facts that policy needs, asks it, and says why.

mod decide;
mod facts;

pub use decide::{may_administer, may_sign_in};
pub use facts::principal;
