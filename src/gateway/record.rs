//! What the audit log keeps of a judgement: who, on which route, method and path, and why. Never the query, never a
//! token.

use serde_json::json;

use super::caller::Proof;
use super::{Call, Caller, Refusal};
use crate::audit::{Action, Event, Outcome};
use crate::broker::Broker;
use crate::store::StoreError;

/// Characters of a method or path at the most.
const MAX_CHARS: usize = 200;

/// What became known of a call while it was judged.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// The route; empty when none was found.
    pub(super) route: String,
    /// The path in normal form; empty when it has none.
    pub(super) path: String,
    /// The policies that determined the decision.
    pub(super) policies: Vec<String>,
    actor: String,
    login: String,
    client: String,
}

impl Trail {
    /// Who it is, as far as the proof says.
    pub(super) fn proven(&mut self, proof: &Proof) {
        match proof {
            Proof::Token(token) => {
                self.client.clone_from(&token.client_id);
                self.actor = match token.user_id {
                    Some(user) => format!("user:{user}"),
                    None => format!("app:{}", token.client_id),
                };
            }
            Proof::Session(user, ..) => self.actor = format!("user:{}", user.id),
        }
    }

    /// Who it is, by name.
    pub(super) fn found(&mut self, caller: &Caller) {
        self.login = caller.user().map(|user| user.login.clone()).unwrap_or_default();
    }
}

/// Records the judgement: allowed when there is no refusal.
pub(super) async fn record(
    broker: &Broker,
    call: &Call,
    trail: Trail,
    refusal: Option<&Refusal>,
) -> Result<(), StoreError> {
    let outcome = match refusal {
        None => Outcome::Success,
        Some(Refusal::Store(_)) => Outcome::Failure,
        Some(_) => Outcome::Denied,
    };
    let cut = |text: &str| text.chars().take(MAX_CHARS).collect::<String>();
    let path = if trail.path.is_empty() { call.target.split('?').next().unwrap_or_default() } else { &trail.path };
    let mut details = json!({
        "reason": refusal.map_or("permitted", Refusal::code),
        "method": cut(&call.method),
        "path": cut(path),
        "policies": trail.policies,
    });
    if let Some(details) = details.as_object_mut() {
        for (name, value) in [("login", trail.login), ("client", trail.client)] {
            if !value.is_empty() {
                details.insert(name.to_owned(), value.into());
            }
        }
    }
    let subject = if trail.route.is_empty() { String::new() } else { format!("route:{}", trail.route) };
    let event = Event::new(Action::GatewayCall, outcome, trail.actor, subject)
        .from_request(call.address.to_string(), call.request_id.clone())
        .with(details);
    broker.audit.record(event).await
}
