//! Authentication: proving who somebody is, and the session that follows.

mod expire;
mod password;
mod purge;
mod recovery;
mod return_to;
mod session;
mod sign_in;
mod throttle;

pub use expire::end_expired;
pub use purge::purge;
pub use recovery::{RECOVERY_LOGIN, RecoveryError, ensure_recovery, renew_recovery};
pub use return_to::ReturnTo;
pub use session::{
    CurrentSession, SessionOrigin, current_session, end_others, end_session, open_session, sign_out_everywhere,
};
pub use sign_in::{Attempt, SignInError, SignedIn, sign_in};
