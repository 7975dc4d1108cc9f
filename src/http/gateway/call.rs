//! A request in the gateway's words.

use axum::http::{HeaderMap, HeaderName, header};

use crate::gateway::{Call, Credentials};
use crate::http::extract::{ClientAddress, RequestId, proofs, session_cookie};

/// The call that `headers` make, of that method, host and target.
pub(super) fn call(
    headers: &HeaderMap,
    is_https: bool,
    (method, host, target): (String, Option<String>, String),
    address: ClientAddress,
    certificate: Option<String>,
    request_id: &RequestId,
) -> Call {
    Call {
        method,
        host,
        target,
        credentials: Credentials { certificate, ..credentials(headers, session_cookie(is_https)) },
        origin: first(headers, &header::ORIGIN),
        fetch_site: first(headers, &HeaderName::from_static("sec-fetch-site")),
        address: address.address,
        request_id: request_id.0.clone(),
    }
}

fn credentials(headers: &HeaderMap, cookie: &str) -> Credentials {
    let lines = |name: HeaderName| headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let sessions = lines(header::COOKIE).flat_map(|line| line.split(';').map(str::to_owned).collect::<Vec<_>>());
    let sessions = sessions.filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == cookie).then(|| value.to_owned())
    });
    Credentials {
        authorization: lines(header::AUTHORIZATION).map(std::borrow::Cow::into_owned).collect(),
        sessions: sessions.collect(),
        proofs: proofs(headers),
        certificate: None,
    }
}

fn first(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The one value of a header; none where there is none.
///
/// # Errors
/// Its name, where there are several, or one that is no plain text: which of them would count is anybody's guess.
pub(super) fn only(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, &'static str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(|text| Some(text.to_owned())).map_err(|_| name),
        (Some(_), Some(_)) => Err(name),
    }
}
