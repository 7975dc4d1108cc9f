//! Refused calls: a status, a challenge (RFC 6750 section 3), a stable code, a sentence and what to do next.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Problem;
use super::oauth::DPOP_NONCE;
use crate::gateway::{PathError, Refusal};
use crate::text::{Args, Language, message};

/// Carries the code of a refusal.
pub const REASON: HeaderName = HeaderName::from_static("x-yaopai-reason");
/// Carries the address at which the person signs in and comes back.
pub const SIGN_IN: HeaderName = HeaderName::from_static("x-yaopai-sign-in");

/// A problem with a code, in words for people.
#[must_use]
pub fn problem(status: StatusCode, code: &'static str, language: Language) -> Response {
    let args = Args::new();
    let mut problem = Problem::new(status, code, message(language, &format!("call-why-{code}"), &args));
    problem.detail = Some(message(language, &format!("call-next-{code}"), &args));
    let mut response = problem.into_response();
    response.headers_mut().insert(REASON, HeaderValue::from_static(code));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer to a refused call. `sign_in` is where a person could sign in, where that would help.
#[must_use]
pub fn refused(refusal: &Refusal, language: Language, sign_in: Option<&str>) -> Response {
    let mut response = problem(status(refusal), refusal.code(), language);
    let headers = response.headers_mut();
    if let Some(challenge) = challenge(refusal).and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Refusal::Nonce(nonce) = refusal
        && let Ok(nonce) = HeaderValue::from_str(nonce)
    {
        headers.insert(DPOP_NONCE, nonce);
    }
    if let Refusal::Method(methods) = refusal
        && let Ok(allow) = HeaderValue::from_str(&methods.join(", "))
    {
        headers.insert(header::ALLOW, allow);
    }
    if let Some(sign_in) = sign_in.and_then(|url| HeaderValue::from_str(url).ok()) {
        headers.insert(SIGN_IN, sign_in);
    }
    response
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Path(PathError::TooLong) => StatusCode::URI_TOO_LONG,
        Refusal::Path(_) | Refusal::Capitals | Refusal::Host | Refusal::TwoCallers | Refusal::Authorization => {
            StatusCode::BAD_REQUEST
        }
        Refusal::NoRoute => StatusCode::NOT_FOUND,
        Refusal::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
        Refusal::Unidentified { .. }
        | Refusal::Token
        | Refusal::Proof
        | Refusal::Nonce(_)
        | Refusal::Audience
        | Refusal::Assurance { .. } => StatusCode::UNAUTHORIZED,
        Refusal::CrossSite | Refusal::Scope(_) | Refusal::Role(_) | Refusal::Policy(_) => StatusCode::FORBIDDEN,
        Refusal::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn challenge(refusal: &Refusal) -> Option<String> {
    let error = match refusal {
        Refusal::Unidentified { .. } => return Some("Bearer realm=\"yaopai\"".to_owned()),
        Refusal::Proof => return Some(dpop("invalid_dpop_proof")),
        Refusal::Nonce(_) => return Some(dpop("use_dpop_nonce")),
        Refusal::Token | Refusal::Audience => "invalid_token".to_owned(),
        Refusal::Authorization => "invalid_request".to_owned(),
        // Scopes are checked when the configuration is read: no quotation mark can end the value.
        Refusal::Scope(scopes) => format!("insufficient_scope\", scope=\"{}", scopes.join(" ")),
        Refusal::Assurance { acr, max_age, .. } => {
            let acr = acr.map(|acr| format!("\", acr_values=\"{acr}"));
            let max_age = max_age.map(|seconds| format!("\", max_age=\"{seconds}"));
            format!("insufficient_user_authentication{}{}", acr.unwrap_or_default(), max_age.unwrap_or_default())
        }
        Refusal::Path(_)
        | Refusal::Capitals
        | Refusal::Host
        | Refusal::NoRoute
        | Refusal::Method(_)
        | Refusal::TwoCallers
        | Refusal::CrossSite
        | Refusal::Role(_)
        | Refusal::Policy(_)
        | Refusal::Store(_) => return None,
    };
    Some(format!("Bearer realm=\"yaopai\", error=\"{error}\""))
}

/// RFC 9449 section 7.1.
fn dpop(error: &str) -> String {
    format!("DPoP realm=\"yaopai\", error=\"{error}\", algs=\"PS256 ES256 EdDSA\"")
}

/// Nginx and others understand three answers to a sub-request: 200, 401 and 403. Whatever else is refused is 403; a
/// failure of ours stays what it is, and they deny.
#[must_use]
pub fn for_sub_request(mut response: Response) -> Response {
    let status = response.status();
    if status.is_client_error() && status != StatusCode::UNAUTHORIZED {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::{refused, status};
    use crate::gateway::{PathError, Refusal};
    use crate::model::Acr;
    use crate::policy::Decision;
    use crate::store::StoreError;
    use crate::text::{Args, Language, message};

    fn all() -> Vec<Refusal> {
        vec![
            Refusal::Path(PathError::TooLong),
            Refusal::Path(PathError::Malformed),
            Refusal::Path(PathError::Segment),
            Refusal::Path(PathError::Ambiguous),
            Refusal::Path(PathError::MethodOverride),
            Refusal::Capitals,
            Refusal::Host,
            Refusal::NoRoute,
            Refusal::Method(vec!["GET".to_owned()]),
            Refusal::Unidentified { may_sign_in: true },
            Refusal::Token,
            Refusal::Proof,
            Refusal::Nonce("n".to_owned()),
            Refusal::Audience,
            Refusal::Authorization,
            Refusal::TwoCallers,
            Refusal::CrossSite,
            Refusal::Scope(vec!["a".to_owned(), "b".to_owned()]),
            Refusal::Assurance { acr: Some(Acr::Password), max_age: Some(60), may_sign_in: true },
            Refusal::Role(vec!["r".to_owned()]),
            Refusal::Policy(Decision::default()),
            Refusal::Store(StoreError::Interrupted),
        ]
    }

    #[test]
    fn every_refusal_says_why_and_what_next_in_both_languages() {
        for refusal in all() {
            for language in [Language::En, Language::Zh] {
                for kind in ["why", "next"] {
                    let key = format!("call-{kind}-{}", refusal.code());
                    assert_ne!(message(language, &key, &Args::new()), key, "{language}");
                }
            }
            assert!(!status(&refusal).is_success());
        }
    }

    #[test]
    fn challenges_are_those_of_the_standard() {
        let of = |refusal| {
            let response = refused(&refusal, Language::En, None);
            let challenge = response.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
            (response.status(), challenge)
        };
        let scope = "Bearer realm=\"yaopai\", error=\"insufficient_scope\", scope=\"a b\"".to_owned();
        assert_eq!(of(Refusal::Scope(vec!["a".to_owned(), "b".to_owned()])), (StatusCode::FORBIDDEN, Some(scope)));
        let weak = Refusal::Assurance { acr: Some(Acr::Password), max_age: Some(60), may_sign_in: false };
        let step_up = "Bearer realm=\"yaopai\", error=\"insufficient_user_authentication\", \
                       acr_values=\"urn:yaopai:acr:password\", max_age=\"60\"";
        assert_eq!(of(weak), (StatusCode::UNAUTHORIZED, Some(step_up.to_owned())));
        let bare = "Bearer realm=\"yaopai\"".to_owned();
        assert_eq!(of(Refusal::Unidentified { may_sign_in: false }), (StatusCode::UNAUTHORIZED, Some(bare)));
        assert_eq!(of(Refusal::NoRoute), (StatusCode::NOT_FOUND, None));
    }
}
