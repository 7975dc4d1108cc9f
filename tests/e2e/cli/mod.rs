//! The command line, as an operator and a service manager meet it.

mod faults;
mod life;
