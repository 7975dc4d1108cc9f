//! What a request offers as proof: exactly one thing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ClientError;
use crate::crypto::foreign::{Rules, Unverified, read};
use crate::model::{AuthMethod, ProofAlgorithm};
use crate::oidc::params::{Params, decode};

/// The one kind of assertion (RFC 7523 section 2.2).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// What a client assertion may be before it is known whose it is. `typ` was free in RFC 7523; newer clients name it.
const RULES: Rules<'_> = Rules { algorithms: ProofAlgorithm::ALL, types: &["", "JWT", "client-authentication+jwt"] };
/// Characters of a client id that is looked for.
const LONGEST_ID: usize = 255;

/// A secret.
pub(super) struct OfferedSecret {
    pub id: String,
    pub secret: String,
    /// The secret as it stood in the Basic header, where decoding changed it: widespread clients leave the encoding
    /// out (Authlib among them), and with these characters in a secret they would never get in.
    pub undecoded: Option<String>,
    pub method: AuthMethod,
}

/// What a request offers.
pub(super) enum Offered<'a> {
    Secret(OfferedSecret),
    /// A JWT that says it is this application's.
    Assertion {
        id: String,
        token: Box<Unverified<'a>>,
    },
    /// The id alone: a public application, or one that TLS proved.
    Bare(String),
}

impl Offered<'_> {
    pub fn id(&self) -> &str {
        match self {
            Self::Secret(offered) => &offered.id,
            Self::Assertion { id, .. } | Self::Bare(id) => id,
        }
    }

    /// For the audit log: what it looks like.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Secret(offered) => offered.method.as_str(),
            Self::Assertion { .. } => "client_assertion",
            Self::Bare(_) => "none",
        }
    }
}

pub(super) fn offered<'a>(authorization: Option<&str>, form: &'a Params) -> Result<Offered<'a>, ClientError> {
    let id = form.get("client_id");
    let secret = form.get("client_secret");
    if let Some(assertion) = form.get("client_assertion") {
        return match (authorization, secret) {
            (None, None) => asserted(assertion, form.get("client_assertion_type"), id),
            _ => Err(ClientError::SeveralMethods),
        };
    }
    let Some(header) = authorization else {
        let id = id.ok_or(ClientError::Missing)?.to_owned();
        return Ok(match secret.map(str::to_owned) {
            Some(secret) => {
                Offered::Secret(OfferedSecret { id, secret, undecoded: None, method: AuthMethod::ClientSecretPost })
            }
            None => Offered::Bare(id),
        });
    };
    if secret.is_some() {
        return Err(ClientError::SeveralMethods);
    }
    let (basic_id, secret, undecoded) = basic(header).ok_or(ClientError::Malformed)?;
    if id.is_some_and(|id| id != basic_id) {
        return Err(ClientError::SeveralMethods);
    }
    let undecoded = (undecoded != secret).then_some(undecoded);
    Ok(Offered::Secret(OfferedSecret { id: basic_id, secret, undecoded, method: AuthMethod::ClientSecretBasic }))
}

/// RFC 7523 section 3: `iss` and `sub` are the client id, and `client_id`, where it is given, too.
fn asserted<'a>(assertion: &'a str, kind: Option<&str>, id: Option<&str>) -> Result<Offered<'a>, ClientError> {
    if kind != Some(ASSERTION) {
        return Err(ClientError::Malformed);
    }
    let token = read(assertion, &RULES).map_err(|_| ClientError::Malformed)?;
    let claim = |name: &str| token.claims.get(name).and_then(serde_json::Value::as_str);
    let subject = claim("sub").filter(|subject| Some(*subject) == claim("iss")).ok_or(ClientError::Malformed)?;
    if id.is_some_and(|id| id != subject) || subject.len() > LONGEST_ID {
        return Err(ClientError::Malformed);
    }
    Ok(Offered::Assertion { id: subject.to_owned(), token: Box::new(token) })
}

/// Id and claims of what a form or a header offers as an assertion, not believed yet; none where it offers none. For
/// fuzzing.
pub(in crate::oidc) fn asserted_id(text: &str) -> Option<(String, serde_json::Map<String, serde_json::Value>)> {
    drop(basic(text));
    let form = Params::parse(text).ok()?;
    match offered(None, &form).ok()? {
        Offered::Assertion { id, token } => Some((id, token.claims)),
        Offered::Secret(_) | Offered::Bare(_) => None,
    }
}

/// HTTP Basic with id and secret form-encoded before they are joined (RFC 6749 section 2.3.1): id, secret, and the
/// secret without decoding.
fn basic(header: &str) -> Option<(String, String, String)> {
    let (scheme, value) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decode(id).ok()?, decode(secret).ok()?, secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{ClientError, basic, offered};
    use crate::oidc::Params;

    /// OAUTH-042
    #[test]
    fn basic_credentials_are_form_decoded() {
        // a:b%20 +é as id, p:%+ as secret.
        let header = "basic YSUzQWIlMjUyMCslMkIlQzMlQTk6cCUzQSUyNSUyQg==";
        assert_eq!(basic(header), Some(("a:b%20 +é".to_owned(), "p:%+".to_owned(), "p%3A%25%2B".to_owned())));
        for bad in ["Bearer x", "Basic", "Basic %%%", "Basic YQ=="] {
            assert_eq!(basic(bad), None, "{bad}");
        }
    }

    /// OAUTH-043
    #[test]
    fn one_method_a_request() {
        let form = |text| Params::parse(text).unwrap();
        let several = |header, text| matches!(offered(header, &form(text)), Err(ClientError::SeveralMethods));
        assert!(several(Some("Basic YTpi"), "client_id=a&client_secret=b"));
        assert!(several(Some("Basic YTpi"), "client_id=other"));
        assert!(several(None, "client_id=a&client_secret=b&client_assertion=x"));
        assert!(several(Some("Basic YTpi"), "client_assertion=x"));
        assert!(offered(Some("Basic YTpi"), &form("client_id=a")).is_ok());
    }
}
