//! Somebody who is signed in, and what policy knows of them; others are sent to the sign-in page.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use chrono::Duration;
use minijinja::{Value, context};

use super::{Fields, SessionForm, Visit};
use crate::access;
use crate::http::paths;
use crate::http::respond::page::{internal, page, to_sign_in};
use crate::http::state::App;
use crate::login::CurrentSession;
use crate::policy::{Context, Principal};

/// How long ago somebody may have proved who they are, where a decision has weight.
const RECENT: Duration = Duration::minutes(15);

/// A signed-in person or recovery administrator.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The browser.
    pub visit: Visit,
    /// The session.
    pub current: CurrentSession,
    /// Who they are for policy.
    pub principal: Principal,
    /// Whether policy lets them administer.
    pub is_administrator: bool,
}

/// A signed-in person whom policy lets administer; others are refused.
#[derive(Clone, Debug)]
pub struct Administrator(pub SignedIn);

/// A form of an administrator, checked like every [`SessionForm`].
#[derive(Clone, Debug)]
pub struct AdministratorForm(pub SignedIn, pub Fields);

impl SignedIn {
    /// What policy knows of the visit's person; a redirect to the sign-in page when nobody is signed in.
    ///
    /// # Errors
    /// The answer to give instead.
    pub async fn of(visit: Visit) -> Result<Self, Response> {
        let Some(current) = visit.session.clone() else {
            return Err(to_sign_in(visit.here.as_deref().unwrap_or(paths::PORTAL)));
        };
        let broker = &visit.app.broker;
        let principal = match &current {
            CurrentSession::Operator(_, operator) => Principal::Operator { login: operator.login.clone() },
            CurrentSession::Person(_, user) => access::principal_now(broker, user).await.map_err(|error| {
                tracing::error!(%error, request_id = visit.request_id, "a person's facts could not be read");
                internal(&visit.app, visit.language, &visit.request_id)
            })?,
        };
        let is_administrator =
            access::may_administer(broker, principal.clone(), circumstances(&visit, &current)).allowed;
        Ok(Self { visit, current, principal, is_administrator })
    }

    /// The circumstances of a decision about this visit.
    #[must_use]
    pub fn circumstances(&self) -> Context {
        circumstances(&self.visit, &self.current)
    }

    /// Whether the person proved lately who they are, as decisions of weight demand. A recovery administrator's password
    /// works once, so they cannot prove themselves again.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        let age = self.visit.app.broker.clock.now() - self.current.session().auth_time;
        self.current.user().is_none() || age <= RECENT
    }

    /// Where the person proves again who they are, to come back to `page`.
    #[must_use]
    pub fn prove_again(page: &str) -> String {
        let page: String = url::form_urlencoded::byte_serialize(page.as_bytes()).collect();
        format!("{}?return_to={page}&reauth=1", paths::LOGIN)
    }

    /// The name that pages show.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.current {
            CurrentSession::Person(_, user) => &user.display_name,
            CurrentSession::Operator(_, operator) => &operator.login,
        }
    }

    /// A page of the house: with the bar that says who is signed in. `place` is the entry of the bar it belongs to.
    #[must_use]
    pub fn page(&self, template: &str, place: &str, values: Value) -> Response {
        let detail = self.current.user().map(|user| user.title.clone().unwrap_or_else(|| user.login.clone()));
        let bar = context! {
            name => self.name(),
            detail => detail.unwrap_or_default(),
            is_administrator => self.is_administrator,
            place,
            portal => paths::PORTAL,
            sessions => paths::SESSIONS,
            consents => paths::CONSENTS,
            runs => paths::RUNS,
            findings => paths::FINDINGS,
            people => paths::PEOPLE,
            departments => paths::DEPARTMENTS,
            roles => paths::ROLES,
            deputies => paths::DEPUTIES,
            logout => paths::LOGOUT,
        };
        let values = minijinja::value::merge_maps([context! { bar }, values]);
        page(&self.visit, StatusCode::OK, template, values, None)
    }

    /// The page for what failed on our side.
    #[must_use]
    pub fn failed(&self, error: &dyn std::fmt::Display) -> Response {
        tracing::error!(%error, request_id = self.visit.request_id, "a page could not be made");
        internal(&self.visit.app, self.visit.language, &self.visit.request_id)
    }
}

fn circumstances(visit: &Visit, current: &CurrentSession) -> Context {
    Context {
        address: Some(visit.address.address),
        amr: current.session().amr.split_whitespace().map(str::to_owned).collect(),
        ..Context::default()
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        Self::of(Visit::from_request_parts(parts, app).await?).await
    }
}

impl FromRequestParts<App> for Administrator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let signed_in = SignedIn::from_request_parts(parts, app).await?;
        if signed_in.is_administrator { Ok(Self(signed_in)) } else { Err(refused(&signed_in.visit)) }
    }
}

impl FromRequest<App> for AdministratorForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let SessionForm(visit, fields) = SessionForm::from_request(request, app).await?;
        let signed_in = SignedIn::of(visit).await?;
        if signed_in.is_administrator { Ok(Self(signed_in, fields)) } else { Err(refused(&signed_in.visit)) }
    }
}

fn refused(visit: &Visit) -> Response {
    visit.refuse(StatusCode::FORBIDDEN, "error-not-administrator")
}
