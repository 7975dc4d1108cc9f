//! The command line, as an operator and a service manager meet it.

mod doctor;
mod faults;
mod life;
