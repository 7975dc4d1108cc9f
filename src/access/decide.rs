//! Questions to policy that more than one protocol asks.

use super::principal_now;
use crate::broker::Broker;
use crate::model::{Status, User};
use crate::policy::{Action, Context, Decision, Principal, Request, Resource};
use crate::store::StoreError;

/// Whether `user` may sign in to the application. A person who is not active never may.
///
/// # Errors
/// When the database fails.
pub async fn may_sign_in(
    broker: &Broker,
    user: &User,
    application: &str,
    context: Context,
) -> Result<Decision, StoreError> {
    if user.status != Status::Active {
        return Ok(Decision::denied(Vec::new()));
    }
    Ok(may_enter(broker, principal_now(broker, user).await?, application, context))
}

/// Whether `principal` may sign in to the application: for lists, where the person's facts were read once.
#[must_use]
pub fn may_enter(broker: &Broker, principal: Principal, application: &str, context: Context) -> Decision {
    let resource = Resource::Application { id: application.to_owned() };
    broker.policies.decide(&Request { principal, action: Action::SignIn, resource, context })
}

/// Whether `principal` may see and do what administrators do.
#[must_use]
pub fn may_administer(broker: &Broker, principal: Principal, context: Context) -> Decision {
    broker.policies.decide(&Request { principal, action: Action::Administer, resource: Resource::Console, context })
}
