//! `[[application]]`: applications declared by the operator; read-only at run time.

use serde::Deserialize;
use url::Url;

use super::{OidcConfig, SecretRef};
use crate::model::{
    Algorithm, AuthMethod, GrantSettings, GrantType, IdentitySettings, LogoutSettings, Profile, ProofSettings,
    RequestSettings, TokenSettings, check_launch_url, check_redirect_uri,
};

/// One `[[application]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationConfig {
    /// OAuth client id.
    pub id: String,
    /// What is known of the system, see `yaopai app presets`.
    pub preset: Option<String>,
    /// Address of the system, for the preset.
    pub url: Option<Url>,
    /// Name as shown to people; the id when missing.
    pub name: Option<String>,
    /// One line for the portal.
    pub description: Option<String>,
    /// Where the portal sends people.
    pub launch_url: Option<String>,
    /// How it authenticates; `client_secret_basic` when missing.
    pub auth_method: Option<AuthMethod>,
    /// Its secret: for the methods `client_secret_*`.
    pub secret: Option<SecretRef>,
    /// The secret before, accepted beside `secret` for as long as it stands here.
    pub old_secret: Option<SecretRef>,
    /// Exact redirect URIs.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Exact URIs to return to after logout.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Grants; `authorization_code` and `refresh_token` when missing.
    pub grant_types: Option<Vec<GrantType>>,
    /// Scopes it may ask for; every standard scope when missing.
    pub scopes: Option<Vec<String>>,
    /// PKCE demanded of a confidential client too; yes when missing.
    pub require_pkce: Option<bool>,
    /// `aud` of its access tokens.
    #[serde(default)]
    pub audience: Vec<String>,
    /// `alg` of its tokens.
    pub signing_algorithm: Option<Algorithm>,
    /// Life of its access tokens.
    pub access_token_lifetime: Option<super::Lifetime>,
    /// Switched off without being removed.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Which rules hold for it as a whole.
    #[serde(default)]
    pub profile: Profile,
    /// What it may send to the authorization endpoint, and how it is answered.
    #[serde(default)]
    pub request: RequestSettings,
    /// What it learns of a person.
    #[serde(default)]
    pub identity: IdentitySettings,
    /// How it proves itself without a shared secret.
    #[serde(default)]
    pub proof: ProofSettings,
    /// Form and life of its tokens.
    #[serde(default)]
    pub tokens: TokenSettings,
    /// Limits of the grants beyond code and refresh token.
    #[serde(default)]
    pub grants: GrantSettings,
    /// How it learns that a session ended.
    #[serde(default)]
    pub logout: LogoutSettings,
}

fn yes() -> bool {
    true
}

impl ApplicationConfig {
    /// A file that describes an application, with the keys of `[[application]]`.
    ///
    /// # Errors
    /// What is wrong with it, without the name of the file.
    pub fn read(text: &str) -> Result<toml::Table, String> {
        toml::from_str(text).map_err(|error| super::one_line(text, &error))
    }

    /// The application `id` as a table with the keys of `[[application]]` describes it. It holds no secret: one is made.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn describe(id: &str, mut table: toml::Table) -> Result<Self, String> {
        if let Some(other) = table.get("id").filter(|own| own.as_str() != Some(id)) {
            return Err(format!("id is {other}, and the application is to be `{id}`: keep one"));
        }
        if let Some(key) = ["secret", "old_secret", "enabled"].iter().find(|key| table.contains_key(**key)) {
            return Err(format!("`{key}` is for declared applications: leave it out; a secret is made and shown once"));
        }
        table.insert("id".to_owned(), id.into());
        let mut application: Self = table.try_into().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let mut problems = Vec::new();
        application.fill(&mut problems);
        if problems.is_empty() { Ok(application) } else { Err(problems.join("; ")) }
    }

    /// Whether it proves itself, or its tokens are bound, by a certificate.
    pub(super) fn wants_certificates(&self) -> bool {
        self.auth_method.is_some_and(AuthMethod::has_certificate)
            || self.proof.tls_client_certificate_bound_access_tokens
    }

    pub(super) fn check(&self, oidc: &OidcConfig, problems: &mut Vec<String>) {
        let id = &self.id;
        let method = self.auth_method.unwrap_or(AuthMethod::ClientSecretBasic);
        let public = method == AuthMethod::None;
        if public && (self.secret.is_some() || self.old_secret.is_some()) {
            problems.push(format!("application `{id}`: a public client (auth_method = \"none\") has no secret"));
        }
        problems.extend(
            self.proof
                .problems(method, self.profile)
                .into_iter()
                .map(|problem| format!("application `{id}`: {problem}")),
        );
        for uri in self.redirect_uris.iter().chain(&self.post_logout_redirect_uris) {
            if let Err(why) = check_redirect_uri(uri, public) {
                problems.push(format!("application `{id}`: redirect URI {why}"));
            }
        }
        problems.extend(self.tokens.problems(self.profile).into_iter().map(|why| format!("application `{id}`: {why}")));
        problems.extend(self.request.problems().into_iter().map(|why| format!("application `{id}`: {why}")));
        if self.profile == Profile::Fapi2 {
            let signing = self.signing_algorithm.unwrap_or(oidc.algorithm);
            let found = self.request.fapi2_problems(&self.redirect_uris, signing);
            problems.extend(found.into_iter().map(|why| format!("application `{id}`: {why}")));
        }
        if let Some(Err(why)) = self.launch_url.as_deref().map(check_launch_url) {
            problems.push(format!("application `{id}`: launch URL {why}"));
        }
        problems.extend(
            self.identity.problems(&self.redirect_uris).into_iter().map(|why| format!("application `{id}`: {why}")),
        );
        if self.old_secret.is_some() && self.secret.is_none() {
            problems.push(format!("application `{id}`: old_secret stands beside secret: name the new one there"));
        }
        let logout = self.logout.problems(&self.redirect_uris);
        problems.extend(logout.into_iter().map(|why| format!("application `{id}`: {why}")));
        let grants = self.grant_types.as_deref();
        problems.extend(
            self.grants
                .problems(method, grants.unwrap_or_default())
                .into_iter()
                .map(|why| format!("application `{id}`: {why}")),
        );
        if !public && !method.has_secret() && self.secret.is_some() {
            problems.push(format!("application `{id}`: {method} uses no secret: remove it"));
        }
        if method.has_secret() && self.secret.is_none() {
            problems.push(format!("application `{id}`: secret is missing, such as secret = {{ file = \"…\" }}"));
        }
    }
}
