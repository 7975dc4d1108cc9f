//! Outgoing HTTPS: one guarded client for every address that somebody else wrote down (key sets, logout addresses,
//! client metadata).
//!
//! Names are resolved here, each address is judged, and the connection goes to a judged address and nowhere else, so that a
//! name cannot mean one thing when it is looked at and another when it is called. No redirect is followed, no proxy of
//! the environment is used, and size, time and the number of calls at once are bounded.

mod address;
mod client;
mod exchange;
mod mail;

pub use client::{Answer, MAX_ANSWER, NetError, Outgoing};
pub use mail::{Mail, MailError, send_mail};
