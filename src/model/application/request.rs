//! `[application.request]`: what an application may send to the authorization endpoint, and how it is answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{DetailType, ProofAlgorithm};
use crate::model::Algorithm;
use crate::string_enum;

string_enum! {
    /// What the authorization endpoint answers with (OAuth 2.0 Multiple Response Type Encoding Practices).
    ResponseType {
        /// A code, redeemed at the token endpoint.
        Code = "code",
        /// An ID token and nothing else: for old systems that cannot redeem a code.
        IdToken = "id_token",
        /// A code, and an ID token that vouches for it.
        CodeIdToken = "code id_token",
    }
}

impl ResponseType {
    /// Reads `response_type`, whose words may stand in any order.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut words: Vec<&str> = text.split(' ').collect();
        words.sort_unstable();
        words.join(" ").parse().ok()
    }

    /// Whether a code is given.
    #[must_use]
    pub fn has_code(self) -> bool {
        matches!(self, Self::Code | Self::CodeIdToken)
    }

    /// Whether the answer itself holds an ID token.
    #[must_use]
    pub fn has_id_token(self) -> bool {
        matches!(self, Self::IdToken | Self::CodeIdToken)
    }
}

/// `[application.request]`. One struct is what the configuration says and what is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestSettings {
    /// What it may ask for; `code` alone when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_types: Vec<ResponseType>,
    /// It pushes its authorization requests (RFC 9126); others are refused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_pushed_authorization_requests: bool,
    /// It signs its authorization requests (RFC 9101) with a key of `[application.proof]`; others are refused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_signed_request_object: bool,
    /// The one algorithm of its request objects; any with a key pair when none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<ProofAlgorithm>,
    /// `response_type`, `client_id` and `scope` may stand beside a request object (OpenID Connect Core 1.0 section 6.1).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub merge_request_object: bool,
    /// The APIs it may name (RFC 8707): absolute URIs, compared exactly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// The types of authorization details it may ask for (RFC 9396), by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub authorization_details: BTreeMap<String, DetailType>,
}

impl RequestSettings {
    /// Whether the application may ask for `response_type`.
    #[must_use]
    pub fn allows(&self, response_type: ResponseType) -> bool {
        if self.response_types.is_empty() {
            return response_type == ResponseType::Code;
        }
        self.response_types.contains(&response_type)
    }

    /// What is wrong with these settings, in words for whoever wrote them.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for resource in &self.resources {
            if resource.contains('#') || Url::parse(resource).is_err() {
                problems.push(format!(
                    "request.resources: `{resource}` is no absolute URI without a fragment: write it like \
                     https://api.example/"
                ));
            }
        }
        if self.request_object_signing_alg == Some(ProofAlgorithm::Hs256) {
            problems.push("request.request_object_signing_alg: HS256 proves nothing here: use ES256".to_owned());
        }
        problems
    }

    /// What contradicts the FAPI 2.0 Security Profile (sections 5.3.2 and 5.4.1), of these settings and those beside
    /// them.
    #[must_use]
    pub fn fapi2_problems(&self, redirect_uris: &[String], signing: Algorithm) -> Vec<String> {
        let mut problems = Vec::new();
        if self.response_types.iter().any(|kind| *kind != ResponseType::Code) {
            problems.push("profile fapi2: request.response_types may hold code only".to_owned());
        }
        let plain = redirect_uris.iter().filter(|uri| !uri.starts_with("https://"));
        problems.extend(plain.map(|uri| format!("profile fapi2: redirect URI `{uri}` must begin with https://")));
        if !matches!(signing, Algorithm::Ps256 | Algorithm::Es256 | Algorithm::EdDsa) {
            problems
                .push(format!(
                "profile fapi2: signing_algorithm {signing} is none of PS256, ES256, EdDSA: set signing_algorithm = \"ES256\""
            ));
        }
        if self.request_object_signing_alg.is_some_and(|alg| !ProofAlgorithm::FAPI2.contains(&alg)) {
            problems.push("profile fapi2: request.request_object_signing_alg is PS256, ES256 or EdDSA".to_owned());
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::{RequestSettings, ResponseType};

    /// OAUTH-022
    #[test]
    fn only_a_code_unless_the_application_is_switched() {
        let plain = RequestSettings::default();
        assert!(plain.allows(ResponseType::Code) && !plain.allows(ResponseType::CodeIdToken));
        let switched = RequestSettings { response_types: vec![ResponseType::IdToken], ..RequestSettings::default() };
        assert!(switched.allows(ResponseType::IdToken) && !switched.allows(ResponseType::Code));
        assert_eq!(ResponseType::read("id_token code"), Some(ResponseType::CodeIdToken));
        for bad in ["token", "id_token token", "code code", "", "code ", "none"] {
            assert_eq!(ResponseType::read(bad), None, "{bad}");
        }
    }
}
