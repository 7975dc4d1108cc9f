//! The answer to a request that was decided: code, ID token, and everything that is written down with them.

use serde_json::{Map, Value};

use super::arrive::Arrival;
use super::decide::Decided;
use super::{Answer, PageFault, Stop};
use crate::audit::Outcome;
use crate::model::{Application, Confirmation, ConsentRule, Grant, GrantDetails, User, Wish};
use crate::oidc::claims::Granted;
use crate::oidc::code::{self, Approved, access_event};
use crate::oidc::issue::{self, IdMint};
use crate::oidc::request_object::Once;
use crate::oidc::{Caller, Provider, claims};

pub(super) async fn respond(
    provider: Provider<'_>,
    caller: &Caller,
    arrival: &Arrival,
    decided: Decided,
    agreed: Option<Wish>,
) -> Result<Answer, Stop> {
    let Decided { request, session, user, acr, facts } = decided;
    let app = &arrival.app;
    if let Some(once) = &arrival.once
        && !once.take(provider, app).await?
    {
        return Err(arrival.refuse(provider, Once::USED).await);
    }
    let response_type = request.response_type;
    let consented = app.settings.identity.consent != ConsentRule::Never;
    let approved = Approved {
        app,
        user: &user,
        session: &session,
        scope: request.scope,
        redirect_uri: &arrival.back.redirect_uri,
        nonce: request.nonce.as_deref(),
        code_challenge: request.code_challenge.as_deref(),
        details: GrantDetails {
            resources: request.resources,
            authorization_details: request.details,
            claims: request.claims.stored(),
            acr,
            consented,
            confirmation: request.dpop_jkt.clone().map(Confirmation::Key),
            ..GrantDetails::default()
        },
        agreed,
        wants_code: response_type.has_code(),
        pushed: arrival.pushed.as_ref().map(|pushed| pushed.request_hash.as_str()),
    };
    let event = access_event(caller, &user, app, Outcome::Success).with(facts);
    let made = code::make(provider, approved, event).await?;
    let made = made.ok_or(Stop::Answer(Answer::Page(PageFault::PushedRequest)))?;
    let code = made.code.as_deref();
    let mut answer: Vec<(&str, &str)> = code.iter().map(|code| ("code", *code)).collect();
    let id_token = if response_type.has_id_token() {
        let told = told(provider, app, &made.grant, &user, code.is_none()).await?;
        let mint = IdMint { app, grant: &made.grant, nonce: request.nonce, access_token: None, code, told };
        Some(issue::id_token(provider, mint).await?)
    } else {
        None
    };
    answer.extend(id_token.iter().map(|token| ("id_token", token.as_str())));
    Ok(arrival.back.answer(provider, app, &answer).await?)
}

/// What an ID token of the authorization endpoint says of the person. Where no access token follows, nobody can ask
/// `UserInfo`, so the scopes are answered here (OpenID Connect Core 1.0 section 5.4).
async fn told(
    provider: Provider<'_>,
    app: &Application,
    grant: &Grant,
    user: &User,
    is_all: bool,
) -> Result<Map<String, Value>, Stop> {
    let broker = provider.broker;
    let granted = Granted { app, scope: &grant.scope, details: &grant.details };
    let mut told = if is_all { claims::at_userinfo(broker, granted, user).await? } else { Map::new() };
    told.extend(claims::in_tokens(&mut broker.db.read().await?, granted, user.id).await?.id_token);
    Ok(told)
}
