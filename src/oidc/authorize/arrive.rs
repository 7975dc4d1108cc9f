//! The first step: who asks, what, and where the answer may go.

use std::sync::Arc;

use super::{Answer, PageFault, Stop};
use crate::model::{Application, PushedRequest, RedirectUri, nearest};
use crate::oidc::demand::{Demand, reauth_demand};
use crate::oidc::params::Params;
use crate::oidc::request::{Fault, Request, Way};
use crate::oidc::request_object::{self, Once, Opened};
use crate::oidc::response::{Back, Mode};
use crate::oidc::{Caller, Provider, client_document, par};

/// A request of a known application that can be answered.
pub(in crate::oidc) struct Arrival {
    pub app: Arc<Application>,
    /// What stands in the address: a browser that is sent away comes back with it.
    pub address: Params,
    /// What is asked for.
    pub params: Params,
    /// The way back.
    pub back: Back,
    /// The pushed request that the address refers to.
    pub pushed: Option<PushedRequest>,
    /// Which way the request came.
    pub way: Way,
    /// What makes the request object good for one answer only.
    pub once: Option<Once>,
    /// What is wrong with the request object.
    fault: Option<Fault>,
}

impl Arrival {
    /// The request, or what is wrong with it.
    pub fn read(&self, provider: Provider<'_>) -> Result<Request, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        Request::read(provider, &self.app, &self.params, &self.back.redirect_uri, self.way)
    }

    /// The demand for a fresh proof that the address tells of.
    pub fn demand(&self, provider: Provider<'_>) -> Demand {
        reauth_demand(provider, &self.address)
    }

    /// The end of the request: the person has to sign in, and comes back with `request`.
    pub fn sign_in(&self, request: Params, again: bool) -> Stop {
        let hints =
            if self.pushed.is_some() { self.params.only(&["login_hint", "ui_locales"]) } else { Params::default() };
        Stop::Answer(Answer::SignIn { request, again, hints })
    }

    /// The end of the request: the application is told what is wrong.
    pub async fn refuse(&self, provider: Provider<'_>, fault: Fault) -> Stop {
        match self.back.fault(provider, &self.app, fault).await {
            Ok(answer) => Stop::Answer(answer),
            Err(error) => Stop::Failed(error),
        }
    }
}

/// Finds application and redirect URI; without them, a page is the answer.
pub(super) async fn arrive(provider: Provider<'_>, caller: &Caller, address: &Params) -> Result<Arrival, Stop> {
    let app = match address.once("client_id") {
        Some(id) => client_document::find(provider, id).await?,
        None => None,
    };
    let app = app.ok_or(page(PageFault::UnknownApplication))?;
    let pushed = pushed(provider, &app, address).await?;
    let (params, is_signed, once, fault) = match &pushed {
        Some(pushed) => {
            let params = Params::parse(&pushed.parameters).map_err(|_| page(PageFault::PushedRequest))?;
            (params, pushed.is_signed, None, None)
        }
        None => match object(provider, &app, address).await {
            Ok(Some(Opened { params, once })) => (params, true, once, None),
            Ok(None) => (address.clone(), false, None, None),
            Err(fault) => (address.clone(), false, None, Some(fault)),
        },
    };
    let way = Way { is_pushed: pushed.is_some(), is_signed };
    let lost = || if fault.is_some() { PageFault::Malformed } else { not_registered(caller, &app, &params) };
    let back = back(&app, &params).ok_or_else(|| page(lost()))?;
    Ok(Arrival { app, address: address.clone(), params, back, pushed, way, once, fault })
}

/// The parameters of the request object in the address (RFC 9101 section 5.1).
async fn object(provider: Provider<'_>, app: &Application, address: &Params) -> Result<Option<Opened>, Fault> {
    let Some(object) = address.get("request") else { return Ok(None) };
    if address.is_repeated("request") || address.get("request_uri").is_some() {
        return Err(Fault::invalid("there is more than one request object"));
    }
    request_object::open(provider, app, object, address).await.map(Some)
}

fn page(fault: PageFault) -> Stop {
    Stop::Answer(Answer::Page(fault))
}

/// A redirect URI that is not registered: the log holds everything, the page only what gives nothing away.
fn not_registered(caller: &Caller, app: &Application, params: &Params) -> PageFault {
    let sent = params.once("redirect_uri").unwrap_or_default();
    let nearest = nearest(sent, &app.settings.redirect_uris);
    let differs_in = nearest.map_or("everything", |(miss, _)| miss.words());
    // Written with escapes: it comes from anybody.
    let shown: String = sent.chars().take(500).collect();
    tracing::warn!(
        request_id = caller.request_id,
        application = app.id,
        sent = ?shown,
        registered = ?app.settings.redirect_uris,
        differs_in,
        "a redirect URI is not registered"
    );
    PageFault::RedirectUri(nearest.map(|(miss, _)| miss).filter(|miss| miss.is_harmless()))
}

/// The pushed request that the address refers to. Its parameters count, and none of the address (RFC 9126 section 4);
/// a request object beside it would be a second request.
async fn pushed(provider: Provider<'_>, app: &Application, address: &Params) -> Result<Option<PushedRequest>, Stop> {
    let Some(reference) = address.get("request_uri").filter(|uri| par::is_reference(uri)) else { return Ok(None) };
    if address.is_repeated("request_uri") || address.get("request").is_some() {
        return Err(page(PageFault::PushedRequest));
    }
    let found = par::find(provider, app, reference).await?;
    found.map(Some).ok_or(page(PageFault::PushedRequest))
}

/// The way back, when the redirect URI is registered.
pub(in crate::oidc) fn back(app: &Application, params: &Params) -> Option<Back> {
    let redirect_uri = params.once("redirect_uri")?;
    let is_registered = app.settings.redirect_uris.iter().any(|own| RedirectUri(own).matches(redirect_uri));
    is_registered.then(|| Back {
        redirect_uri: redirect_uri.to_owned(),
        state: params.once("state").map(str::to_owned),
        mode: Mode::of(params),
    })
}
