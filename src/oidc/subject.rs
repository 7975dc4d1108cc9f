//! `sub`: who a person is for an application (OpenID Connect Core 1.0 section 8).
//!
//! Everything that names a person to an application asks here: ID token, access token, `UserInfo`, introspection, logout
//! token. A public subject is the person's id. A pairwise one is a keyed hash of sector and person: the same for all
//! applications of a sector, different between sectors, and of no use to anybody without the master key. It changes
//! when the master key does, and when an application moves to another sector.

use crate::broker::Broker;
use crate::model::{Application, SubjectType, UserId};

/// Purpose under which pairwise subjects are made.
const PURPOSE: &str = "pairwise-subject";

/// The `sub` that `app` knows this person by.
#[must_use]
pub fn subject(broker: &Broker, app: &Application, user: UserId) -> String {
    let identity = &app.settings.identity;
    match identity.subject_type {
        SubjectType::Public => user.to_string(),
        SubjectType::Pairwise => {
            // Several hosts without a document are refused where an application is made; should one be there all the
            // same, it is its own sector.
            let sector = identity.sector(&app.id, &app.settings.redirect_uris);
            let sector = sector.unwrap_or_else(|| format!("app:{}", app.id));
            broker.master.token_hash(PURPOSE, &format!("{sector} {user}"))
        }
    }
}
