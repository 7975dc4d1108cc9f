//! The router, route by route: mirrors `src/http`.

mod active_directory;
mod console;
mod crowd;
mod deputies;
mod directory;
mod health;
mod login;
mod oidc;
mod openapi;
mod portal;
mod sessions;
mod templates;
