//! What the expense system does besides signing people in: it calls the expense API through the gateway, in the
//! person's name, with the access token of their sign-in.

use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};

use super::Sample;
use super::pages::Language;
use super::relying_party::Member;
use super::visit::signed_in;

/// What came back through the gateway.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Whether the gateway let the call through.
    pub is_allowed: bool,
    /// The API's document, or the gateway's problem document.
    pub document: serde_json::Value,
}

/// The reports that wait for approval.
pub async fn reports(sample: &Sample, member: &Member) -> Answer {
    let request = sample.party.http().get(format!("{}/expense", sample.gateway));
    call(request, member).await
}

/// The form of the button.
#[derive(Debug, Deserialize)]
pub struct Approval {
    report: String,
}

/// `POST /approve`: asks the API to approve, and shows what came back.
pub async fn approve(
    State(sample): State<Sample>,
    headers: HeaderMap,
    language: Language,
    Form(approval): Form<Approval>,
) -> Response {
    let Some((_, member)) = signed_in(&sample, &headers) else { return Redirect::to("/").into_response() };
    let request = sample.party.http().post(format!("{}/expense/approvals", sample.gateway));
    let answer = call(request.json(&serde_json::json!({ "report": approval.report })), &member).await;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let values = context! { person => Serde(&member.person), answer => Serde(&answer) };
    sample.page("answer.html", language, status, values)
}

async fn call(request: reqwest::RequestBuilder, member: &Member) -> Answer {
    match request.bearer_auth(member.access_token.secret()).send().await {
        Ok(answer) => {
            let status = answer.status();
            let document = answer.json().await.unwrap_or_default();
            Answer { status: status.as_u16(), is_allowed: status.is_success(), document }
        }
        Err(error) => Answer { status: 502, is_allowed: false, document: format!("{error:#}").into() },
    }
}
