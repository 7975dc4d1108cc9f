//! Ids as types of their own, so that a department's id is never taken for a person's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::random::Rng;
use crate::time::Instant;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id (`UUIDv7`), ordered by time.
            #[must_use]
            pub fn new(rng: &Rng, at: Instant) -> Self {
                Self(rng.uuid(at))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    )*};
}

id! {
    /// A person.
    UserId,
    /// A department.
    DepartmentId,
    /// A position.
    PositionId,
    /// A group.
    GroupId,
    /// A session at the broker.
    SessionId,
    /// An administrator that lives in no directory.
    OperatorId,
    /// One execution of a source's sync.
    RunId,
    /// A stored plan.
    PlanId,
    /// All that was issued from one authorization.
    GrantId,
    /// Somebody acting for somebody else.
    ActingId,
    /// A sign-in that is asked for in one place and approved in another.
    DecoupledId,
}
