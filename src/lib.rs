//! Yaopai (腰牌): sign in once, one truth about people, every integration call judged.
//!
//! # The floors
//!
//! A file imports from its own folder and from lower floors only; folders on one floor never import each other, but
//! where an arrow stands between them, the later may use the earlier. The tidy test reads this table and enforces it.
//!
//! | floor | folders | what lives there |
//! | --- | --- | --- |
//! | 0 | `time` → `random` → `model` → `text` | the clock; randomness; what things are; words for people |
//! | 1 | `config` `crypto` `sample` | the configuration file; keys, hashes, sealing; an invented company |
//! | 2 | `store` `policy` | all SQL; the decision point |
//! | 3 | `audit` `jobs` `source` | the hash chain; leases and schedules; reading masters |
//! | 4 | `broker` | what every operation needs, in one value |
//! | 5 | `access` | roles, closures, the facts that policy needs, "why" |
//! | 6 | `sync` `login` `oidc` | plan and apply; sign-in and sessions; the OpenID provider |
//! | 7 | `gateway` | judging calls |
//! | 8 | `http` | the only place that knows axum |
//! | 9 | `telemetry` → `cli` | log lines; the command line |

pub mod access;
pub mod audit;
pub mod broker;
pub mod cli;
pub mod config;
pub mod crypto;
pub mod gateway;
pub mod http;
pub mod jobs;
pub mod login;
pub mod model;
pub mod oidc;
pub mod policy;
pub mod random;
pub mod sample;
pub mod source;
pub mod store;
pub mod sync;
pub mod telemetry;
pub mod text;
pub mod time;
