//! Every path of the broker, once: the router, discovery documents, pages and tests name it from here.

/// Liveness: says only up or down.
pub const HEALTH: &str = "/health";
/// Readiness: up only while the database answers.
pub const READY: &str = "/ready";

/// What programs may ask, as an `OpenAPI` document.
pub const OPENAPI: &str = "/openapi.json";

/// Sign-in page.
pub const LOGIN: &str = "/login";
/// Sign-out (POST).
pub const LOGOUT: &str = "/logout";
/// Portal: a person's applications.
pub const PORTAL: &str = "/";
/// A person's sessions.
pub const SESSIONS: &str = "/sessions";
/// Ends one session (POST).
pub const SESSION_END: &str = "/sessions/end";
/// Ends every other session (POST).
pub const SESSIONS_END_OTHERS: &str = "/sessions/end-others";
/// Where people type the code that a device shows (RFC 8628 section 3.3).
pub const DEVICE: &str = "/device";
/// Sign-ins that applications ask the person for (CIBA).
pub const REQUESTS: &str = "/requests";
/// Signs out everywhere (POST).
pub const SESSIONS_END_ALL: &str = "/sessions/end-all";
/// The page after signing out.
pub const SIGNED_OUT: &str = "/signed-out";
/// Who acts for the person while they are away (GET shows, POST names one).
pub const DEPUTIES: &str = "/deputies";
/// Ends one (POST).
pub const DEPUTY_END: &str = "/deputies/end";
/// What the person agreed that applications may know and do.
pub const CONSENTS: &str = "/consents";
/// Takes a consent back (POST).
pub const CONSENT_WITHDRAW: &str = "/consents/withdraw";
/// Language switch.
pub const LANGUAGE: &str = "/language";
/// Style sheet, icons.
pub const ASSETS: &str = "/assets/{file}";

/// Runs of the sync, for administrators.
pub const RUNS: &str = "/console/runs";
/// One run's report.
pub const RUN: &str = "/console/runs/{id}";

/// One stored plan.
pub const PLAN: &str = "/console/plans/{id}";
/// Approves and applies a plan (POST).
pub const PLAN_APPROVE: &str = "/console/plans/{id}/approve";
/// The work list.
pub const FINDINGS: &str = "/console/findings";
/// People: search.
pub const PEOPLE: &str = "/console/people";
/// Why a person has what they have.
pub const PERSON: &str = "/console/people/{id}";
/// The department tree.
pub const DEPARTMENTS: &str = "/console/departments";
/// Roles, and who has each.
pub const ROLES: &str = "/console/roles";
/// Rejects a plan.
pub const PLAN_REJECT: &str = "/console/plans/{id}/reject";

/// Shows an administrator what an application would be told of them (GET asks, POST shows).
pub const TEST_LOGIN: &str = "/console/test-login";

/// OpenID Connect Discovery 1.0 section 4.
pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
/// RFC 8414 section 3.
pub const OAUTH_METADATA: &str = "/.well-known/oauth-authorization-server";
/// RFC 6749 section 3.1.
pub const AUTHORIZE: &str = "/oauth2/authorize";
/// What the person said on the consent page (POST).
pub const CONSENT: &str = "/oauth2/consent";
/// RFC 6749 section 3.2.
pub const TOKEN: &str = "/oauth2/token";
/// RFC 8628 section 3.1.
pub const DEVICE_AUTHORIZATION: &str = "/oauth2/device_authorization";
/// RFC 9126.
pub const PAR: &str = "/oauth2/par";
/// OpenID Connect CIBA Core 1.0 section 7.
pub const BACKCHANNEL: &str = "/oauth2/bc-authorize";
/// RFC 7591 section 3.
pub const REGISTER: &str = "/oauth2/register";
/// RFC 7592 section 2.
pub const REGISTRATION: &str = "/oauth2/register/{id}";
/// RFC 7662.
pub const INTROSPECT: &str = "/oauth2/introspect";
/// RFC 7009.
pub const REVOKE: &str = "/oauth2/revoke";
/// OpenID Connect Core 1.0 section 5.3.
pub const USERINFO: &str = "/oauth2/userinfo";
/// RFC 7517 section 5.
pub const JWKS: &str = "/oauth2/jwks";
/// OpenID Connect RP-Initiated Logout 1.0.
pub const END_SESSION: &str = "/oauth2/logout";
/// Token Status List section 9: the addresses of every list.
pub const STATUS_LISTS: &str = crate::oidc::STATUS_LISTS_PATH;
/// One status list.
pub const STATUS_LIST: &str = "/oauth2/status/{id}";
/// What was revoked, as server-sent events.
pub const REVOCATION_EVENTS: &str = "/oauth2/revocations";

/// Forward-auth for nginx, Traefik and Caddy.
pub const GATEWAY_CHECK: &str = "/gateway/check";
/// Forward-auth for Envoy: `ext_authz` puts the path of the call behind it.
pub const GATEWAY_ENVOY: &str = "/gateway/envoy";
/// Every path behind it.
pub const GATEWAY_ENVOY_PATH: &str = "/gateway/envoy/{*path}";
/// The way back to a call after signing in.
pub const GATEWAY_RETURN: &str = "/gateway/return";
