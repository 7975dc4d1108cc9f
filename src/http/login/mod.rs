//! Signing in and out: the pages of the gate.

mod language;
mod show;
mod submit;

pub use language::switch;
pub use show::show;
pub use submit::submit;
