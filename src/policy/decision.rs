//! What is asked and what is answered. Facts come in as values: this folder reads nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::details::Details;
use crate::string_enum;

string_enum! {
    /// What somebody wants to do.
    Action {
        /// Sign in to an application: resource `Application::"id"`.
        SignIn = "sign_in",
        /// Call an integration API: resource `Route::"name"`.
        Call = "call",
        /// Get a token that speaks for the principal towards an application: resource `Application::"id"`.
        Exchange = "exchange",
        /// See and approve what administrators see: resource `Console::"yaopai"`.
        Administer = "administer",
    }
}

/// Who asks, with everything policy may look at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly every question is about a person")]
pub enum Principal {
    /// A person: Cedar `User::"id"`, in `Department::"code"` (all ancestors), `Group::"code"` (closure), `Role::"name"`.
    User {
        /// Our id.
        id: String,
        /// Login name.
        login: String,
        /// Employee number, when there is one.
        employee_number: Option<String>,
        /// Codes of the department and all above it.
        departments: BTreeSet<String>,
        /// Position code, when there is one.
        position: Option<String>,
        /// Codes of all groups, direct and nested.
        groups: BTreeSet<String>,
        /// Role names that hold everywhere.
        roles: BTreeSet<String>,
        /// What they are in the organisation besides.
        standing: Standing,
    },
    /// A service calling in its own name: Cedar `Application::"id"`.
    Application {
        /// Client id.
        id: String,
    },
    /// The recovery administrator: Cedar `Operator::"login"`.
    Operator {
        /// Login name.
        login: String,
    },
}

/// What a person is in the organisation besides their primary place.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Standing {
    /// Position codes of concurrent assignments in force: Cedar `in Position::"code"`, like the primary one.
    pub posts: BTreeSet<String>,
    /// Codes of the departments they head: Cedar `principal.heads`.
    pub heads: BTreeSet<String>,
    /// Login names of those they act for today: Cedar `principal.acts_for`.
    pub acts_for: BTreeSet<String>,
    /// Role → codes of the departments it holds for, each with everything below: Cedar `in ScopedRole::"role@code"`.
    pub scoped_roles: BTreeMap<String, BTreeSet<String>>,
}

impl Principal {
    /// Whether a person holds the role for a department, given with all above it: everywhere, or within one of these.
    #[must_use]
    pub fn has_role(&self, role: &str, departments: &[String]) -> bool {
        let Self::User { roles, standing, .. } = self else { return false };
        let within = |scopes: &BTreeSet<String>| departments.iter().any(|department| scopes.contains(department));
        roles.contains(role) || standing.scoped_roles.get(role).is_some_and(within)
    }
}

/// What it is done to.
///
/// Read from text as it stands in a policy: `Application::"oa"`, `Route::"expense-api"`, `Console::"yaopai"`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Resource {
    /// Cedar `Application::"id"`.
    Application {
        /// Client id.
        id: String,
    },
    /// Cedar `Route::"name"`.
    Route {
        /// Name of the route.
        name: String,
    },
    /// Cedar `Console::"yaopai"`.
    Console,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application { id } => write!(f, "Application::\"{id}\""),
            Self::Route { name } => write!(f, "Route::\"{name}\""),
            Self::Console => f.write_str("Console::\"yaopai\""),
        }
    }
}

impl FromStr for Resource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let problem =
            || format!("`{text}` is no resource: write Application::\"id\", Route::\"name\" or Console::\"yaopai\"");
        let (kind, id) = text.trim().split_once("::").ok_or_else(problem)?;
        // Quotation marks are left out by many a shell.
        let id = id.strip_prefix('"').and_then(|id| id.strip_suffix('"')).unwrap_or(id);
        match kind {
            _ if id.is_empty() || id.contains('"') => Err(problem()),
            "Application" => Ok(Self::Application { id: id.to_owned() }),
            "Route" => Ok(Self::Route { name: id.to_owned() }),
            "Console" if id == "yaopai" => Ok(Self::Console),
            _ => Err(problem()),
        }
    }
}

/// The circumstances: Cedar `context`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Context {
    /// Address of the caller; Cedar `context.address` (ipaddr) when it is known.
    pub address: Option<std::net::IpAddr>,
    /// HTTP method of a call.
    pub method: Option<String>,
    /// Normalised path of a call.
    pub path: Option<String>,
    /// Scopes of the access token.
    pub scopes: BTreeSet<String>,
    /// Client id the token was issued to.
    pub client_id: Option<String>,
    /// Who acts for the principal, such as `app:expense`; none when somebody speaks as the principal.
    pub actor: Option<String>,
    /// How the person signed in (RFC 8176).
    pub amr: BTreeSet<String>,
    /// Code of the department that what is asked about belongs to, then of all above it; empty when it belongs to none.
    /// Cedar `context.department`; roles that hold for it are `RoleHere::"name"`.
    pub departments: Vec<String>,
    /// What is to be done, in detail (RFC 9396); none where nothing of the kind is asked for or held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<Box<Details>>,
}

/// A question to the decision point.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Request {
    /// Who.
    pub principal: Principal,
    /// What.
    pub action: Action,
    /// To what.
    pub resource: Resource,
    /// Under which circumstances.
    pub context: Context,
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Decision {
    /// Whether it may be done.
    pub allowed: bool,
    /// `@id` of the policies that determined it, sorted; empty when nothing permitted it.
    pub policies: Vec<String>,
    /// What went wrong while evaluating; a policy with an error never permits.
    pub errors: Vec<String>,
}

impl Decision {
    /// A refusal that no policy made.
    #[must_use]
    pub fn denied(errors: Vec<String>) -> Self {
        Self { allowed: false, policies: Vec::new(), errors }
    }
}
