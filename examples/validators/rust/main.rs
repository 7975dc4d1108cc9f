//! A service whose calls pass a layer of axum that takes good access tokens only, with `yaopai::verifier`.
//!
//! `ISSUER=https://id.example AUDIENCE=https://expense.example/api PORT=8084 cargo run --example validator`. With
//! `CLIENT_ID` and `CLIENT_SECRET` of an application that may have `revocations:read` it follows the change feed too.

#![expect(clippy::disallowed_methods, reason = "an example reads its settings from the environment")]

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use yaopai::verifier::{Binding, FeedCredentials, Verifier};

async fn guard(State(verifier): State<Verifier>, mut request: Request, next: Next) -> Response {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = header.strip_prefix("Bearer ").unwrap_or_default().to_owned();
    match verifier.verify(&token, &Binding::default()).await {
        Ok(claims) => {
            request.extensions_mut().insert(claims);
            next.run(request).await
        }
        Err(_) => StatusCode::UNAUTHORIZED.into_response(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let verifier = Verifier::new(&std::env::var("ISSUER")?, &std::env::var("AUDIENCE")?)?;
    if let (Ok(client_id), Ok(client_secret)) = (std::env::var("CLIENT_ID"), std::env::var("CLIENT_SECRET")) {
        tokio::spawn(verifier.clone().follow(FeedCredentials { client_id, client_secret }));
    }
    let service = Router::new().route("/{*path}", get(|| async { "good" })).layer(from_fn_with_state(verifier, guard));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{}", std::env::var("PORT")?)).await?;
    Ok(axum::serve(listener, service).await?)
}
