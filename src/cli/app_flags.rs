//! The flags of `yaopai app add`: one for every key of `[[application]]` that can be said in a word.

use crate::model::{
    Algorithm, AuthMethod, BackchannelMode, ConsentRule, ContentEncryption, GrantType, KeyManagement, Profile,
    ProofAlgorithm, ResponseType, SubjectType, TokenFormat,
};

/// What a flag takes.
#[derive(Clone, Copy)]
pub(super) enum Takes {
    /// A text.
    Text,
    /// A text; may be given several times.
    Texts,
    /// One of these words.
    Word(fn() -> Vec<&'static str>),
    /// Some of these words; may be given several times.
    Words(fn() -> Vec<&'static str>),
    /// `NAME=VALUE`, the value as TOML or as text; may be given several times.
    Pairs,
    /// Nothing: it says this.
    Is(bool),
    /// Nothing: it says this word.
    Says(&'static str),
}

/// One flag: its name, the key it sets, what it takes, what it means.
pub(super) struct Flag(pub &'static str, pub &'static str, pub Takes, pub &'static str);

macro_rules! words {
    ($kind:ty) => {
        || <$kind>::ALL.iter().map(|one| one.as_str()).collect()
    };
}

use Takes::{Is, Pairs, Says, Text, Texts, Word, Words};

/// Every flag, in the order in which `--help` shows them.
pub(super) const FLAGS: &[Flag] = &[
    Flag("preset", "preset", Text, "What is known of the system, see `app presets`"),
    Flag("url", "url", Text, "Address of the system, for the preset"),
    Flag("name", "name", Text, "Name as shown to people; the id when missing"),
    Flag("description", "description", Text, "One line for the portal"),
    Flag("launch-url", "launch_url", Text, "Where the portal sends people"),
    Flag(
        "auth-method",
        "auth_method",
        Word(words!(AuthMethod)),
        "How it proves itself; `none` for browser and native apps",
    ),
    Flag("redirect-uri", "redirect_uris", Texts, "Exact redirect URI"),
    Flag("post-logout-redirect-uri", "post_logout_redirect_uris", Texts, "Exact URI to return to after logout"),
    Flag(
        "grant",
        "grant_types",
        Words(words!(GrantType)),
        "Grant; `authorization_code` and `refresh_token` when missing",
    ),
    Flag("scope", "scopes", Texts, "Scope it may ask for; every standard scope when missing"),
    Flag("audience", "audience", Texts, "`aud` of its access tokens"),
    Flag("algorithm", "signing_algorithm", Word(words!(Algorithm)), "Signature algorithm of its tokens"),
    Flag(
        "without-pkce",
        "require_pkce",
        Is(false),
        "Does not demand PKCE of it: only for old clients that keep a secret",
    ),
    Flag("profile", "profile", Word(words!(Profile)), "Which rules hold for it as a whole"),
    Flag("fapi2", "profile", Says("fapi2"), "The FAPI 2.0 Security Profile, the same as `--profile fapi2`"),
    // Requests.
    Flag(
        "response-type",
        "request.response_types",
        Words(words!(ResponseType)),
        "What it may ask for; `code` alone when missing",
    ),
    Flag(
        "require-par",
        "request.require_pushed_authorization_requests",
        Is(true),
        "It pushes its requests; others are refused",
    ),
    Flag(
        "require-signed-request",
        "request.require_signed_request_object",
        Is(true),
        "It signs its requests; others are refused",
    ),
    Flag(
        "request-algorithm",
        "request.request_object_signing_alg",
        Word(words!(ProofAlgorithm)),
        "The one algorithm of its request objects",
    ),
    Flag(
        "merge-request-object",
        "request.merge_request_object",
        Is(true),
        "Parameters may stand beside a request object",
    ),
    Flag("resource", "request.resources", Texts, "API that it may name (RFC 8707)"),
    // People.
    Flag("consent", "identity.consent", Word(words!(ConsentRule)), "Whether people are asked first"),
    Flag("subject-type", "identity.subject_type", Word(words!(SubjectType)), "Which `sub` it is told"),
    Flag(
        "pairwise",
        "identity.subject_type",
        Says("pairwise"),
        "A `sub` of its own, the same as `--subject-type pairwise`",
    ),
    Flag(
        "sector-identifier-uri",
        "identity.sector_identifier_uri",
        Text,
        "Document of several applications that share pairwise subjects",
    ),
    Flag("policy-uri", "identity.policy_uri", Text, "Its page about what it does with what it is told"),
    Flag("tos-uri", "identity.tos_uri", Text, "Its terms of use"),
    Flag("claim", "identity.claims", Pairs, "Claim and where it comes from, such as staff_no=employee_number"),
    // Proof.
    Flag("jwks-uri", "proof.jwks_uri", Text, "Where its public keys are fetched from"),
    Flag("jwks-file", "proof.jwks_file", Text, "File with its public keys, a JWK set"),
    Flag(
        "assertion-algorithm",
        "proof.signing_algorithm",
        Word(words!(ProofAlgorithm)),
        "The one algorithm of its assertions",
    ),
    Flag(
        "wide-audience",
        "proof.wide_audience",
        Is(true),
        "Its assertions may name any endpoint of ours: for old clients only",
    ),
    Flag(
        "certificate-subject",
        "proof.tls_client_auth_subject_dn",
        Text,
        "Subject of its certificate: for `tls_client_auth`",
    ),
    Flag("certificate-dns", "proof.tls_client_auth_san_dns", Text, "DNS name of its certificate"),
    Flag("certificate-uri", "proof.tls_client_auth_san_uri", Text, "URI of its certificate"),
    Flag("certificate-ip", "proof.tls_client_auth_san_ip", Text, "Address of its certificate"),
    Flag("certificate-email", "proof.tls_client_auth_san_email", Text, "Mail address of its certificate"),
    Flag(
        "certificate-bound",
        "proof.tls_client_certificate_bound_access_tokens",
        Is(true),
        "Its tokens are bound to its certificate",
    ),
    Flag("dpop-bound", "proof.dpop_bound_access_tokens", Is(true), "Its tokens are bound to a key by DPoP"),
    Flag("dpop-nonce", "proof.dpop_nonce", Is(true), "Its proofs carry a nonce of ours"),
    // Tokens.
    Flag("token-format", "tokens.format", Word(words!(TokenFormat)), "What its access tokens look like"),
    Flag("access-token-lifetime", "tokens.access_token_lifetime", Text, "Life of its access tokens, such as `10m`"),
    Flag("id-token-lifetime", "tokens.id_token_lifetime", Text, "Life of its ID tokens"),
    Flag("code-lifetime", "tokens.code_lifetime", Text, "Life of its authorization codes"),
    Flag("refresh-idle", "tokens.refresh_idle", Text, "A refresh token that is unused for so long dies"),
    Flag("refresh-absolute", "tokens.refresh_absolute", Text, "Its grants die after so long in any case"),
    Flag(
        "id-token-algorithm",
        "tokens.id_token_signed_response_alg",
        Word(words!(Algorithm)),
        "Signature algorithm of its ID tokens",
    ),
    Flag(
        "id-token-encryption",
        "tokens.id_token_encrypted_response_alg",
        Word(words!(KeyManagement)),
        "Encrypts its ID tokens to its key",
    ),
    Flag(
        "id-token-content",
        "tokens.id_token_encrypted_response_enc",
        Word(words!(ContentEncryption)),
        "How their content is encrypted",
    ),
    Flag("userinfo-algorithm", "tokens.userinfo_signed_response_alg", Word(words!(Algorithm)), "Signs UserInfo"),
    Flag(
        "userinfo-encryption",
        "tokens.userinfo_encrypted_response_alg",
        Word(words!(KeyManagement)),
        "Encrypts UserInfo to its key",
    ),
    Flag(
        "userinfo-content",
        "tokens.userinfo_encrypted_response_enc",
        Word(words!(ContentEncryption)),
        "How its content is encrypted",
    ),
    Flag(
        "introspection-algorithm",
        "tokens.introspection_signed_response_alg",
        Word(words!(Algorithm)),
        "Signs introspection answers that it asks for signed",
    ),
    // Other grants.
    Flag("may-act", "grants.may_act", Text, "Client id that alone may act for people with its tokens"),
    Flag(
        "exchanges-bound-tokens",
        "grants.exchanges_bound_tokens",
        Is(true),
        "It checks the proof of tokens that it exchanges",
    ),
    Flag(
        "backchannel-mode",
        "grants.backchannel_mode",
        Word(words!(BackchannelMode)),
        "How it learns that a person decided (CIBA)",
    ),
    Flag("backchannel-notification-endpoint", "grants.backchannel_notification_endpoint", Text, "Where it is told so"),
    // Logout.
    Flag("backchannel-logout-uri", "logout.backchannel_logout_uri", Text, "Where it is told that a session ended"),
    Flag("backchannel-logout-session", "logout.backchannel_logout_session_required", Is(true), "It needs `sid` there"),
    Flag(
        "frontchannel-logout-uri",
        "logout.frontchannel_logout_uri",
        Text,
        "What the page after signing out loads in a frame",
    ),
    Flag(
        "frontchannel-logout-session",
        "logout.frontchannel_logout_session_required",
        Is(true),
        "It needs `iss` and `sid` there",
    ),
    Flag("status-list", "logout.status_list", Is(true), "Its access tokens have a place on a status list"),
];
