//! The console: what those see and decide whom policy lets administer.

mod approve;
mod chart;
mod departments;
mod findings;
mod people;
mod person;
mod plan;
mod report;
mod roles;
mod run;
mod runs;
mod test_login;

pub use approve::{approve, reject};
pub use departments::show as show_departments;
pub use findings::{decide as decide_finding, list as list_findings};
pub use people::search as search_people;
pub use person::show as show_person;
pub use plan::show as show_plan;
pub use roles::show as show_roles;
pub use run::show as show_run;
pub use runs::list;
pub use test_login::{ask_test_login, show_test_login};
