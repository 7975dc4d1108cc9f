//! Signing in by OpenID Connect, as an application does it that wants to be sure: discovery, authorization code with
//! PKCE, state and nonce, the ID token verified, userinfo, refresh, RP-initiated logout. All of it by the
//! `openidconnect` crate; here are only the choices an application has to make.

use std::pin::Pin;

use anyhow::{Context as _, anyhow, ensure};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreGenderClaim, CoreIdToken, CoreTokenResponse};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret,
    CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, LogoutRequest,
    Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, RefreshToken, Scope, TokenResponse as _, UserInfoClaims,
};
use reqwest::Url;
use serde::{Deserialize, Serialize};

/// What an application is told when it is registered.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The broker: issuer of all tokens.
    pub issuer: String,
    /// Client id.
    pub id: &'static str,
    /// Client secret.
    pub secret: String,
    /// Its own address, without a trailing slash.
    pub base: String,
    /// What it asks for besides `openid`.
    pub scopes: &'static [&'static str],
}

/// A client that found everything it needs in the discovery document.
type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The company's claims (scopes `org` and `roles`).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct CompanyClaims {
    /// 工号.
    pub employee_number: Option<String>,
    /// The department with all above it, from the top down.
    pub departments: Vec<serde_json::Value>,
    /// Positions.
    pub positions: Vec<serde_json::Value>,
    /// Role names.
    pub roles: Vec<String>,
}

impl AdditionalClaims for CompanyClaims {}

/// Who is signed in, as the application keeps it.
#[derive(Clone, Debug, Serialize)]
pub struct Person {
    /// `sub`: the one lasting id.
    pub subject: String,
    /// Name as shown.
    pub name: String,
    /// Login name.
    pub login: String,
    /// 工号.
    pub employee_number: String,
    /// Names of the department and all above it, from the top down.
    pub departments: Vec<String>,
    /// Names of the positions.
    pub positions: Vec<String>,
    /// Roles.
    pub roles: Vec<String>,
}

/// What was sent along with the person to the broker, and must come back.
#[derive(Debug)]
pub struct Pending {
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// A sign-in as the application holds it.
#[derive(Clone, Debug)]
pub struct Member {
    /// Who.
    pub person: Person,
    /// For calls in the person's name.
    pub access_token: AccessToken,
    refresh_token: Option<RefreshToken>,
    id_token: CoreIdToken,
}

/// What the callback brings.
#[derive(Debug, Deserialize)]
pub struct Callback {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// An application's side of OpenID Connect.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    registration: Registration,
    http: Http,
}

/// `reqwest` as the HTTP client of `openidconnect`.
#[derive(Clone, Debug)]
struct Http(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = reqwest::Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, reqwest::Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut answer = self.0.execute(request.try_into()?).await?;
            let mut response = HttpResponse::new(Vec::new());
            *response.status_mut() = answer.status();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            *response.body_mut() = answer.bytes().await?.to_vec();
            Ok(response)
        })
    }
}

impl RelyingParty {
    /// A relying party; nothing is asked of the broker yet.
    pub fn new(registration: Registration) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
        Ok(Self { registration, http: Http(http) })
    }

    async fn discover(&self) -> anyhow::Result<(Client, ProviderMetadataWithLogout)> {
        let issuer = IssuerUrl::new(self.registration.issuer.clone())?;
        let metadata =
            ProviderMetadataWithLogout::discover_async(issuer, &self.http).await.context("the discovery document")?;
        let client = CoreClient::from_provider_metadata(
            metadata.clone(),
            ClientId::new(self.registration.id.to_owned()),
            Some(ClientSecret::new(self.registration.secret.clone())),
        )
        .set_redirect_uri(RedirectUrl::new(format!("{}/callback", self.registration.base))?);
        Ok((client, metadata))
    }

    /// Where to send the person, and what to keep until they come back.
    pub async fn begin(&self) -> anyhow::Result<(Url, Pending)> {
        let (client, _) = self.discover().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(self.registration.scopes.iter().map(|scope| Scope::new((*scope).to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        Ok((url, Pending { state, nonce, verifier }))
    }

    /// Redeems the code that the person brought and verifies who they are.
    pub async fn complete(&self, callback: Callback, pending: Pending) -> anyhow::Result<Member> {
        if let Some(error) = callback.error {
            return Err(anyhow!("{error}: {}", callback.error_description.unwrap_or_default()));
        }
        ensure!(callback.state.as_ref() == Some(pending.state.secret()), "the state is not the one that was sent");
        ensure!(callback.iss.as_ref() == Some(&self.registration.issuer), "the answer is not from our broker (iss)");
        let code = AuthorizationCode::new(callback.code.context("no code came back")?);
        let (client, _) = self.discover().await?;
        let tokens = client
            .exchange_code(code)?
            .set_pkce_verifier(pending.verifier)
            .request_async(&self.http)
            .await
            .context("the token endpoint")?;
        let id_token = tokens.id_token().context("no ID token")?.clone();
        let verifier = client.id_token_verifier();
        let claims = id_token.claims(&verifier, &pending.nonce).context("the ID token")?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg()?;
            let actual =
                AccessTokenHash::from_token(tokens.access_token(), algorithm, id_token.signing_key(&verifier)?)?;
            ensure!(actual == *expected, "the access token does not belong to the ID token");
        }
        let subject = claims.subject().clone();
        let person = self.who(&client, tokens.access_token(), Some(subject)).await?;
        Ok(member(person, &tokens, id_token))
    }

    async fn who(
        &self,
        client: &Client,
        token: &AccessToken,
        subject: Option<openidconnect::SubjectIdentifier>,
    ) -> anyhow::Result<Person> {
        let claims: UserInfoClaims<CompanyClaims, CoreGenderClaim> = client
            .user_info(token.clone(), subject)?
            .request_async(&self.http)
            .await
            .map_err(|error| anyhow!("userinfo: {error}"))?;
        Ok(person(&claims))
    }

    /// Asks the broker again who this is, with a fresh access token where the old one is not taken any more.
    ///
    /// An error means that the person is not to be let in any longer: the broker takes neither token.
    pub async fn again(&self, member: &Member) -> anyhow::Result<Member> {
        let (client, _) = self.discover().await?;
        let subject = openidconnect::SubjectIdentifier::new(member.person.subject.clone());
        if let Ok(person) = self.who(&client, &member.access_token, Some(subject.clone())).await {
            return Ok(Member { person, ..member.clone() });
        }
        let refresh = member.refresh_token.as_ref().context("the access token is not taken any more")?;
        let tokens = client
            .exchange_refresh_token(refresh)?
            .request_async(&self.http)
            .await
            .map_err(|error| anyhow!("refresh: {}", refused(&error)))?;
        let person = self.who(&client, tokens.access_token(), Some(subject)).await?;
        let id_token = tokens.id_token().unwrap_or(&member.id_token).clone();
        let mut fresh = self::member(person, &tokens, id_token);
        fresh.refresh_token = fresh.refresh_token.or_else(|| member.refresh_token.clone());
        Ok(fresh)
    }

    /// Where to send the person to be signed out everywhere.
    pub async fn logout_url(&self, member: &Member) -> anyhow::Result<Url> {
        let (_, metadata) = self.discover().await?;
        let endpoint = metadata.additional_metadata().end_session_endpoint.clone();
        let back = PostLogoutRedirectUrl::new(format!("{}/", self.registration.base))?;
        Ok(LogoutRequest::from(endpoint.context("no end_session_endpoint")?)
            .set_id_token_hint(&member.id_token)
            .set_client_id(ClientId::new(self.registration.id.to_owned()))
            .set_post_logout_redirect_uri(back)
            .http_get_url())
    }

    /// A client for calls in the person's name.
    pub fn http(&self) -> &reqwest::Client {
        &self.http.0
    }
}

fn member(person: Person, tokens: &CoreTokenResponse, id_token: CoreIdToken) -> Member {
    Member {
        person,
        access_token: tokens.access_token().clone(),
        refresh_token: tokens.refresh_token().cloned(),
        id_token,
    }
}

fn person(claims: &UserInfoClaims<CompanyClaims, CoreGenderClaim>) -> Person {
    let company = claims.additional_claims();
    let login = claims.preferred_username().map(|name| name.to_string()).unwrap_or_default();
    let name = claims.name().and_then(|name| name.get(None)).map(|name| name.to_string());
    Person {
        subject: claims.subject().to_string(),
        name: name.unwrap_or_else(|| login.clone()),
        login,
        employee_number: company.employee_number.clone().unwrap_or_default(),
        departments: company.departments.iter().filter_map(named).collect(),
        positions: company.positions.iter().filter_map(named).collect(),
        roles: company.roles.clone(),
    }
}

/// A department or position: an object with a name, or just the name.
fn named(value: &serde_json::Value) -> Option<String> {
    value.get("name").unwrap_or(value).as_str().map(str::to_owned)
}

type RefreshError<E> = openidconnect::RequestTokenError<
    E,
    openidconnect::StandardErrorResponse<openidconnect::core::CoreErrorResponseType>,
>;

/// The broker's own words for a refusal.
fn refused<E: std::error::Error + 'static>(error: &RefreshError<E>) -> String {
    match error {
        openidconnect::RequestTokenError::ServerResponse(response) => response.to_string(),
        other => other.to_string(),
    }
}
