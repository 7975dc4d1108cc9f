//! Discovery: what the provider says it can do (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2).
//!
//! One document for both addresses. Only what works is listed; what is switched off is said to be off where silence
//! would mean yes (`request_uri_parameter_supported`).

use serde::Serialize;

use super::claims::TABLE;
use super::response::MODES;
use super::scopes::PERSONAL;
use crate::config::Config;
use crate::model::{
    Acr, Algorithm, AuthMethod, BackchannelMode, ContentEncryption, GrantType, KeyManagement, ProofAlgorithm,
    ResponseType, SubjectType,
};
use crate::text::Language;

/// Absolute URLs of the endpoints.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Endpoints {
    /// RFC 6749 section 3.1.
    pub authorization_endpoint: String,
    /// RFC 9126.
    pub pushed_authorization_request_endpoint: String,
    /// RFC 6749 section 3.2.
    pub token_endpoint: String,
    /// OpenID Connect Core 1.0 section 5.3.
    pub userinfo_endpoint: String,
    /// RFC 7517.
    pub jwks_uri: String,
    /// RFC 7662.
    pub introspection_endpoint: String,
    /// RFC 7009.
    pub revocation_endpoint: String,
    /// RFC 8628 section 3.1.
    pub device_authorization_endpoint: String,
    /// RFC 7591 section 3, where it is switched on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    /// OpenID Connect CIBA Core 1.0 section 4.
    pub backchannel_authentication_endpoint: String,
    /// OpenID Connect RP-Initiated Logout 1.0.
    pub end_session_endpoint: String,
    /// Token Status List section 9.1.
    pub status_list_aggregation_endpoint: String,
    /// Ours: what was revoked, as server-sent events.
    pub revocation_events_endpoint: String,
}

/// Absolute URLs of the endpoints for callers with a certificate (RFC 8705 section 5).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Aliases {
    /// Of the token endpoint.
    pub token_endpoint: String,
    /// Of introspection.
    pub introspection_endpoint: String,
    /// Of revocation.
    pub revocation_endpoint: String,
    /// Of `UserInfo`.
    pub userinfo_endpoint: String,
    /// Of pushed authorization requests.
    pub pushed_authorization_request_endpoint: String,
    /// Of the change feed.
    pub revocation_events_endpoint: String,
}

/// The document.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "members of the standard")]
pub struct Metadata {
    issuer: String,
    #[serde(flatten)]
    endpoints: Endpoints,
    response_types_supported: Vec<ResponseType>,
    response_modes_supported: Vec<&'static str>,
    grant_types_supported: Vec<GrantType>,
    subject_types_supported: Vec<SubjectType>,
    id_token_signing_alg_values_supported: Vec<Algorithm>,
    id_token_encryption_alg_values_supported: &'static [KeyManagement],
    id_token_encryption_enc_values_supported: &'static [ContentEncryption],
    userinfo_signing_alg_values_supported: &'static [Algorithm],
    userinfo_encryption_alg_values_supported: &'static [KeyManagement],
    userinfo_encryption_enc_values_supported: &'static [ContentEncryption],
    introspection_signing_alg_values_supported: &'static [Algorithm],
    authorization_signing_alg_values_supported: Vec<Algorithm>,
    scopes_supported: Vec<&'static str>,
    claims_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: Vec<AuthMethod>,
    introspection_endpoint_auth_methods_supported: Vec<AuthMethod>,
    revocation_endpoint_auth_methods_supported: Vec<AuthMethod>,
    token_endpoint_auth_signing_alg_values_supported: Vec<ProofAlgorithm>,
    introspection_endpoint_auth_signing_alg_values_supported: Vec<ProofAlgorithm>,
    revocation_endpoint_auth_signing_alg_values_supported: Vec<ProofAlgorithm>,
    dpop_signing_alg_values_supported: Vec<ProofAlgorithm>,
    tls_client_certificate_bound_access_tokens: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtls_endpoint_aliases: Option<Aliases>,
    backchannel_token_delivery_modes_supported: Vec<BackchannelMode>,
    backchannel_user_code_parameter_supported: bool,
    code_challenge_methods_supported: Vec<&'static str>,
    acr_values_supported: Vec<Acr>,
    display_values_supported: Vec<&'static str>,
    claim_types_supported: Vec<&'static str>,
    prompt_values_supported: Vec<&'static str>,
    ui_locales_supported: Vec<Language>,
    authorization_response_iss_parameter_supported: bool,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    frontchannel_logout_supported: bool,
    frontchannel_logout_session_supported: bool,
    claims_parameter_supported: bool,
    require_pushed_authorization_requests: bool,
    request_parameter_supported: bool,
    request_object_signing_alg_values_supported: Vec<ProofAlgorithm>,
    request_uri_parameter_supported: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_details_types_supported: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    client_id_metadata_document_supported: bool,
}

/// The claims of ID tokens that say something of the sign-in.
const PROTOCOL_CLAIMS: [&str; 12] =
    ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash", "c_hash"];

/// The document of this issuer. `detail_types` are the types of authorization details that applications have registered
/// (RFC 9396 section 10).
#[must_use]
pub fn metadata(
    issuer: String,
    endpoints: Endpoints,
    config: &Config,
    aliases: Option<Aliases>,
    detail_types: Vec<String>,
) -> Metadata {
    let works = |method: &&AuthMethod| aliases.is_some() || !method.has_certificate();
    let methods: Vec<AuthMethod> = AuthMethod::ALL.iter().filter(works).copied().collect();
    let confidential = methods.iter().filter(|method| **method != AuthMethod::None).copied().collect();
    // What an application may use without naming it in its settings; `client_secret_jwt` means HS256.
    let algorithms = || ProofAlgorithm::FAPI2.to_vec();
    Metadata {
        issuer,
        endpoints,
        response_types_supported: ResponseType::ALL.to_vec(),
        response_modes_supported: MODES.to_vec(),
        grant_types_supported: GrantType::ALL.to_vec(),
        subject_types_supported: SubjectType::ALL.to_vec(),
        id_token_signing_alg_values_supported: Algorithm::ALL.to_vec(),
        id_token_encryption_alg_values_supported: KeyManagement::ALL,
        id_token_encryption_enc_values_supported: ContentEncryption::ALL,
        userinfo_signing_alg_values_supported: Algorithm::ALL,
        userinfo_encryption_alg_values_supported: KeyManagement::ALL,
        userinfo_encryption_enc_values_supported: ContentEncryption::ALL,
        introspection_signing_alg_values_supported: Algorithm::ALL,
        authorization_signing_alg_values_supported: Algorithm::ALL.to_vec(),
        scopes_supported: PERSONAL.to_vec(),
        claims_supported: PROTOCOL_CLAIMS.iter().copied().chain(TABLE.iter().map(|(claim, _)| *claim)).collect(),
        token_endpoint_auth_methods_supported: methods.clone(),
        introspection_endpoint_auth_methods_supported: confidential,
        revocation_endpoint_auth_methods_supported: methods,
        token_endpoint_auth_signing_alg_values_supported: algorithms(),
        introspection_endpoint_auth_signing_alg_values_supported: algorithms(),
        revocation_endpoint_auth_signing_alg_values_supported: algorithms(),
        dpop_signing_alg_values_supported: super::dpop::ALGORITHMS.to_vec(),
        tls_client_certificate_bound_access_tokens: aliases.is_some(),
        mtls_endpoint_aliases: aliases,
        backchannel_token_delivery_modes_supported: BackchannelMode::ALL.to_vec(),
        backchannel_user_code_parameter_supported: false,
        code_challenge_methods_supported: vec!["S256"],
        acr_values_supported: Acr::ALL.to_vec(),
        // One page for all: it fits a window, a pop-up and a telephone.
        display_values_supported: vec!["page", "popup", "touch"],
        claim_types_supported: vec!["normal"],
        prompt_values_supported: vec!["none", "login", "consent", "select_account"],
        ui_locales_supported: Language::ALL.to_vec(),
        authorization_response_iss_parameter_supported: true,
        claims_parameter_supported: true,
        require_pushed_authorization_requests: config.oidc.require_pushed_authorization_requests,
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
        frontchannel_logout_supported: true,
        frontchannel_logout_session_supported: true,
        request_parameter_supported: true,
        request_object_signing_alg_values_supported: ProofAlgorithm::ASYMMETRIC.to_vec(),
        request_uri_parameter_supported: false,
        authorization_details_types_supported: detail_types,
        client_id_metadata_document_supported: config.client_documents.enabled,
    }
}
