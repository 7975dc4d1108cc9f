//! What somebody wants to register, read strictly: known members of the right type, within the configuration's bounds.
//! Unknown members are ignored and not answered (RFC 7591 section 2).

use serde_json::{Map, Value};
use url::Url;

use super::super::Provider;
use super::super::scopes::is_scope;
use super::statement;
use crate::config::RegistrationConfig;
use crate::crypto::strict_json;
use crate::model::{ApplicationSettings, AuthMethod, ConsentRule, GrantType, IdentitySettings, check_redirect_uri};
use crate::store::StoreError;
use crate::text::is_plain;

/// Why nothing is registered (RFC 7591 section 3.2.2). Texts are constants of ours.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationFault {
    /// Registration is switched off.
    #[error("registration is switched off")]
    Off,
    /// No token, or one that is unknown, used up or over.
    #[error("the token is missing, unknown, used up or over")]
    Token,
    /// A member is wrong, or does not go with another.
    #[error("{0}")]
    Metadata(&'static str),
    /// A redirect URI that may not be registered.
    #[error("a redirect URI may not be registered")]
    RedirectUri,
    /// A software statement that is not believed.
    #[error("the software statement is not believed")]
    Statement,
    /// A software statement of somebody who is not trusted.
    #[error("the software statement is of an issuer that is not trusted")]
    UnapprovedStatement,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Characters of a name at the most.
const LONGEST_NAME: usize = 60;
/// Entries of a list at the most.
const MOST: usize = 20;

/// What may be registered.
pub(in crate::oidc) struct Registrable {
    pub name: Option<String>,
    pub auth_method: AuthMethod,
    pub settings: ApplicationSettings,
    /// The members that count, as they are answered.
    pub document: Map<String, Value>,
}

/// How an application may prove itself that registers itself. Not with `client_secret_jwt`: what registers itself today
/// has a key of its own.
fn may_register(method: AuthMethod, has_mtls: bool) -> bool {
    method != AuthMethod::ClientSecretJwt && (has_mtls || !method.has_certificate())
}

impl Registrable {
    pub fn has_secret(&self) -> bool {
        self.auth_method.has_secret()
    }
}

/// The members of a body.
pub(super) fn members(body: &[u8]) -> Result<Map<String, Value>, RegistrationFault> {
    match strict_json(body) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(RegistrationFault::Metadata("the body is no JSON object, or holds a member twice")),
    }
}

/// Reads a registration; a trusted software statement goes before plain members.
pub(super) async fn read(provider: Provider<'_>, body: &[u8]) -> Result<Registrable, RegistrationFault> {
    let mut sent = members(body)?;
    if let Some(given) = sent.get("software_statement").cloned() {
        let text = given.as_str().ok_or(RegistrationFault::Statement)?;
        for (name, value) in statement::believed(provider, text).await? {
            sent.insert(name, value);
        }
    }
    let config = &provider.broker.config;
    check(&config.registration, config.mtls.is_some(), &sent)
}

/// Checks the members against the bounds of `config`; `has_mtls` says whether certificates are asked for anywhere here.
pub(in crate::oidc) fn check(
    config: &RegistrationConfig,
    has_mtls: bool,
    sent: &Map<String, Value>,
) -> Result<Registrable, RegistrationFault> {
    let mut reader = Reader { config, has_mtls, sent, document: Map::new() };
    let auth_method = reader.auth_method()?;
    let grant_types = reader.grant_types(auth_method)?;
    let redirect_uris = reader.redirect_uris("redirect_uris", auth_method)?;
    if grant_types.contains(&GrantType::AuthorizationCode) == redirect_uris.is_empty() {
        return Err(RegistrationFault::Metadata("redirect_uris goes with grant type authorization_code"));
    }
    let post_logout_redirect_uris = reader.redirect_uris("post_logout_redirect_uris", auth_method)?;
    let scopes = reader.scopes()?;
    let name = reader.text("client_name")?;
    if let Some(name) = &name
        && (name.chars().count() > LONGEST_NAME || !is_plain(name) || name.contains(['<', '>', '&', '"']))
    {
        return Err(RegistrationFault::Metadata("client_name is too long or holds what a name does not need"));
    }
    for page in ["client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri"] {
        reader.web_address(page)?;
    }
    let proof = reader.proof(auth_method)?;
    for word in ["software_id", "software_version", "software_statement"] {
        reader.text(word)?;
    }
    let told = |name: &str| reader.document.get(name).and_then(Value::as_str).map(str::to_owned);
    let identity = IdentitySettings {
        consent: ConsentRule::Once,
        policy_uri: told("policy_uri"),
        tos_uri: told("tos_uri"),
        ..IdentitySettings::default()
    };
    // Third-party initiated login (OpenID Connect Core 1.0 section 4): where the portal sends people.
    let launch_url = told("initiate_login_uri");
    let settings = ApplicationSettings {
        launch_url,
        redirect_uris,
        post_logout_redirect_uris,
        grant_types,
        scopes,
        require_pkce: true,
        identity,
        proof,
        ..ApplicationSettings::default()
    };
    Ok(Registrable { name, auth_method, settings, document: reader.document })
}

pub(super) struct Reader<'a> {
    config: &'a RegistrationConfig,
    /// Whether certificates are asked for anywhere here.
    pub(super) has_mtls: bool,
    pub(super) sent: &'a Map<String, Value>,
    pub(super) document: Map<String, Value>,
}

impl Reader<'_> {
    pub(super) fn keep(&mut self, name: &str, value: impl Into<Value>) {
        self.document.insert(name.to_owned(), value.into());
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, RegistrationFault> {
        match self.sent.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.len() <= 16_384 => {
                let text = text.clone();
                self.keep(name, text.clone());
                Ok(Some(text))
            }
            Some(_) => Err(RegistrationFault::Metadata("a member that must be text is none, or is too long")),
        }
    }

    fn list(&self, name: &str) -> Result<Option<Vec<String>>, RegistrationFault> {
        let wrong = RegistrationFault::Metadata("a member that must be a list of texts is none, or is too long");
        match self.sent.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(list)) if list.len() <= MOST => {
                let texts: Option<Vec<String>> = list.iter().map(|one| one.as_str().map(str::to_owned)).collect();
                texts.map(Some).ok_or(wrong)
            }
            Some(_) => Err(wrong),
        }
    }

    fn auth_method(&mut self) -> Result<AuthMethod, RegistrationFault> {
        let method = match self.text("token_endpoint_auth_method")? {
            None => Some(AuthMethod::ClientSecretBasic),
            Some(name) => name.parse().ok().filter(|method| may_register(*method, self.has_mtls)),
        };
        let method = method.ok_or(RegistrationFault::Metadata("token_endpoint_auth_method may not be registered"))?;
        self.keep("token_endpoint_auth_method", method.as_str());
        Ok(method)
    }

    /// RFC 7591 section 2.1: grant and response types must agree; neither may go beyond the configuration.
    fn grant_types(&mut self, method: AuthMethod) -> Result<Vec<GrantType>, RegistrationFault> {
        let names = self.list("grant_types")?.unwrap_or_else(|| vec!["authorization_code".to_owned()]);
        let grants: Option<Vec<GrantType>> = names
            .iter()
            .map(|name| name.parse().ok().filter(|grant| self.config.grant_types.contains(grant)))
            .collect();
        let grants = grants.filter(|grants| !grants.is_empty());
        let grants = grants.ok_or(RegistrationFault::Metadata("grant_types holds one that may not be registered"))?;
        let has_code = grants.contains(&GrantType::AuthorizationCode);
        let default = if has_code { vec!["code".to_owned()] } else { Vec::new() };
        let responses = self.list("response_types")?.unwrap_or_else(|| default.clone());
        if responses != default {
            return Err(RegistrationFault::Metadata(
                "response_types and grant_types disagree: code goes with authorization_code",
            ));
        }
        if method == AuthMethod::None && grants.contains(&GrantType::ClientCredentials) {
            return Err(RegistrationFault::Metadata("a public application cannot act in its own name"));
        }
        self.keep("grant_types", grants.iter().map(|grant| grant.as_str().to_owned()).collect::<Vec<_>>());
        self.keep("response_types", responses);
        Ok(grants)
    }

    fn redirect_uris(&mut self, name: &str, method: AuthMethod) -> Result<Vec<String>, RegistrationFault> {
        let Some(uris) = self.list(name)? else { return Ok(Vec::new()) };
        for uri in &uris {
            let is_taken = Url::parse(uri).is_ok_and(|url| self.config.takes(&url));
            if check_redirect_uri(uri, method == AuthMethod::None).is_err() || !is_taken {
                return Err(RegistrationFault::RedirectUri);
            }
        }
        self.keep(name, uris.clone());
        Ok(uris)
    }

    fn scopes(&mut self) -> Result<Vec<String>, RegistrationFault> {
        let wanted = self.text("scope")?;
        let scopes: Vec<String> = match wanted {
            None => self.config.scopes.clone(),
            Some(text) => text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        };
        if scopes.iter().any(|scope| !is_scope(scope) || !self.config.scopes.contains(scope)) {
            return Err(RegistrationFault::Metadata("scope holds one that may not be registered"));
        }
        self.keep("scope", scopes.join(" "));
        Ok(scopes)
    }

    pub(super) fn web_address(&mut self, name: &str) -> Result<(), RegistrationFault> {
        let Some(text) = self.text(name)? else { return Ok(()) };
        let is_good = is_plain(&text)
            && !text.contains(['"', '<', '>', '\\', ' '])
            && Url::parse(&text)
                .is_ok_and(|url| url.scheme() == "https" && url.username().is_empty() && self.config.takes(&url));
        if is_good {
            Ok(())
        } else {
            Err(RegistrationFault::Metadata("an address is not https, or of a host that may not be registered"))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{check, members};
    use crate::config::RegistrationConfig;

    proptest! {
        /// Whatever is sent: a registration within the bounds, or a fault; never more than was asked for.
        #[test]
        fn hostile_bodies_register_nothing_out_of_bounds(body in "\\PC{0,200}", name in "\\PC{0,80}", host in "[a-z.]{1,20}") {
            let config =
                RegistrationConfig { enabled: true, hosts: vec!["app.example".to_owned()], ..RegistrationConfig::default() };
            if let Ok(sent) = members(body.as_bytes()) {
                let _ = check(&config, true, &sent);
            }
            let sent = serde_json::json!({ "client_name": name, "redirect_uris": [format!("https://{host}/cb")], "x": 1 });
            if let Ok(registrable) = check(&config, true, sent.as_object().unwrap()) {
                prop_assert_eq!(&registrable.settings.redirect_uris, &["https://app.example/cb"]);
                prop_assert!(registrable.name.unwrap_or_default().chars().all(|c| !c.is_control() && c != '<'));
                prop_assert!(!registrable.document.contains_key("x"));
            }
        }
    }
}
