//! `[application.grants]`: limits of the grants beyond code and refresh token.

use serde::{Deserialize, Serialize};
use url::Url;

use super::{AuthMethod, GrantType};
use crate::string_enum;

string_enum! {
    /// How an application learns that a person decided (CIBA section 5).
    #[derive(Default)]
    BackchannelMode {
        /// It asks.
        #[default]
        Poll = "poll",
        /// It is told, and then asks.
        Ping = "ping",
    }
}

/// `[application.grants]`. One struct is what the configuration says and what is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrantSettings {
    /// Client id of the application that alone may act for people with this application's tokens (RFC 8693 section 4.4
    /// `may_act`). Whoever policy permits, when none.
    pub may_act: Option<String>,
    /// It may exchange tokens that are bound to the key or certificate of whoever sent them (RFC 8693), because it checks
    /// that proof itself when they come. Otherwise it has to prove what the token is bound to, which only its own are.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub exchanges_bound_tokens: bool,
    /// How it learns that a person decided about its CIBA request.
    pub backchannel_mode: BackchannelMode,
    /// Where it is told: `https`.
    pub backchannel_notification_endpoint: Option<Url>,
}

impl GrantSettings {
    /// What is wrong with them, for an application that proves itself so and has these grants.
    #[must_use]
    pub fn problems(&self, auth_method: AuthMethod, grant_types: &[GrantType]) -> Vec<String> {
        let mut problems = Vec::new();
        let own_proof = [GrantType::Ciba, GrantType::TokenExchange, GrantType::JwtBearer];
        if let Some(grant) = own_proof.iter().find(|grant| grant_types.contains(grant))
            && auth_method == AuthMethod::None
        {
            problems
                .push(format!("grant_types: {grant} is for applications that prove themselves, not for public ones"));
        }
        if self.backchannel_mode == BackchannelMode::Ping && self.backchannel_notification_endpoint.is_none() {
            problems.push("grants.backchannel_mode is ping: set grants.backchannel_notification_endpoint".to_owned());
        }
        if self.backchannel_notification_endpoint.as_ref().is_some_and(|url| url.scheme() != "https") {
            problems.push("grants.backchannel_notification_endpoint must begin with https://".to_owned());
        }
        problems
    }
}
