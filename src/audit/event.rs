//! What is recorded.

use serde_json::Value;

use crate::string_enum;

string_enum! {
    /// What was done or tried.
    Action {
        /// A sign-in at the broker.
        SignIn = "sign_in",
        /// A session ended by a person or an administrator.
        SignOut = "sign_out",
        /// An application was told that a session ended, or could not be told.
        LogoutDelivery = "logout_delivery",
        /// A person was let into an application, or not.
        ApplicationAccess = "application_access",
        /// A person agreed that an application may know and do something, or did not, or took it back.
        Consent = "consent",
        /// Tokens were issued, or refused.
        TokenIssue = "token_issue",
        /// A token or grant was revoked.
        TokenRevoke = "token_revoke",
        /// A refresh token or code was used twice.
        TokenReuse = "token_reuse",
        /// A call at the gateway was judged.
        GatewayCall = "gateway_call",
        /// A source was synchronised.
        Sync = "sync",
        /// A plan was approved, rejected or undone.
        PlanDecision = "plan_decision",
        /// A finding was given to somebody, accepted for a while, or taken up again.
        FindingDecision = "finding_decision",
        /// An application was made, changed or removed.
        ApplicationAdmin = "application_admin",
        /// A signing key was made or rotated.
        KeyAdmin = "key_admin",
        /// The audit log was searched or exported.
        AuditRead = "audit_read",
        /// Policies were loaded, or refused.
        PolicyLoad = "policy_load",
        /// The broker started or stopped.
        Lifecycle = "lifecycle",
        /// Somebody acts for somebody else, from when to when.
        Acting = "acting",
        /// A recovery administrator was made.
        Recovery = "recovery",
    }
}

string_enum! {
    /// How it ended.
    Outcome {
        /// Done or allowed.
        Success = "success",
        /// Refused by a rule.
        Denied = "denied",
        /// Failed for another reason.
        Failure = "failure",
    }
}

/// One thing to record. Ids and codes only: never a secret, never more of a person than an id and a login name.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// What.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// Who did it: `user:ID`, `app:ID`, `operator:LOGIN`, `cli`, `schedule`, or empty when unknown.
    pub actor: String,
    /// To whom or what: `user:ID`, `app:ID`, `route:NAME`, `source:NAME` …
    pub subject: String,
    /// Address it came from; empty inside the broker.
    pub address: String,
    /// Id of the request; empty outside of requests.
    pub request_id: String,
    /// Further facts, a JSON object.
    pub details: Value,
}

impl Event {
    /// An event without address, request and details.
    #[must_use]
    pub fn new(action: Action, outcome: Outcome, actor: impl Into<String>, subject: impl Into<String>) -> Self {
        Self {
            action,
            outcome,
            actor: actor.into(),
            subject: subject.into(),
            address: String::new(),
            request_id: String::new(),
            details: Value::Object(serde_json::Map::new()),
        }
    }

    /// Adds where it came from.
    #[must_use]
    pub fn from_request(mut self, address: impl Into<String>, request_id: impl Into<String>) -> Self {
        self.address = address.into();
        self.request_id = request_id.into();
        self
    }

    /// Adds facts.
    #[must_use]
    pub fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }
}
