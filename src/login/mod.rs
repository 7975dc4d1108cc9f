//! Authentication: proving who somebody is, and the session that follows.

mod session;

pub use session::{CurrentSession, SessionOrigin, current_session, open_session};
