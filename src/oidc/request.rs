//! Reading an authorization request: what is asked for, once application and redirect URI are known.

use chrono::TimeDelta;
use serde_json::Value;

use super::Provider;
use super::claims::ClaimsRequest;
use super::dpop::is_thumbprint;
use super::params::Params;
use super::response::Mode;
use super::{details, resources, scopes};
use crate::model::{Application, AuthMethod, GrantType, Profile, ResponseType};

/// A fault that the application is told (RFC 6749 section 4.1.2.1). Texts are constants of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub error: &'static str,
    pub description: &'static str,
}

impl Fault {
    pub const LOGIN_REQUIRED: Self = Self { error: "login_required", description: "the person has to sign in" };
    pub const ACCESS_DENIED: Self =
        Self { error: "access_denied", description: "the person may not use this application" };

    pub const fn invalid(description: &'static str) -> Self {
        Self { error: "invalid_request", description }
    }
}

/// A well-formed request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Request {
    /// What is answered with.
    pub response_type: ResponseType,
    /// What is granted of what is asked for.
    pub scope: String,
    pub nonce: Option<String>,
    pub code_challenge: Option<String>,
    /// The key that the code is to be bound to (RFC 9449 section 10).
    pub dpop_jkt: Option<String>,
    /// `prompt=none`: no page may be shown.
    pub is_silent: bool,
    /// The person has to prove themselves again.
    pub again: bool,
    /// `prompt=consent`: who is asked at all is asked now.
    pub asks_consent: bool,
    /// How old the proof may be.
    pub max_age: Option<TimeDelta>,
    pub id_token_hint: Option<String>,
    /// Single claims.
    pub claims: ClaimsRequest,
    /// How strongly the person should have proved themselves, the best first.
    pub acr_values: Option<String>,
    /// The APIs that tokens are to be for (RFC 8707).
    pub resources: Vec<String>,
    /// What is to be done, in detail (RFC 9396).
    pub details: Vec<Value>,
}

/// Which way a request came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Way {
    /// Pushed ahead by the application (RFC 9126).
    pub is_pushed: bool,
    /// As a signed request object (RFC 9101).
    pub is_signed: bool,
}

impl Request {
    /// Reads `params` for `app`, which is answered at `redirect_uri`.
    pub fn read(
        provider: Provider<'_>,
        app: &Application,
        params: &Params,
        redirect_uri: &str,
        way: Way,
    ) -> Result<Self, Fault> {
        check_way(provider, app, way)?;
        Self::parse(app, params, redirect_uri)
    }

    /// The same, whichever way the request came.
    pub fn parse(app: &Application, params: &Params, redirect_uri: &str) -> Result<Self, Fault> {
        if params.has_repetition() {
            return Err(Fault::invalid("a parameter is given twice"));
        }
        check_support(params)?;
        let response_type = response_type(app, params)?;
        Mode::check(params, response_type, redirect_uri)?;
        let scope = scopes::granted(app, params.get("scope").unwrap_or_default()).join(" ");
        if scope.is_empty() {
            return Err(Fault { error: "invalid_scope", description: "no scope that this application may ask for" });
        }
        if response_type.has_id_token() && !scopes::has(&scope, "openid") {
            return Err(Fault { error: "invalid_scope", description: "an ID token needs the scope openid" });
        }
        let nonce = nonce(params, response_type)?;
        let Prompt { is_silent, again, asks_consent } = Prompt::read(params.get("prompt").unwrap_or_default())?;
        let max_age = match params.get("max_age").map(str::parse::<i64>) {
            None => None,
            Some(Ok(seconds)) if seconds >= 0 => Some(TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX)),
            Some(_) => return Err(Fault::invalid("max_age is no number of seconds")),
        };
        let code_challenge =
            if response_type.has_code() { code_challenge(app, params)?.map(str::to_owned) } else { None };
        let claims = params.get("claims").map_or(Ok(ClaimsRequest::default()), ClaimsRequest::read);
        let dpop_jkt = params.get("dpop_jkt");
        if dpop_jkt.is_some_and(|key| !is_thumbprint(key)) {
            return Err(Fault::invalid("dpop_jkt is no SHA-256 thumbprint in base64url"));
        }
        Ok(Self {
            response_type,
            scope,
            nonce,
            code_challenge,
            dpop_jkt: dpop_jkt.map(str::to_owned),
            is_silent,
            again,
            asks_consent,
            max_age,
            id_token_hint: params.get("id_token_hint").map(str::to_owned),
            claims: claims.map_err(Fault::invalid)?,
            acr_values: params.get("acr_values").map(str::to_owned),
            resources: resources::asked(app, params)?,
            details: details::asked(app, params)?,
        })
    }
}

/// Whether the application may send its requests this way.
fn check_way(provider: Provider<'_>, app: &Application, way: Way) -> Result<(), Fault> {
    let settings = &app.settings.request;
    let has_to_push = settings.require_pushed_authorization_requests
        || provider.broker.config.oidc.require_pushed_authorization_requests
        || app.settings.profile == Profile::Fapi2;
    if settings.require_signed_request_object && !way.is_signed {
        return Err(Fault::invalid("this application has to sign its authorization requests"));
    }
    if has_to_push && !way.is_pushed {
        return Err(Fault::invalid("this application has to push its authorization requests"));
    }
    Ok(())
}

/// What the provider does not do is refused by its name, never ignored (OpenID Connect Core 1.0 section 3.1.2.6).
fn check_support(params: &Params) -> Result<(), Fault> {
    for (name, error) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if params.get(name).is_some() {
            return Err(Fault { error, description: "this parameter is not supported" });
        }
    }
    Ok(())
}

/// What is to be answered with, when the application may have that.
fn response_type(app: &Application, params: &Params) -> Result<ResponseType, Fault> {
    let text = params.get("response_type").ok_or(Fault::invalid("response_type is missing"))?;
    let Some(response_type) = ResponseType::read(text) else {
        let description = "only code, id_token and code id_token are supported";
        return Err(Fault { error: "unsupported_response_type", description });
    };
    let is_allowed = app.settings.request.allows(response_type)
        && (response_type == ResponseType::Code || app.settings.profile != Profile::Fapi2);
    if !is_allowed {
        let description = "the application is not registered for this response_type";
        return Err(Fault { error: "unauthorized_client", description });
    }
    if response_type.has_code() && !app.settings.grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(Fault { error: "unauthorized_client", description: "the application is not registered for codes" });
    }
    Ok(response_type)
}

/// The nonce, without which no ID token leaves the authorization endpoint (OpenID Connect Core 1.0 section 3.2.2.1).
fn nonce(params: &Params, response_type: ResponseType) -> Result<Option<String>, Fault> {
    match params.get("nonce") {
        Some(nonce) if nonce.len() > 1_024 => Err(Fault::invalid("nonce is longer than 1024 bytes")),
        None if response_type.has_id_token() => Err(Fault::invalid("nonce is missing: an ID token here needs one")),
        nonce => Ok(nonce.map(str::to_owned)),
    }
}

/// PKCE (RFC 7636): S256 only, demanded of public applications and of all that are not exempted.
fn code_challenge<'a>(app: &Application, params: &'a Params) -> Result<Option<&'a str>, Fault> {
    let is_demanded =
        app.settings.require_pkce || app.auth_method == AuthMethod::None || app.settings.profile == Profile::Fapi2;
    match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (Some(challenge), Some("S256")) => {
            let is_hash = challenge.len() == 43
                && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            if is_hash { Ok(Some(challenge)) } else { Err(Fault::invalid("code_challenge is no SHA-256 in base64url")) }
        }
        (Some(_), _) => Err(Fault::invalid("only code_challenge_method=S256 is supported")),
        (None, Some(_)) => Err(Fault::invalid("code_challenge is missing")),
        (None, None) if is_demanded => Err(Fault::invalid("code_challenge is missing: PKCE with S256 is required")),
        (None, None) => Ok(None),
    }
}

/// What `prompt` asks for.
#[derive(Default)]
struct Prompt {
    is_silent: bool,
    again: bool,
    asks_consent: bool,
}

impl Prompt {
    /// A value that is not known is an error: `create` above all would promise a page to register at, and people come
    /// from the directory (Initiating User Registration via OpenID Connect 1.0 section 4.1).
    fn read(text: &str) -> Result<Self, Fault> {
        let (mut prompt, mut count) = (Self::default(), 0);
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            count += 1;
            match value {
                "none" => prompt.is_silent = true,
                "login" | "select_account" => prompt.again = true,
                "consent" => prompt.asks_consent = true,
                "create" => {
                    return Err(Fault::invalid("prompt=create is not supported: people come from the directory"));
                }
                _ => return Err(Fault::invalid("a value of prompt is unknown")),
            }
        }
        if prompt.is_silent && count > 1 {
            return Err(Fault::invalid("prompt=none goes with no other value"));
        }
        Ok(prompt)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::{Fault, Request};
    use crate::model::{Application, ApplicationSettings, AuthMethod, GrantType, ResponseType};
    use crate::oidc::Params;
    use crate::store::Json;

    /// A public application.
    pub fn application() -> Application {
        let mut settings = ApplicationSettings {
            redirect_uris: vec!["https://a.example/cb".to_owned()],
            grant_types: vec![GrantType::AuthorizationCode],
            scopes: vec!["openid".to_owned(), "email".to_owned()],
            require_pkce: true,
            ..ApplicationSettings::default()
        };
        settings.request.response_types = vec![ResponseType::Code, ResponseType::CodeIdToken];
        settings.request.resources = vec!["https://api.example/".to_owned()];
        let at = "2026-11-22T01:00:00Z".parse().unwrap();
        Application {
            id: "a".to_owned(),
            name: "A".to_owned(),
            declared: true,
            enabled: true,
            auth_method: AuthMethod::None,
            secret_hash: None,
            old_secret_hash: None,
            old_secret_until: None,
            secret_since: None,
            settings: Json(settings),
            created_at: at,
            updated_at: at,
        }
    }

    const NAMES: [&str; 16] = [
        "response_type",
        "response_mode",
        "scope",
        "nonce",
        "state",
        "prompt",
        "max_age",
        "code_challenge",
        "code_challenge_method",
        "claims",
        "resource",
        "authorization_details",
        "request",
        "request_uri",
        "acr_values",
        "id_token_hint",
    ];

    /// Values that lead deep into the reader, and any text.
    fn value() -> impl Strategy<Value = String> {
        let known = prop::sample::select(vec![
            "code",
            "code id_token",
            "id_token code",
            "openid",
            "openid email openid",
            "S256",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "none",
            "login consent",
            "0",
            "9223372036854775807",
            "form_post.jwt",
            "https://api.example/",
            "[{\"type\":\"x\"}]",
            "{\"id_token\":{\"sub\":{\"value\":\"a\"}}}",
        ]);
        prop_oneof![3 => known.prop_map(str::to_owned), 1 => "\\PC{0,40}"]
    }

    proptest! {
        /// OAUTH-015, OAUTH-033, OAUTH-036, OAUTH-122
        #[test]
        fn any_request_is_read_or_refused(
            pairs in prop::collection::vec((prop::sample::select(NAMES.to_vec()), value()), 0..10),
        ) {
            let params = pairs.iter().fold(Params::default(), |params, (name, value)| params.with(name, value));
            match Request::parse(&application(), &params, "https://a.example/cb") {
                Ok(request) => {
                    prop_assert!(!params.has_repetition());
                    prop_assert_eq!(request.code_challenge.map(|challenge| challenge.len()), Some(43));
                    prop_assert_eq!(params.get("code_challenge_method"), Some("S256"));
                    prop_assert!(request.scope.split(' ').all(|scope| matches!(scope, "openid" | "email")));
                    prop_assert!(request.resources.iter().all(|one| one == "https://api.example/"));
                    prop_assert!(request.details.is_empty() && params.get("request").is_none());
                    prop_assert!(!request.response_type.has_id_token() || request.nonce.is_some());
                }
                Err(Fault { error, description }) => {
                    let is_plain = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
                    prop_assert!(!error.is_empty() && description.chars().all(is_plain), "{}", description);
                }
            }
        }
    }
}
