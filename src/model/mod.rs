//! What things are: people, the department tree, applications, sessions, changes, plans, decisions. No I/O.
//!
//! Ids are newtypes, states are enums. Types derive what the store needs to read and write them (`sqlx::Type`,
//! `sqlx::FromRow`), so that a row is described once.

mod acr;
mod algorithm;
mod application;
mod change;
mod consent;
mod contribution;
mod decoupled;
mod document;
mod finding;
mod grant;
mod ids;
mod increment;
mod lifetime;
mod near_miss;
mod operator;
mod organisation;
mod person;
mod plan;
mod pushed_request;
mod redirect_uri;
mod registration;
mod session;
mod signing_key;
mod step;
mod test_login;

pub use acr::Acr;
pub use algorithm::Algorithm;
pub use application::{
    Application, ApplicationSettings, AuthMethod, BackchannelMode, ClaimPlace, ClaimRule, ConsentRule,
    ContentEncryption, DetailField, DetailType, Encryption, FieldKind, GrantSettings, GrantType, IdentitySettings,
    KeyManagement, LogoutSettings, PersonField, Profile, ProofAlgorithm, ProofSettings, RESERVED_CLAIMS,
    RequestSettings, ResponseType, SubjectType, TemplatePart, TokenFormat, TokenSettings, check_jwks, template_parts,
};
pub use change::{Change, ChangeKind, ObjectKind};
pub use consent::{Consent, Wish};
pub use contribution::{Candidate, ContributedField, Contribution, JoinKey, Offer, PlannedContribution, Precedence};
pub use decoupled::{DecoupledDetails, DecoupledKind, DecoupledRequest, DecoupledState};
pub use document::Document;
pub use finding::{Finding, FindingArguments, FindingCode, FindingState, NewFinding};
pub use grant::{AuthorizationCode, Confirmation, Grant, GrantDetails, RefreshToken};
pub use ids::{
    ActingId, DecoupledId, DepartmentId, GrantId, GroupId, OperatorId, PlanId, PositionId, RunId, SessionId, UserId,
};
pub use increment::{Lockout, SyncPosition};
pub use lifetime::Lifetime;
pub use near_miss::{NearMiss, near_miss, nearest};
pub use operator::Operator;
pub use organisation::{Acting, Assignment, DepartmentKind};
pub use person::{Attributes, Department, Group, Position, Status, User};
pub use plan::{
    Link, LoggedChange, Member, Plan, PlanState, PlannedLink, RoleGrant, Run, RunKind, RunState, SourceState,
};
pub use pushed_request::PushedRequest;
pub use redirect_uri::{RedirectUri, check_launch_url, check_redirect_uri};
pub use registration::Registration;
pub use session::{EndReason, Session};
pub use signing_key::{KeyState, SigningKeyRow};
pub use step::StepGroup;
pub use test_login::TestLogin;

/// Derives a string enum for serde, for both databases and for people: one spelling everywhere.
#[macro_export]
macro_rules! string_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize, sqlx::Type)]
        #[sqlx(type_name = "TEXT")]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] #[sqlx(rename = $text)] $variant),* }

        impl $name {
            /// Every value, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The one spelling, as stored and shown.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    other => Err(format!("`{other}` is none of {}", [$($text),*].join(", "))),
                }
            }
        }
    };
}
