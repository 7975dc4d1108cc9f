//! Consent: a person says what a third-party application may know and do.
//!
//! For the company's own applications the company has consented (`consent = "never"`), and `prompt=consent` is
//! fulfilled by that. For the others the person is asked: at every sign-in, or once and again when more is wanted. The
//! page carries a ticket: the time, authenticated with the session, the request and what was shown. So a "yes" counts
//! only for what this person saw, in this session, and not for long; anything else shows the page again.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::authorize::{Answer, Arrival, Decided, Stop};
use super::claims::scope_of;
use super::params::Params;
use super::request::{Fault, Request};
use super::{Caller, Provider};
use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::crypto::constant_time_eq;
use crate::model::{Application, ConsentRule, Session, User, UserId, Wish};
use crate::store::StoreError;
use crate::time::Instant;

/// Purpose under which tickets are authenticated.
const PURPOSE: &str = "consent-ticket";
/// Seconds for which the page may be answered.
const LIFE: i64 = 900;

/// What the person is asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Question {
    /// Which application wants it.
    pub app: Arc<Application>,
    /// Who is asked.
    pub user: Box<User>,
    /// What it wants.
    pub wish: Wish,
    /// Where the answer leads.
    pub redirect_uri: String,
    /// The request to come back with.
    pub request: Params,
    /// What a "yes" has to carry.
    pub ticket: String,
    /// The person agreed to something before, and more is wanted.
    pub is_more: bool,
}

/// What the person said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply<'a> {
    /// Yes, to the page with this ticket.
    Yes(&'a str),
    /// No.
    No,
}

impl Fault {
    /// `prompt=none`, and the person has to be asked.
    const CONSENT_REQUIRED: Self =
        Self { error: "consent_required", description: "the person has to be asked whether they agree" };
    /// The person said no.
    const NOT_AGREED: Self = Self { error: "access_denied", description: "the person does not agree" };
}

impl Request {
    /// Everything the application would know and do, if this were granted.
    fn wish(&self, app: &Application) -> Wish {
        let scopes: BTreeSet<String> =
            self.scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        let asked = self.claims.id_token.keys().chain(self.claims.userinfo.keys());
        let may = |claim: &&String| {
            scope_of(claim).is_some_and(|of| !scopes.contains(of) && app.settings.scopes.iter().any(|own| own == of))
        };
        let rules = app.settings.identity.claims.iter();
        let told = rules.filter(|(_, rule)| rule.scope.as_ref().is_none_or(|scope| scopes.contains(scope)));
        Wish {
            claims: asked.filter(may).cloned().collect(),
            mapped: told.map(|(name, _)| name.clone()).collect(),
            authorization_details: self.details.clone(),
            scopes,
        }
    }
}

/// What a person agreed to just now; none where nothing is to be written down.
pub(super) async fn judge(
    provider: Provider<'_>,
    caller: &Caller,
    arrival: &Arrival,
    decided: &Decided,
    reply: Option<Reply<'_>>,
) -> Result<Option<Wish>, Stop> {
    let app = &arrival.app;
    let rule = app.settings.identity.consent;
    if rule == ConsentRule::Never {
        return Ok(None);
    }
    let Decided { request, session, user, .. } = decided;
    let wish = request.wish(app);
    let now = provider.broker.clock.now();
    match reply {
        Some(Reply::No) => {
            let event = event(app, user.id, Outcome::Denied, &wish)
                .from_request(caller.address.to_string(), &caller.request_id);
            provider.broker.audit.record(event).await?;
            return Err(arrival.refuse(provider, Fault::NOT_AGREED).await);
        }
        Some(Reply::Yes(ticket)) if is_ours(provider, ticket, session, &arrival.address, &wish, now) => {
            return Ok(Some(wish));
        }
        Some(Reply::Yes(_)) | None => {}
    }
    let agreed = provider.broker.db.read().await?.consents().find(user.id, &app.id).await?;
    let is_asked = rule == ConsentRule::Always || request.asks_consent;
    if !is_asked && agreed.as_ref().is_some_and(|agreed| agreed.wish.covers(&wish)) {
        return Ok(None);
    }
    if request.is_silent {
        return Err(arrival.refuse(provider, Fault::CONSENT_REQUIRED).await);
    }
    Err(Stop::Answer(Answer::Consent(Box::new(Question {
        is_more: agreed.is_some_and(|agreed| !agreed.wish.covers(&wish)),
        app: app.clone(),
        user: user.clone(),
        redirect_uri: arrival.back.redirect_uri.clone(),
        request: arrival.address.clone(),
        ticket: ticket(provider, session, &arrival.address, &wish, now),
        wish,
    }))))
}

fn ticket(provider: Provider<'_>, session: &Session, request: &Params, wish: &Wish, at: Instant) -> String {
    let micros = at.timestamp_micros();
    let shown = serde_json::to_string(wish).unwrap_or_default();
    let text = format!("{micros}\n{}\n{shown}\n{}", session.id, request.encode());
    format!("{micros}.{}", provider.broker.master.sign(PURPOSE, &text))
}

fn is_ours(
    provider: Provider<'_>,
    shown: &str,
    session: &Session,
    request: &Params,
    wish: &Wish,
    now: Instant,
) -> bool {
    let at = shown.split_once('.').and_then(|(micros, _)| micros.parse().ok()).and_then(Instant::from_timestamp_micros);
    at.is_some_and(|at| {
        let expected = ticket(provider, session, request, wish, at);
        (0..LIFE).contains(&(now - at).num_seconds()) && constant_time_eq(shown.as_bytes(), expected.as_bytes())
    })
}

/// What is recorded about a person's consent.
pub(super) fn event(app: &Application, user: UserId, outcome: Outcome, wish: &Wish) -> Event {
    Event::new(Action::Consent, outcome, format!("user:{user}"), format!("app:{}", app.id)).with(json!({
        "scopes": wish.scopes,
        "claims": wish.claims.union(&wish.mapped).collect::<Vec<_>>(),
        "authorization_details": wish.authorization_details.iter().map(|detail| &detail["type"]).collect::<Vec<_>>(),
    }))
}

/// Takes back what a person agreed to for an application: every grant of theirs to it ends, with its refresh and access
/// tokens. Tells whether there was a consent.
///
/// # Errors
/// When the database fails.
pub async fn withdraw_consent(
    broker: &Broker,
    user: UserId,
    application: &str,
    (address, request_id): (&str, &str),
) -> Result<bool, StoreError> {
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    let Some(grants) = tx.consents().withdraw(user, application, now).await? else { return Ok(false) };
    let event = Event::new(Action::Consent, Outcome::Success, format!("user:{user}"), format!("app:{application}"))
        .from_request(address, request_id)
        .with(json!({ "withdrawn": true, "revoked_grants": grants }));
    audit::append(&mut tx, now, &[event]).await?;
    tx.commit().await?;
    Ok(true)
}
