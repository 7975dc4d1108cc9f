//! Authorization codes: made for a person who was let in, redeemed once (RFC 6749 section 4.1.2, RFC 7636).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::claims::{self, Granted};
use super::params::Params;
use super::token::{self, Asked, GrantError, TokenResponse};
use super::{Caller, Provider, binding, consent, lifetimes, refresh, scopes};
use crate::audit::{self, Action, Event, Outcome};
use crate::crypto::{constant_time_eq, sha256};
use crate::model::{
    Application, AuthorizationCode, EndReason, Grant, GrantDetails, GrantId, GrantType, Session, Status, User, Wish,
};
use crate::store::{Basis, Json, StoreError, Tx, Write};
use crate::time::Instant;

/// Purpose under which codes are hashed.
const PURPOSE: &str = "authorization-code";

/// What a code stands for.
#[derive(Clone, Debug)]
pub(super) struct Approved<'a> {
    pub app: &'a Application,
    pub user: &'a User,
    pub session: &'a Session,
    pub scope: String,
    pub redirect_uri: &'a str,
    pub nonce: Option<&'a str>,
    pub code_challenge: Option<&'a str>,
    pub details: GrantDetails,
    /// What the person has just agreed to.
    pub agreed: Option<Wish>,
    /// False where an ID token alone is the answer: then there is nothing to redeem later.
    pub wants_code: bool,
    /// Hash of the pushed request that this answers.
    pub pushed: Option<&'a str>,
}

/// What was made for an approved request.
#[derive(Debug)]
pub(super) struct Made {
    /// The grant; stored only with a code.
    pub grant: Grant,
    /// The code, which is stored nowhere.
    pub code: Option<String>,
}

/// Writes grant and code, notes that the session reached the application, and records it, in one transaction.
/// Gives nothing when the pushed request was answered in the meantime.
pub(super) async fn make(
    provider: Provider<'_>,
    approved: Approved<'_>,
    event: Event,
) -> Result<Option<Made>, StoreError> {
    let broker = provider.broker;
    let now = broker.clock.now();
    let Approved { app, user, session, .. } = approved;
    let grant = Grant {
        id: GrantId::new(&broker.rng, now),
        application_id: app.id.clone(),
        user_id: Some(user.id),
        session_id: Some(session.id),
        expires_at: end(provider, app, session, &approved.scope, now + lifetimes::code(&broker.config, app)),
        scope: approved.scope,
        auth_time: session.auth_time,
        amr: session.amr.clone(),
        created_at: now,
        revoked_at: None,
        revoked_reason: None,
        details: Json(approved.details),
    };
    let code = approved.wants_code.then(|| broker.rng.token());
    let row = code.as_ref().map(|code| AuthorizationCode {
        code_hash: broker.master.token_hash(PURPOSE, code),
        grant_id: grant.id,
        redirect_uri: approved.redirect_uri.to_owned(),
        nonce: approved.nonce.map(str::to_owned),
        code_challenge: approved.code_challenge.map(str::to_owned),
        created_at: now,
        expires_at: now + lifetimes::code(&broker.config, app),
        used_at: None,
    });
    if let Some(row) = row.as_ref().filter(|_| approved.pushed.is_none() && approved.agreed.is_none()) {
        // Nearly every request: written together with those of others.
        let write = Write::Code { grant: Box::new(grant.clone()), code: Box::new(row.clone()), session: session.id };
        broker.audit.write(write, event).await?;
        return Ok(Some(Made { grant, code }));
    }
    let mut tx = broker.db.write().await?;
    if let Some(pushed) = approved.pushed
        && tx.pushed_requests().consume(pushed, now).await?.is_none()
    {
        return Ok(None);
    }
    if let Some(row) = &row {
        tx.grants().insert(&grant).await?;
        tx.authorization_codes().insert(row).await?;
    }
    tx.sessions().reached(session.id, &app.id, now).await?;
    let mut events = Vec::new();
    if let Some(wish) = &approved.agreed {
        tx.consents().agree(user.id, &app.id, wish, now).await?;
        let agreed = consent::event(app, user.id, Outcome::Success, wish);
        events.push(agreed.from_request(event.address.clone(), event.request_id.clone()));
    }
    events.push(event);
    audit::append(&mut tx, now, &events).await?;
    tx.commit().await?;
    Ok(Some(Made { grant, code }))
}

/// When a grant ends in any case: with `offline_access` after the absolute life of refresh tokens, else with the
/// session too; without refresh tokens when the last access token does, which is issued at `last_issue` at the latest.
pub(super) fn end(
    provider: Provider<'_>,
    app: &Application,
    session: &Session,
    scope: &str,
    last_issue: Instant,
) -> Instant {
    let config = &provider.broker.config;
    let now = provider.broker.clock.now();
    if !app.settings.grant_types.contains(&GrantType::RefreshToken) {
        return last_issue + lifetimes::access_token(config, app);
    }
    let absolute = now + lifetimes::refresh_absolute(config, app);
    if scopes::has(scope, "offline_access") { absolute } else { absolute.min(session.expires_at) }
}

/// Redeems a code: together with the requests of others where everything is as it should be, else on its own.
pub(super) async fn redeem(asked: &Asked<'_>) -> Result<TokenResponse, GrantError> {
    let Asked { provider, app, form, .. } = *asked;
    let broker = provider.broker;
    let code = form.get("code").ok_or(GrantError::InvalidRequest("code is missing"))?;
    let hash = broker.master.token_hash(PURPOSE, code);
    let now = broker.clock.now();
    let (found, basis) = broker.reads.code(hash.clone()).await?.ok_or(GrantError::InvalidGrant(UNKNOWN))?;
    let Basis { grant, person, .. } = basis;
    let proved = asked.confirmation.as_ref();
    let is_usual = grant.application_id == app.id
        && binding::may_redeem(&grant, proved)
        && !binding::binds_refresh_tokens(app)
        && check(&found, &grant, form, now).is_ok();
    let Some(person) = person.filter(|_| is_usual) else { return redeem_alone(asked, &hash, now).await };
    let gets_refresh = app.settings.grant_types.contains(&GrantType::RefreshToken);
    let refresh_token = gets_refresh.then(|| broker.rng.token());
    let refresh = refresh_token.as_ref().map(|token| refresh::row(provider, app, &grant, token, now));
    let scope = grant.scope.clone();
    let grant_type = GrantType::AuthorizationCode;
    let issue = token::Issue { grant: &grant, scope, nonce: found.nonce, grant_type, refresh_token };
    let prepared = token::prepare(asked, &issue)?;
    if !broker.audit.write(Write::Redeem { hash: hash.clone(), refresh }, prepared.event.clone()).await? {
        return redeem_alone(asked, &hash, now).await;
    }
    let granted = Granted { app, scope: &issue.scope, details: &grant.details };
    let told = claims::in_tokens_of(broker, granted, &person).await?;
    token::sign(asked, issue, prepared, told).await
}

/// Redeems a code on its own. It is taken first, in one statement, so that of many requests one wins; whoever comes second kills
/// the grant with everything issued from it (RFC 6749 section 4.1.2). A code that fails its checks is spent too.
async fn redeem_alone(asked: &Asked<'_>, hash: &str, now: Instant) -> Result<TokenResponse, GrantError> {
    let Asked { provider, caller, app, form, .. } = *asked;
    let broker = provider.broker;
    let mut tx = broker.db.write().await?;
    let found = tx.authorization_codes().find(hash).await?.ok_or(GrantError::InvalidGrant(UNKNOWN))?;
    let mut grant = tx.grants().find(found.grant_id).await?.ok_or(GrantError::InvalidGrant(UNKNOWN))?;
    if grant.application_id != app.id {
        return Err(GrantError::InvalidGrant(UNKNOWN));
    }
    let Some(code) = tx.authorization_codes().consume(hash, now).await? else {
        return token::reused(tx, caller, &grant, "code", now).await;
    };
    let is_bound_otherwise = !binding::may_redeem(&grant, asked.confirmation.as_ref());
    let checked = match check(&code, &grant, form, now) {
        Ok(()) if is_bound_otherwise => Err(GrantError::InvalidGrant("the code is bound to another key")),
        Ok(()) => active(&mut tx, &grant).await,
        Err(why) => Err(GrantError::InvalidGrant(why)),
    };
    if let Err(error) = checked {
        // What is left of the grant would never be used.
        tx.grants().revoke(grant.id, EndReason::Revoked, now).await?;
        let event = token::event(caller, app, &grant, Outcome::Denied).with(json!({ "error": error.to_string() }));
        audit::append(&mut tx, now, &[event]).await?;
        tx.commit().await?;
        return Err(error);
    }
    let refresh_token = refresh::first(asked, &mut tx, &mut grant, now).await?;
    let scope = grant.scope.clone();
    let grant_type = GrantType::AuthorizationCode;
    let issue = token::Issue { grant: &grant, scope, nonce: code.nonce, grant_type, refresh_token };
    token::issue(asked, tx, issue).await
}

const UNKNOWN: &str = "the code is unknown, used, expired or another application's";

fn check(code: &AuthorizationCode, grant: &Grant, form: &Params, now: Instant) -> Result<(), &'static str> {
    if now >= code.expires_at || !grant.is_live(now) {
        return Err(UNKNOWN);
    }
    if form.get("redirect_uri") != Some(code.redirect_uri.as_str()) {
        return Err("redirect_uri is not that of the authorization request");
    }
    match (code.code_challenge.as_deref(), form.get("code_verifier")) {
        (Some(challenge), Some(verifier)) if is_verifier(verifier) => {
            let made = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
            let same = constant_time_eq(made.as_bytes(), challenge.as_bytes());
            if same { Ok(()) } else { Err("code_verifier does not fit the code_challenge") }
        }
        (Some(_), _) => Err("code_verifier is missing or malformed"),
        (None, Some(_)) => Err("code_verifier is given, but the authorization request had no code_challenge"),
        (None, None) => Ok(()),
    }
}

/// RFC 7636 section 4.1: 43 to 128 unreserved characters.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'))
}

/// Whether the person of the grant may still use it.
pub(super) async fn active(tx: &mut Tx, grant: &Grant) -> Result<(), GrantError> {
    let user = match grant.user_id {
        Some(user) => tx.users().find(user).await?,
        None => None,
    };
    if user.is_some_and(|user| user.status == Status::Active) {
        Ok(())
    } else {
        Err(GrantError::InvalidGrant("the person may not sign in any more"))
    }
}

/// What is recorded about somebody's way into an application.
pub(super) fn access_event(caller: &Caller, user: &User, app: &Application, outcome: Outcome) -> Event {
    Event::new(Action::ApplicationAccess, outcome, format!("user:{}", user.id), format!("app:{}", app.id))
        .from_request(caller.address.to_string(), &caller.request_id)
}
