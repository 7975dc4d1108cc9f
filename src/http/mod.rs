//! HTTP: the only place that knows axum.
//!
//! How to add an endpoint: its path in [`paths`], a file that parses, calls one function of a lower floor and answers,
//! and a line in [`routes`]. Every route stands there on one page; the route-coverage test calls each as nobody, as a
//! stranger and with a bad CSRF token.

mod assets;
mod console;
pub mod extract;
pub mod gateway;
mod health;
mod layers;
mod login;
mod mtls;
mod oidc;
mod openapi;
pub mod paths;
pub mod portal;
pub mod respond;
pub mod routes;
pub mod server;
pub mod state;
pub mod ui;

pub use state::App;
