//! The way back: from a call without a session over the sign-in page to the address that was called.
//!
//! The address travels signed, so that nobody can make the broker send people elsewhere; only addresses on the broker's
//! own host are signed, because only there the browser has the session's cookie (GW-033, GW-034).

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use crate::crypto::constant_time_eq;
use crate::gateway::{CallPath, call_host};
use crate::http::extract::{PageLanguage, RequestId};
use crate::http::respond::page::error_page;
use crate::http::{paths, state::App};

/// Purpose under which return addresses are signed.
const PURPOSE: &str = "gateway-return";
/// Bytes of an address at the most.
const MAX: usize = 2_000;

/// The sign-in page, from which the browser comes back to the address; none where it could not come back.
/// `again` shows the form even to somebody who is signed in.
pub(super) fn sign_in_url(app: &App, again: bool, scheme: Option<&str>, host: &str, target: &str) -> Option<String> {
    let server = &app.broker.config.server;
    let scheme = scheme.unwrap_or(server.public_url.scheme());
    let is_ours = call_host(host).ok().as_deref() == server.public_url.host_str();
    let address = format!("{scheme}://{host}{}", CallPath::parse(target).ok()?);
    if !is_ours || scheme != server.public_url.scheme() || address.len() > MAX {
        return None;
    }
    let signature = app.broker.master.sign(PURPOSE, &address);
    let query = Serializer::new(String::new()).append_pair("to", &address).append_pair("sig", &signature).finish();
    let back = format!("{}?{query}", paths::GATEWAY_RETURN);
    let query = Serializer::new(String::new()).append_pair("return_to", &back).finish();
    let again = if again { "&reauth=1" } else { "" };
    Some(server.url(&format!("{}?{query}{again}", paths::LOGIN)))
}

/// Query of [`go_back`].
#[derive(Debug, Deserialize)]
pub struct Back {
    to: String,
    sig: String,
}

/// `GET /gateway/return`: sends the browser to the signed address.
pub async fn go_back(
    State(app): State<App>,
    request_id: RequestId,
    PageLanguage { language, .. }: PageLanguage,
    back: Result<Query<Back>, QueryRejection>,
) -> Response {
    match back {
        Ok(Query(Back { to, sig }))
            if constant_time_eq(app.broker.master.sign(PURPOSE, &to).as_bytes(), sig.as_bytes()) =>
        {
            Redirect::to(&to).into_response()
        }
        _ => error_page(&app, language, StatusCode::BAD_REQUEST, "error-bad-return", &request_id.0),
    }
}
