//! `GET /`: the applications that policy lets the person into.

use axum::response::Response;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use crate::access;
use crate::http::extract::SignedIn;
use crate::http::paths;
use crate::model::Application;
use crate::oidc::waiting_requests;
use crate::store::StoreError;

/// Colours that the style sheet has for monograms.
const TINTS: u32 = 6;

/// One application on the page.
#[derive(Debug, Serialize)]
struct Tile {
    name: String,
    description: Option<String>,
    url: String,
    monogram: String,
    tint: u32,
}

/// Shows the tiles; an application without a launch address has none.
pub async fn show(signed_in: SignedIn) -> Response {
    let waiting = match signed_in.current.user() {
        Some(user) => waiting_requests(signed_in.visit.app.provider(), user).await.map(|waiting| waiting.len()),
        None => Ok(0),
    };
    let waiting = match waiting {
        Ok(waiting) => waiting,
        Err(error) => return signed_in.failed(&error),
    };
    match tiles(&signed_in).await {
        Ok(tiles) => {
            let values = context! { tiles => Value::from(Serde(tiles)), waiting, requests => paths::REQUESTS };
            signed_in.page("portal.html", "portal", values)
        }
        Err(error) => signed_in.failed(&error),
    }
}

async fn tiles(signed_in: &SignedIn) -> Result<Vec<Tile>, StoreError> {
    let applications = signed_in.visit.app.broker.db.read().await?.applications().list().await?;
    let open = applications.into_iter().filter(|application| application.enabled).filter_map(|application| {
        let url = launch_url(&application)?;
        Some((application, url))
    });
    let broker = &signed_in.visit.app.broker;
    let allowed = open.filter(|(application, _)| {
        access::may_enter(broker, signed_in.principal.clone(), &application.id, signed_in.circumstances()).allowed
    });
    Ok(allowed.zip((0..TINTS).cycle()).map(|((application, url), tint)| tile(application, url, tint)).collect())
}

/// Only web addresses: a `javascript:` address would run in our page.
fn launch_url(application: &Application) -> Option<String> {
    let url = url::Url::parse(application.settings.launch_url.as_deref()?).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}

fn tile(application: Application, url: String, tint: u32) -> Tile {
    let monogram = application.name.chars().find(|c| c.is_alphanumeric()).map(|c| c.to_uppercase().collect());
    Tile {
        monogram: monogram.unwrap_or_default(),
        name: application.name,
        description: application.settings.0.description,
        url,
        tint,
    }
}
