//! OAuth errors as JSON (RFC 6749 section 5.2), and as a challenge of protected endpoints (RFC 6750 section 3).
//!
//! Every text is a constant of ours within %x20-21 / %x23-5B / %x5D-7E; nothing a caller sent is repeated. The cause of
//! a failure on our side is logged once, here.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::oidc::{
    BackchannelError, ClientError, DpopError, GrantError, IntrospectError, KeyError, NotEncoded, PushError,
    RegistrationFault, RevokeError, TokenError, UserInfoError,
};
use crate::store::StoreError;

/// Carries the nonce of the next proof (RFC 9449 section 8).
pub const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// An OAuth error answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OauthError {
    status: StatusCode,
    error: &'static str,
    description: &'static str,
    challenge: Option<&'static str>,
    retry_after: Option<&'static str>,
    /// For the `DPoP-Nonce` header (RFC 9449 section 8).
    nonce: Option<String>,
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    error_description: &'static str,
}

impl OauthError {
    const fn bad_request(error: &'static str, description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description, challenge: None, retry_after: None, nonce: None }
    }

    /// The request is incomplete or contradicts itself.
    #[must_use]
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::bad_request("invalid_request", description)
    }

    /// The body is longer than any request of ours.
    #[must_use]
    pub fn too_large() -> Self {
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, ..Self::bad_request("invalid_request", "the body is too long") }
    }

    /// Something failed on our side.
    #[must_use]
    pub fn server_error() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..Self::bad_request("server_error", "something failed on our side; tell the administrator the x-request-id")
        }
    }
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        let body = Json(Body { error: self.error, error_description: self.description });
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        give_nonce(headers, self.nonce.as_deref());
        response
    }
}

fn give_nonce(headers: &mut HeaderMap, nonce: Option<&str>) {
    if let Some(nonce) = nonce.and_then(|nonce| HeaderValue::from_str(nonce).ok()) {
        headers.insert(DPOP_NONCE, nonce);
    }
}

impl From<StoreError> for OauthError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, cause = ?error, "the database failed");
        // Not what was asked is wrong, and nothing was done: it may be asked again (RFC 7009 section 2.2.1).
        Self { status: StatusCode::SERVICE_UNAVAILABLE, retry_after: Some("5"), ..Self::server_error() }
    }
}

impl From<KeyError> for OauthError {
    fn from(error: KeyError) -> Self {
        tracing::error!(%error, "no token could be signed");
        Self::server_error()
    }
}

impl From<NotEncoded> for OauthError {
    fn from(_: NotEncoded) -> Self {
        Self::invalid_request("the parameters are not form-encoded UTF-8")
    }
}

impl From<ClientError> for OauthError {
    fn from(error: ClientError) -> Self {
        let refused = Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Basic realm=\"yaopai\", charset=\"UTF-8\""),
            ..Self::bad_request("invalid_client", "the application is unknown or did not prove itself as registered")
        };
        match error {
            ClientError::Missing | ClientError::Malformed | ClientError::Refused => refused,
            ClientError::SeveralMethods => {
                Self::invalid_request("more than one client authentication method in one request")
            }
            ClientError::Throttled => Self {
                status: StatusCode::TOO_MANY_REQUESTS,
                description: "too many wrong secrets from this address; wait a minute",
                challenge: None,
                retry_after: Some("60"),
                ..refused
            },
            ClientError::Store(error) => error.into(),
        }
    }
}

impl From<GrantError> for OauthError {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Client(error) => error.into(),
            GrantError::InvalidRequest(text) => Self::invalid_request(text),
            GrantError::InvalidGrant(text) => Self::bad_request("invalid_grant", text),
            GrantError::InvalidScope(text) => Self::bad_request("invalid_scope", text),
            GrantError::InvalidTarget(text) => Self::bad_request("invalid_target", text),
            GrantError::AuthorizationPending => {
                Self::bad_request("authorization_pending", "the person has not decided yet")
            }
            GrantError::SlowDown => {
                Self::bad_request("slow_down", "too fast: leave five seconds more between two requests")
            }
            GrantError::ExpiredToken => Self::bad_request("expired_token", "nobody decided in time: begin again"),
            GrantError::AccessDenied => Self::bad_request("access_denied", "the person refused"),
            GrantError::InvalidDetails(text) => Self::bad_request("invalid_authorization_details", text),
            GrantError::UnauthorizedClient => {
                Self::bad_request("unauthorized_client", "the application is not registered for this grant type")
            }
            GrantError::UnsupportedGrantType => {
                Self::bad_request("unsupported_grant_type", "the grant type is not supported")
            }
            GrantError::InvalidDpopProof(text) => Self::bad_request("invalid_dpop_proof", text),
            GrantError::UseDpopNonce(nonce) => Self {
                nonce: Some(nonce),
                ..Self::bad_request("use_dpop_nonce", "the DPoP proof has to carry the nonce of the DPoP-Nonce header")
            },
            GrantError::Key(error) => error.into(),
            GrantError::Store(error) => error.into(),
        }
    }
}

impl From<PushError> for OauthError {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Client(error) => error.into(),
            PushError::Binding(error) => error.into(),
            PushError::Refused { error, description } => Self::bad_request(error, description),
            PushError::Store(error) => error.into(),
        }
    }
}

impl From<BackchannelError> for OauthError {
    fn from(error: BackchannelError) -> Self {
        match error {
            BackchannelError::Grant(error) => error.into(),
            BackchannelError::UnknownUser => {
                Self::bad_request("unknown_user_id", "the hint names nobody who can be asked")
            }
            BackchannelError::ExpiredHint => {
                Self::bad_request("expired_login_hint_token", "the hint token has expired")
            }
            BackchannelError::BindingMessage => Self::bad_request(
                "invalid_binding_message",
                "the binding message is longer than 64 characters or holds some that cannot be shown",
            ),
        }
    }
}

impl From<RegistrationFault> for OauthError {
    fn from(fault: RegistrationFault) -> Self {
        match fault {
            RegistrationFault::Off => Self {
                status: StatusCode::FORBIDDEN,
                ..Self::bad_request("access_denied", "applications cannot register themselves here")
            },
            RegistrationFault::Token => Self {
                status: StatusCode::UNAUTHORIZED,
                challenge: Some("Bearer realm=\"yaopai\", error=\"invalid_token\""),
                ..Self::bad_request("invalid_token", "the token is missing, unknown, used up or over")
            },
            RegistrationFault::Metadata(text) => Self::bad_request("invalid_client_metadata", text),
            RegistrationFault::RedirectUri => {
                Self::bad_request("invalid_redirect_uri", "a redirect URI may not be registered")
            }
            RegistrationFault::Statement => {
                Self::bad_request("invalid_software_statement", "the software statement is not believed")
            }
            RegistrationFault::UnapprovedStatement => Self::bad_request(
                "unapproved_software_statement",
                "the issuer of the software statement is not trusted",
            ),
            RegistrationFault::Store(error) => error.into(),
        }
    }
}

impl From<IntrospectError> for OauthError {
    fn from(error: IntrospectError) -> Self {
        match error {
            IntrospectError::Client(error) => error.into(),
            IntrospectError::InvalidRequest(text) => Self::invalid_request(text),
            IntrospectError::Key(error) => error.into(),
            IntrospectError::Store(error) => error.into(),
        }
    }
}

impl From<RevokeError> for OauthError {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Client(error) => error.into(),
            RevokeError::InvalidRequest(text) => Self::invalid_request(text),
            RevokeError::Foreign => Self::bad_request("invalid_grant", "the token was issued to another application"),
            RevokeError::Store(error) => error.into(),
        }
    }
}

/// The refusal of a protected endpoint: status and `WWW-Authenticate: Bearer` (RFC 6750 section 3.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BearerError {
    /// No token in the `Authorization` header: no error code, RFC 6750 section 3.1.
    Missing,
    /// The token is not accepted.
    Invalid,
    /// The token is bound to a key, and the proof of it is missing or not good.
    Proof,
    /// The proof has to carry this nonce.
    Nonce(String),
    /// The token does not allow this.
    InsufficientScope,
    /// Something failed on our side.
    Internal,
}

impl From<TokenError> for BearerError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Jwt(_) | TokenError::Issuer | TokenError::Expired | TokenError::Revoked => Self::Invalid,
            TokenError::Store(error) => {
                tracing::error!(%error, cause = ?error, "a token could not be checked");
                Self::Internal
            }
        }
    }
}

impl From<DpopError> for BearerError {
    fn from(error: DpopError) -> Self {
        match error {
            DpopError::Proof(_) => Self::Proof,
            DpopError::Token(_) => Self::Invalid,
            DpopError::Nonce(nonce) => Self::Nonce(nonce),
            DpopError::Store(error) => {
                tracing::error!(%error, cause = ?error, "a proof could not be checked");
                Self::Internal
            }
        }
    }
}

impl From<UserInfoError> for BearerError {
    fn from(error: UserInfoError) -> Self {
        match error {
            UserInfoError::InsufficientScope => Self::InsufficientScope,
            UserInfoError::Gone => Self::Invalid,
            UserInfoError::Key(error) => {
                tracing::error!(%error, cause = ?error, "UserInfo could not be signed or encrypted");
                Self::Internal
            }
            UserInfoError::Store(error) => {
                tracing::error!(%error, cause = ?error, "claims could not be read");
                Self::Internal
            }
        }
    }
}

impl IntoResponse for BearerError {
    fn into_response(self) -> Response {
        let (status, challenge) = match self {
            Self::Missing => (StatusCode::UNAUTHORIZED, "Bearer realm=\"yaopai\""),
            Self::Invalid => (
                StatusCode::UNAUTHORIZED,
                "Bearer realm=\"yaopai\", error=\"invalid_token\", \
                 error_description=\"the token is unknown, expired or revoked\"",
            ),
            Self::Proof => (
                StatusCode::UNAUTHORIZED,
                "DPoP realm=\"yaopai\", error=\"invalid_dpop_proof\", algs=\"PS256 ES256 EdDSA\", \
                 error_description=\"the token is bound to a key, and the request does not prove it\"",
            ),
            Self::Nonce(nonce) => {
                let challenge = "DPoP realm=\"yaopai\", error=\"use_dpop_nonce\", algs=\"PS256 ES256 EdDSA\"";
                let mut response = (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
                give_nonce(response.headers_mut(), Some(&nonce));
                return response;
            }
            Self::InsufficientScope => (
                StatusCode::FORBIDDEN,
                "Bearer realm=\"yaopai\", error=\"insufficient_scope\", \
                 error_description=\"the token does not allow this\", scope=\"openid\"",
            ),
            Self::Internal => return OauthError::server_error().into_response(),
        };
        (status, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
    }
}
