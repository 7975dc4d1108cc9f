//! Every store function, on both databases.

mod audit;
mod directory;
mod sync;
