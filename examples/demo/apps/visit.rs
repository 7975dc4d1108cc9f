//! Home page, sign-in, callback and sign-out of a sample application.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::context;
use minijinja::value::Serde;

use super::pages::{Language, cookie};
use super::relying_party::{Callback, Member};
use super::{Kind, Sample, expense};

/// `GET /`: who is signed in, as the broker says it now.
pub async fn home(State(sample): State<Sample>, headers: HeaderMap, language: Language) -> Response {
    let Some((key, member)) = signed_in(&sample, &headers) else {
        return sample.page("welcome.html", language, StatusCode::OK, context! {});
    };
    match sample.party.again(&member).await {
        Ok(member) => {
            sample.members.replace(&key, member.clone());
            let reports = match sample.kind {
                Kind::Oa => None,
                Kind::Expense => Some(expense::reports(&sample, &member).await),
            };
            let person = Serde(&member.person);
            let reports = Serde(&reports);
            sample.page("home.html", language, StatusCode::OK, context! { person, reports })
        }
        Err(why) => {
            sample.members.take(&key);
            let why = format!("{why:#}");
            sample.page("ended.html", language, StatusCode::UNAUTHORIZED, context! { why })
        }
    }
}

/// The sign-in that the request's cookie names.
pub fn signed_in(sample: &Sample, headers: &HeaderMap) -> Option<(String, Member)> {
    let key = cookie(headers, sample.session_cookie())?;
    let member = sample.members.get(&key)?;
    Some((key, member))
}

/// `GET /login`: off to the broker.
pub async fn begin(State(sample): State<Sample>, language: Language) -> Response {
    match sample.party.begin().await {
        Ok((url, pending)) => {
            let key = sample.pending.put(pending);
            let set = format!("{}={key}; Path=/; HttpOnly; SameSite=Lax; Max-Age=600", sample.pending_cookie());
            ([(header::SET_COOKIE, set)], Redirect::to(url.as_str())).into_response()
        }
        Err(why) => sample.trouble(language, &why),
    }
}

/// `GET /callback`: back from the broker with a code.
pub async fn callback(
    State(sample): State<Sample>,
    headers: HeaderMap,
    language: Language,
    Query(callback): Query<Callback>,
) -> Response {
    let pending = cookie(&headers, sample.pending_cookie()).and_then(|key| sample.pending.take(&key));
    let Some(pending) = pending else {
        return sample.trouble(language, &anyhow::anyhow!("this browser has not begun to sign in, or did so twice"));
    };
    match sample.party.complete(callback, pending).await {
        Ok(member) => {
            let key = sample.members.put(member);
            let set = format!("{}={key}; Path=/; HttpOnly; SameSite=Lax", sample.session_cookie());
            ([(header::SET_COOKIE, set)], Redirect::to("/")).into_response()
        }
        Err(why) => sample.trouble(language, &why),
    }
}

/// `POST /logout`: out of here, then out of everything at the broker.
pub async fn logout(State(sample): State<Sample>, headers: HeaderMap, language: Language) -> Response {
    let Some((key, member)) = signed_in(&sample, &headers) else { return Redirect::to("/").into_response() };
    sample.members.take(&key);
    match sample.party.logout_url(&member).await {
        Ok(url) => Redirect::to(url.as_str()).into_response(),
        Err(why) => sample.trouble(language, &why),
    }
}

impl Sample {
    /// A page that says what went wrong.
    pub fn trouble(&self, language: Language, why: &anyhow::Error) -> Response {
        let why = format!("{why:#}");
        self.page("trouble.html", language, StatusCode::BAD_GATEWAY, context! { why })
    }
}
