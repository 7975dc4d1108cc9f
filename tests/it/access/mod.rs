//! The facts that policy sees, and the questions asked with them.

mod facts;
mod scale;
mod watch;
