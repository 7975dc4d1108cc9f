//! The console: what those see and decide whom policy lets administer.

mod approve;
mod plan;
mod report;
mod run;
mod runs;
mod test_login;

pub use approve::{approve, reject};
pub use plan::show as show_plan;
pub use run::show as show_run;
pub use runs::list;
pub use test_login::{ask_test_login, show_test_login};
