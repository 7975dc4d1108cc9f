//! The first step: who asks, what, and where the answer may go.

use std::sync::Arc;

use super::{Answer, PageFault, Stop};
use crate::model::{Application, RedirectUri};
use crate::oidc::Provider;
use crate::oidc::demand::{Demand, reauth_demand};
use crate::oidc::params::Params;
use crate::oidc::request::{Fault, Request};
use crate::oidc::response::{Back, Mode};

/// A request of a known application that can be answered.
pub(super) struct Arrival {
    pub app: Arc<Application>,
    /// What stands in the address: a browser that is sent away comes back with it.
    pub address: Params,
    /// What is asked for.
    pub params: Params,
    /// The way back.
    pub back: Back,
}

impl Arrival {
    /// The request, or what is wrong with it.
    pub fn read(&self) -> Result<Request, Fault> {
        Request::read(&self.app, &self.params, &self.back.redirect_uri)
    }

    /// The demand for a fresh proof that the address tells of.
    pub fn demand(&self, provider: Provider<'_>) -> Demand {
        reauth_demand(provider, &self.address)
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
pub(super) async fn arrive(provider: Provider<'_>, address: &Params) -> Result<Arrival, Stop> {
    let app = match address.once("client_id") {
        Some(id) => provider.applications.find(provider.broker, id).await?,
        None => None,
    };
    let app = app.ok_or(Stop::Answer(Answer::Page(PageFault::UnknownApplication)))?;
    let params = address.clone();
    let back = back(&app, &params).ok_or(Stop::Answer(Answer::Page(PageFault::RedirectUri)))?;
    Ok(Arrival { app, address: address.clone(), params, back })
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
