//! Every store function, on both databases.

mod directory;
mod login;
mod sync;
