//! Calls to addresses that others wrote down.

mod outgoing;
