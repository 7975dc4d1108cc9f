//! `[[trusted_issuer]]`: whose signed assertions are taken at the token endpoint (RFC 7523 section 2.1).

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use super::Lifetime;

/// What `sub` of an issuer's assertions names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A person, by login name.
    #[default]
    Login,
    /// An application, by the table `subjects`.
    Application,
}

/// One `[[trusted_issuer]]`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuer {
    /// `iss`, to the letter.
    pub issuer: String,
    /// Its public keys, as JWK set.
    pub jwks: Option<serde_json::Value>,
    /// Where its public keys are.
    pub jwks_uri: Option<Url>,
    /// `aud` of its assertions; our issuer when missing.
    pub audience: Option<String>,
    /// The claim that names the subject.
    #[serde(default = "sub")]
    pub claim: String,
    /// What that claim holds.
    #[serde(default)]
    pub subject: SubjectKind,
    /// For `subject = "application"`: the claim's value → client id.
    #[serde(default)]
    pub subjects: BTreeMap<String, String>,
    /// Client ids that may present its assertions.
    pub applications: Vec<String>,
    /// The longest time between now and the end of an assertion.
    #[serde(default = "longest")]
    pub longest_life: Lifetime,
}

fn sub() -> String {
    "sub".to_owned()
}

fn longest() -> Lifetime {
    Lifetime::seconds(600)
}

impl TrustedIssuer {
    pub(super) fn check(&self, problems: &mut Vec<String>) {
        let name = &self.issuer;
        let mut say = |why: &str| problems.push(format!("trusted_issuer `{name}`: {why}"));
        if self.jwks.is_some() == self.jwks_uri.is_some() {
            say("set either jwks or jwks_uri");
        }
        if self.jwks_uri.as_ref().is_some_and(|url| url.scheme() != "https") {
            say("jwks_uri must begin with https://");
        }
        if let Some(Err(why)) = self.jwks.as_ref().map(crate::model::check_jwks) {
            say(&why);
        }
        if (self.subject == SubjectKind::Application) == self.subjects.is_empty() {
            say("the table subjects goes with subject = \"application\", and with nothing else");
        }
        if self.applications.is_empty() {
            say("applications is empty, so nobody may present its assertions");
        }
    }
}
