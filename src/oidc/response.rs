//! How an answer of the authorization endpoint reaches the application: response modes.
//!
//! `query`, `fragment` (OAuth 2.0 Multiple Response Type Encoding Practices), `form_post` (OAuth 2.0 Form Post Response
//! Mode), and the same signed as one JWT (JARM). An answer that holds an ID token never goes into the query. Every
//! answer, also an error, names the issuer (RFC 9207).

use serde_json::{Map, Value};

use super::authorize::{Answer, AuthorizeError};
use super::params::Params;
use super::request::Fault;
use super::{Provider, issue};
use crate::crypto::jwt;
use crate::model::{Application, ResponseType};

/// `typ` of a signed answer: never mistaken for an ID token or an access token.
const TYP: &str = "oauth-authz-resp+jwt";
/// Seconds for which a signed answer holds (JARM section 2.1 advises ten minutes at the most).
const LIFE: i64 = 120;

/// The values of `response_mode`.
pub(super) const MODES: [&str; 7] =
    ["query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt", "jwt"];

/// Where in the answer its parameters stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Channel {
    Query,
    Fragment,
    FormPost,
}

/// A response mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mode {
    channel: Channel,
    is_signed: bool,
}

impl Mode {
    /// The mode of an answer to `params`. What cannot be fulfilled is answered in the mode that comes next to it, so
    /// that the application can be told.
    pub fn of(params: &Params) -> Self {
        let kind = params.get("response_type").unwrap_or_default();
        // Whoever asks for tokens looks for the answer in the fragment, also when they are refused.
        let has_token = kind.split(' ').any(|word| matches!(word, "token" | "id_token"));
        let usual = if has_token { Channel::Fragment } else { Channel::Query };
        let text = params.get("response_mode").unwrap_or_default();
        let (name, is_signed) = match text.strip_suffix("jwt") {
            Some(rest) => (rest.strip_suffix('.').unwrap_or(rest), true),
            None => (text, false),
        };
        let channel = match name {
            "query" if !has_token => Channel::Query,
            "fragment" => Channel::Fragment,
            "form_post" => Channel::FormPost,
            _ => usual,
        };
        Self { channel, is_signed }
    }

    /// Whether `params` ask for a mode that there is, that may carry `response_type`, and that reaches `redirect_uri`.
    pub fn check(params: &Params, response_type: ResponseType, redirect_uri: &str) -> Result<(), Fault> {
        let Some(text) = params.get("response_mode") else { return Ok(()) };
        if !MODES.contains(&text) {
            return Err(Fault::invalid("the response_mode is unknown"));
        }
        if response_type.has_id_token() && text.starts_with("query") {
            return Err(Fault::invalid("an ID token may not stand in the query: use fragment or form_post"));
        }
        let is_web = redirect_uri.starts_with("https://") || redirect_uri.starts_with("http://");
        if text.starts_with("form_post") && !is_web {
            return Err(Fault::invalid("response_mode=form_post needs a redirect URI that takes a form"));
        }
        Ok(())
    }
}

/// The way back to the application.
#[derive(Clone, Debug)]
pub(super) struct Back {
    /// A registered redirect URI.
    pub redirect_uri: String,
    pub state: Option<String>,
    pub mode: Mode,
}

impl Back {
    /// Tells the application what is wrong.
    pub async fn fault(
        &self,
        provider: Provider<'_>,
        app: &Application,
        fault: Fault,
    ) -> Result<Answer, AuthorizeError> {
        self.answer(provider, app, &[("error", fault.error), ("error_description", fault.description)]).await
    }

    /// The answer with `state` and `iss` (RFC 9207), or signed as one JWT.
    pub async fn answer(
        &self,
        provider: Provider<'_>,
        app: &Application,
        answer: &[(&str, &str)],
    ) -> Result<Answer, AuthorizeError> {
        let issuer = provider.broker.config.server.issuer();
        let mut pairs: Vec<(String, String)> =
            answer.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        pairs.extend(self.state.iter().map(|state| ("state".to_owned(), state.clone())));
        pairs.push(("iss".to_owned(), issuer));
        if self.mode.is_signed {
            pairs = vec![("response".to_owned(), signed(provider, app, pairs).await?)];
        }
        Ok(match self.mode.channel {
            Channel::Query => Answer::Redirect(self.appended('?', &pairs)),
            Channel::Fragment => Answer::Redirect(self.appended('#', &pairs)),
            Channel::FormPost => Answer::FormPost {
                action: self.redirect_uri.clone(),
                fields: pairs,
                known: app.settings.redirect_uris.iter().chain(&app.settings.launch_url).cloned().collect(),
            },
        })
    }

    /// The redirect URI, whose own query is kept, with the parameters behind it.
    fn appended(&self, mark: char, pairs: &[(String, String)]) -> String {
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let join = if mark == '?' && self.redirect_uri.contains('?') { '&' } else { mark };
        format!("{}{join}{text}", self.redirect_uri)
    }
}

/// The parameters as a JWT for the application (JARM section 2.1).
async fn signed(
    provider: Provider<'_>,
    app: &Application,
    pairs: Vec<(String, String)>,
) -> Result<String, AuthorizeError> {
    let mut claims: Map<String, Value> = pairs.into_iter().map(|(name, value)| (name, value.into())).collect();
    claims.insert("aud".to_owned(), app.id.clone().into());
    claims.insert("exp".to_owned(), (provider.broker.clock.now().timestamp() + LIFE).into());
    let key = issue::signer(provider, app, None).await?;
    Ok(jwt::sign(&key, TYP, &claims).map_err(super::KeyError::from)?)
}

#[cfg(test)]
mod tests {
    use super::{Channel, Mode};
    use crate::model::ResponseType;
    use crate::oidc::Params;

    #[test]
    fn the_mode_follows_the_request_and_faults_are_answered_next_to_it() {
        for (text, channel, is_signed) in [
            ("response_type=code", Channel::Query, false),
            ("response_type=code&response_mode=query", Channel::Query, false),
            ("response_type=code&response_mode=fragment", Channel::Fragment, false),
            ("response_type=code&response_mode=form_post", Channel::FormPost, false),
            ("response_type=code&response_mode=jwt", Channel::Query, true),
            ("response_type=code&response_mode=fragment.jwt", Channel::Fragment, true),
            ("response_type=code+id_token&response_mode=jwt", Channel::Fragment, true),
            ("response_type=id_token", Channel::Fragment, false),
            ("response_type=id_token&response_mode=query", Channel::Fragment, false),
            ("response_type=token", Channel::Fragment, false),
            ("response_type=code&response_mode=web_message", Channel::Query, false),
            ("", Channel::Query, false),
        ] {
            assert_eq!(Mode::of(&Params::parse(text).unwrap()), Mode { channel, is_signed }, "{text}");
        }
    }

    /// OIDC-063
    #[test]
    fn a_mode_that_cannot_carry_the_answer_is_refused() {
        let check = |mode: &str, kind, uri| Mode::check(&Params::default().with("response_mode", mode), kind, uri);
        let (web, native) = ("https://a.example/cb", "com.example.a:/cb");
        assert!(check("form_post", ResponseType::CodeIdToken, web).is_ok());
        assert!(check("query.jwt", ResponseType::Code, native).is_ok());
        assert!(check("query", ResponseType::IdToken, web).is_err());
        assert!(check("query.jwt", ResponseType::CodeIdToken, web).is_err());
        assert!(check("form_post", ResponseType::Code, native).is_err());
        for unknown in ["web_message", "QUERY", ".jwt", "queryjwt", "form_post.jwt.jwt"] {
            assert!(check(unknown, ResponseType::Code, web).is_err(), "{unknown}");
        }
    }
}
