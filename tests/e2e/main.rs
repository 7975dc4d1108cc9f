//! What needs real outside programs: slapd, nginx, Chromium, other people's clients, and our own binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod api;
mod browser;
mod cli;
mod clients;
mod demo;
#[path = "../it/harness/ldap_write.rs"]
mod ldap_write;
mod leaver;
#[path = "../it/harness/leftover.rs"]
mod leftover;
mod nginx;
mod nodes;
#[path = "../it/harness/postgres.rs"]
mod postgres;
mod process;
mod readme;
#[expect(dead_code, reason = "the integration tests use the rest of it")]
#[path = "../it/harness/samba.rs"]
mod samba;
#[path = "../it/harness/samba_domain.rs"]
mod samba_domain;
#[expect(dead_code, reason = "the integration tests use the rest of it")]
#[path = "../it/harness/slapd.rs"]
mod slapd;
mod validators;
