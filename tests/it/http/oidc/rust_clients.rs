//! The Rust crates `openidconnect` and `oauth2` as clients.

use std::pin::Pin;

use oauth2::TokenIntrospectionResponse as _;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
use openidconnect::{
    AsyncHttpClient, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse,
    IntrospectionUrl, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, Scope,
    TokenResponse as _, TokenUrl,
};

use super::{OA, Scene, answer};
use crate::both;

/// The tests' HTTP client, as both crates want one.
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

both!(
    /// OIDC-019, OIDC-020, OIDC-022, OIDC-023, OIDC-058
    the_crate_openidconnect_is_served,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let http = Http(scene.app.browser());
        let issuer = IssuerUrl::new(scene.app.broker.config.server.issuer()).unwrap();
        let metadata = CoreProviderMetadata::discover_async(issuer, &http).await.unwrap();
        let secret = ClientSecret::new(OA.secret.unwrap().to_owned());
        let client = CoreClient::from_provider_metadata(metadata, ClientId::new(OA.id.to_owned()), Some(secret))
            .set_redirect_uri(RedirectUrl::new(OA.redirect_uri.to_owned()).unwrap());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (url, state, nonce) = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        let page = scene.browser.get(&format!("{}?{}", url.path(), url.query().unwrap())).await;
        assert_eq!(answer(&page, "state").as_deref(), Some(state.secret().as_str()));
        let code = AuthorizationCode::new(answer(&page, "code").unwrap());
        let tokens = client.exchange_code(code).unwrap().set_pkce_verifier(verifier).request_async(&http).await.unwrap();
        let now = scene.app.broker.clock.now();
        let verifier = client.id_token_verifier().set_time_fn(move || now);
        let claims = tokens.id_token().unwrap().claims(&verifier, &nonce).unwrap();
        assert_eq!(claims.subject().as_str(), scene.user.id.to_string());
        let info = client.user_info(tokens.access_token().clone(), Some(claims.subject().clone())).unwrap();
        let _: CoreUserInfoClaims = info.request_async(&http).await.unwrap();
        let old = tokens.refresh_token().unwrap();
        let next = client.exchange_refresh_token(old).unwrap().request_async(&http).await.unwrap();
        assert_ne!(next.refresh_token().unwrap().secret(), old.secret());
    }
);

both!(
    /// OAUTH-028, OAUTH-126, OAUTH-129
    the_crate_oauth2_is_served,
    |kind| async move {
        let scene = Scene::start(kind).await;
        let http = Http(scene.app.browser());
        let client = oauth2::basic::BasicClient::new(ClientId::new(OA.id.to_owned()))
            .set_client_secret(ClientSecret::new(OA.secret.unwrap().to_owned()))
            .set_auth_uri(AuthUrl::new(scene.app.at("/oauth2/authorize")).unwrap())
            .set_token_uri(TokenUrl::new(scene.app.at("/oauth2/token")).unwrap())
            .set_introspection_url(IntrospectionUrl::new(scene.app.at("/oauth2/introspect")).unwrap())
            .set_redirect_uri(RedirectUrl::new(OA.redirect_uri.to_owned()).unwrap());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, _) = client
            .authorize_url(CsrfToken::new_random)
            .add_scope(Scope::new("expense:read".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        let page = scene.browser.get(&format!("{}?{}", url.path(), url.query().unwrap())).await;
        let code = AuthorizationCode::new(answer(&page, "code").unwrap());
        let tokens = client.exchange_code(code).set_pkce_verifier(verifier).request_async(&http).await.unwrap();
        let judge = || async {
            client.introspect(tokens.access_token()).set_token_type_hint("refresh_token").request_async(&http).await
        };
        let live = judge().await.unwrap();
        assert!(live.active());
        assert_eq!(live.client_id().unwrap().as_str(), OA.id);
        // The crate revokes over https only; the test's broker has no certificate.
        let form = [("token", tokens.refresh_token().unwrap().secret().as_str())];
        assert_eq!(scene.post(OA, "/oauth2/revoke", &form).await.0, 200);
        assert!(!judge().await.unwrap().active());
        assert!(client.exchange_refresh_token(tokens.refresh_token().unwrap()).request_async(&http).await.is_err());
    }
);
