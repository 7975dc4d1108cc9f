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
//! | 3 | `audit` `jobs` `source` `net` | the hash chain; leases and schedules; reading masters; guarded calls to others |
//! | 4 | `broker` `verifier` | what every operation needs, in one value; whether an access token is good, for those who take tokens |
//! | 5 | `access` | roles, closures, the facts that policy needs, "why" |
//! | 6 | `sync` `login` `oidc` | plan and apply; sign-in and sessions; the OpenID provider |
//! | 7 | `gateway` | judging calls |
//! | 8 | `http` | the only place that knows axum |
//! | 9 | `telemetry` → `cli` | log lines; the command line |
//!
//! Programs of their own, which need none of this, are in `src/bin`: `yaopai-kerberos` speaks Kerberos for [`source`].
//!
//! # A person signs in
//!
//! 1. `GET /login` shows the form. The page ([`http::ui`]) works without JavaScript; its texts come from [`text`], in the
//!    browser's language.
//! 2. `POST /login` hands what was typed to [`login::sign_in`]. An empty password is refused before anything else; the
//!    throttle counts the attempt before the password is looked at; a wrong login takes as long as a wrong password.
//! 3. A person from an LDAP source is checked by a bind as themselves ([`source::ldap::check_password`]), one from a file
//!    against an argon2id hash ([`crypto::Hasher`]).
//! 4. [`login::sign_in`] opens a session: a random token for the cookie, its keyed hash in the table ([`store::Sessions`]), and a row
//!    in the audit log, in one transaction.
//! 5. The next request's cookie becomes a [`login::CurrentSession`]; whether its owner may enter an application is asked of
//!    [`access::may_sign_in`], which gathers the facts and lets [`policy`] decide.
//!
//! # The nightly sync
//!
//! 1. [`jobs::run_jobs`] wakes at the source's cron expression and takes a [`jobs::Lease`], so that one node does the work.
//! 2. [`sync::run`] reads the source ([`source::read`]) into a sealed [`source::Snapshot`], or fails: a read that was cut
//!    short concludes nothing, so nobody is disabled by it.
//! 3. Entries are mapped to records, matched by stable id, and compared with what is stored. What differs becomes a
//!    [`model::Plan`]; what cannot be mapped becomes a finding and counts as present.
//! 4. The guard holds a plan that disables suspiciously many people; somebody has to approve it ([`sync::apply`]).
//! 5. Otherwise it is applied in one transaction: people, departments, groups, links, the change log, roles by
//!    [`access::RoleRules`], the audit log ([`audit::append`]); who was disabled loses sessions and grants in the same
//!    transaction ([`store::Tx::revoke_people`]). [`sync::undo`] takes it back.
//!
//! # A code is redeemed
//!
//! 1. `GET /oauth2/authorize` is parsed strictly ([`oidc::Params`]: nothing may stand twice) and judged by [`oidc::authorize()`]: who asks, is
//!    the redirect URI registered to the letter, is there PKCE, is somebody signed in and allowed to enter. Until the redirect
//!    URI is known to be right, a fault is a page and never a redirect.
//! 2. The answer carries a random code. Stored is its keyed hash, with everything that was agreed on, for a minute.
//! 3. `POST /oauth2/token`: the client proves who it is ([`oidc::authenticate`]) and [`oidc::answer_token_request`] consumes
//!    the code with one `UPDATE … RETURNING`, so that of two redemptions one wins; the second ends what the first was given.
//! 4. The [`oidc::KeyRing`] signs an access token (RFC 9068) and an ID token; a refresh token is random, stored hashed, and
//!    changes with each use. Whoever shows an old one ends the grant.
//! 5. A service checks the access token with the published keys alone, or asks [`oidc::introspect()`], which also knows whether the
//!    session and the person are still there ([`oidc::verify_access_token`]).
//!
//! # The gateway sees a call
//!
//! 1. nginx asks `/gateway/check` about each call; or the broker's own reverse proxy takes it. Both make a [`gateway::Call`].
//! 2. [`gateway::CallPath`] knows one form of a path and refuses what could mean two things: what is judged is what is served.
//! 3. [`gateway::judge()`] finds the route, the caller (an access token, or a browser's session where the route allows it), and asks
//!    [`policy`] with the facts that [`access::principal`] gathers. What no policy permits is refused.
//! 4. The answer is a [`gateway::Permit`] or a [`gateway::Refusal`] with its reason; either is in the audit log before the
//!    caller hears of it.
//! 5. Identity headers from outside are dropped ([`gateway::is_untrusted`]), ours are set: the service behind can believe them.

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
pub mod net;
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
pub mod verifier;
