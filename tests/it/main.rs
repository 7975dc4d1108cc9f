//! Integration tests: the real router, in process, on a fresh database of each kind.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod access;
mod audit;
mod conformance;
mod fuzz;
mod gateway;
mod harness;
mod http;
mod net;
mod policy;
mod source;
mod store;
mod sync;
mod tidy;
