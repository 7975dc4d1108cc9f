//! `[application.request]`: what an application may send to the authorization endpoint, and how it is answered.

use serde::{Deserialize, Serialize};

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
