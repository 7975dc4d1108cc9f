//! Every store function, on both databases.

mod audit;
