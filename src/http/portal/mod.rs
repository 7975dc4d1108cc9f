//! The portal: a person's applications, consents, deputies and sessions, and the ways out.

mod applications;
mod consents;
mod deputies;
mod end;
mod sessions;
mod sign_out;

pub use applications::show;
pub use consents::{list_consents, withdraw};
pub use deputies::{end_deputy, list_deputies, name_deputy};
pub use end::{end_everywhere, end_one, end_others};
pub use sessions::list;
pub use sign_out::{ask, confirm_sign_out, sign_out, signed_out, signed_out_page};
