//! The OpenID provider, endpoint by endpoint.

mod client_credentials;
