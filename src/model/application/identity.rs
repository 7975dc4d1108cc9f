//! `[application.identity]`: what an application learns of a person, under which name, and whether the person is asked.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use url::Url;

use super::claim_rule::ClaimRule;

use crate::string_enum;

string_enum! {
    /// Whether a person is asked before an application learns of them.
    #[derive(Default)]
    ConsentRule {
        /// Never: the company has consented for its people. For the company's own applications.
        #[default]
        Never = "never",
        /// Once: asked again only when the application wants more.
        Once = "once",
        /// At every sign-in.
        Always = "always",
    }
}

string_enum! {
    /// Which `sub` an application is told (OpenID Connect Core 1.0 section 8).
    #[derive(Default)]
    SubjectType {
        /// The person's id, the same for every application.
        #[default]
        Public = "public",
        /// Another value for each sector, so that applications cannot compare notes.
        Pairwise = "pairwise",
    }
}

/// `[application.identity]`. One struct is what the configuration says and what is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentitySettings {
    /// Whether a person is asked before the application learns of them.
    pub consent: ConsentRule,
    /// Which `sub` it is told.
    pub subject_type: SubjectType,
    /// Document that lists the redirect URIs of several applications which share pairwise subjects.
    pub sector_identifier_uri: Option<String>,
    /// Its page about what it does with what it is told; the page that asks people links to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Its terms of use; the page that asks people links to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Claim → where its value comes from, beyond and before the standard claims.
    pub claims: BTreeMap<String, ClaimRule>,
    /// Scope of an API → language (`en`, `zh-CN`) → what the consent page says of it.
    pub scope_texts: BTreeMap<String, BTreeMap<String, String>>,
}

/// Claims that the protocols give a meaning: no mapping may set them. Neither may one say that something was verified.
pub const RESERVED_CLAIMS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "sid",
    "at_hash",
    "c_hash",
    "s_hash",
    "cnf",
    "client_id",
    "scope",
    "grant",
    "more",
    "act",
    "may_act",
    "status",
    "events",
    "sub_jwk",
    "sub_id",
    "authorization_details",
    "entitlements",
    "token_introspection",
    "email_verified",
    "phone_number_verified",
    "verified_claims",
    "_claim_names",
    "_claim_sources",
];

impl IdentitySettings {
    /// What is wrong with the settings of an application with these redirect URIs, one sentence each.
    #[must_use]
    pub fn problems(&self, redirect_uris: &[String]) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, rule) in &self.claims {
            rule.check(name, &mut problems);
        }
        for (name, uri) in [("policy_uri", &self.policy_uri), ("tos_uri", &self.tos_uri)] {
            if let Some(uri) = uri.as_ref().filter(|uri| !Url::parse(uri).is_ok_and(|url| url.scheme() == "https")) {
                problems.push(format!("identity.{name} `{uri}` must be an https address"));
            }
        }
        if self.subject_type == SubjectType::Pairwise {
            self.check_sector(redirect_uris, &mut problems);
        }
        for (scope, texts) in &self.scope_texts {
            for language in texts.keys().filter(|language| !["en", "zh-CN"].contains(&language.as_str())) {
                problems.push(format!("identity.scope_texts.`{scope}`: `{language}` is none of en, zh-CN"));
            }
        }
        problems
    }

    /// The sector of pairwise subjects (OpenID Connect Core 1.0 section 8.1): the host of the sector document, else the
    /// one host of the redirect URIs. An application without a host of its own (native, or without redirect URIs) is
    /// its own sector; none when the hosts are several.
    #[must_use]
    pub fn sector(&self, id: &str, redirect_uris: &[String]) -> Option<String> {
        let host = |uri: &str| Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned));
        if let Some(uri) = &self.sector_identifier_uri {
            return host(uri);
        }
        let hosts: BTreeSet<Option<String>> =
            redirect_uris.iter().map(|uri| host(uri).filter(|_| uri.starts_with("https:"))).collect();
        let mut hosts = hosts.into_iter();
        match (hosts.next(), hosts.next()) {
            (Some(Some(one)), None) => Some(one),
            (None | Some(None), None) => Some(format!("app:{id}")),
            _ => None,
        }
    }

    fn check_sector(&self, redirect_uris: &[String], problems: &mut Vec<String>) {
        if let Some(uri) = &self.sector_identifier_uri {
            let is_https = Url::parse(uri).is_ok_and(|url| url.scheme() == "https" && url.host().is_some());
            if !is_https {
                problems.push(format!("identity.sector_identifier_uri `{uri}` must be an https address"));
            }
        } else if self.sector("", redirect_uris).is_none() {
            problems.push(
                "identity.subject_type = \"pairwise\": the redirect URIs are on several hosts, so \
                 identity.sector_identifier_uri must name a document that lists them"
                    .to_owned(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{IdentitySettings, SubjectType};

    fn read(text: &str) -> Result<IdentitySettings, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// WEB-044
    #[test]
    fn what_a_mapping_must_not_say_is_refused() {
        for (text, part) in [
            ("[claims]\nsub = \"login\"", "protocol gives this claim"),
            ("[claims]\nemail_verified = { value = true }", "protocol gives this claim"),
            ("[claims]\na = { }", "exactly one"),
            ("[claims]\na = { from = \"login\", value = 1 }", "exactly one"),
            ("[claims]\na = { template = \"{nobody}\" }", "`nobody` is none of"),
            ("[claims]\na = { template = \"{login\" }", "not closed"),
            ("[scope_texts.x]\nfr = \"y\"", "none of en, zh-CN"),
            ("policy_uri = \"javascript:alert(1)\"", "identity.policy_uri `javascript:alert(1)`"),
            ("tos_uri = \"http://a.example/\"", "identity.tos_uri"),
        ] {
            let problems = read(text).unwrap().problems(&[]);
            assert!(problems.iter().any(|problem| problem.contains(part)), "{text}: {problems:?}");
        }
        for (text, part) in [
            ("[claims]\na = \"shoe_size\"", "unknown variant `shoe_size`"),
            ("[claims]\na = { form = \"login\" }", "unknown field `form`"),
            ("[claims]\na = 7", "a field such as"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn the_sector_is_one_host_or_a_document() {
        let own = |uris: &[&str]| {
            let settings = IdentitySettings { subject_type: SubjectType::Pairwise, ..IdentitySettings::default() };
            let uris: Vec<String> = uris.iter().map(|uri| (*uri).to_owned()).collect();
            (settings.sector("shop", &uris), settings.problems(&uris).is_empty())
        };
        assert_eq!(own(&["https://a.example/x", "https://a.example:8443/y"]), (Some("a.example".to_owned()), true));
        assert_eq!(own(&["https://a.example/x", "https://b.example/y"]), (None, false));
        assert_eq!(own(&["http://127.0.0.1/x", "com.example.app:/y"]), (Some("app:shop".to_owned()), true));
        assert_eq!(own(&[]), (Some("app:shop".to_owned()), true));
        let shared = IdentitySettings {
            subject_type: SubjectType::Pairwise,
            sector_identifier_uri: Some("http://a.example/sector".to_owned()),
            ..IdentitySettings::default()
        };
        assert_eq!(shared.problems(&[]).len(), 1, "plain http");
    }
}
