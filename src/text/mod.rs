//! Text for people, in zh-CN and en (Fluent), and the one fold that names are compared with.
//!
//! Messages live in `locales/zh-CN.ftl` and `locales/en.ftl`; a message that exists in one and not in the other fails
//! the tidy test.

mod columns;
mod fault;
mod finding;
mod fold;
mod messages;

pub use columns::{padded, width};
pub use fault::Fault;
pub use finding::{FindingWords, finding_words};
pub use fold::{fold, is_plain, is_settled};
pub use messages::{Args, Language, Value, message, say};
