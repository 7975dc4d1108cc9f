//! `GET /oauth2/revocations`: what was revoked, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;

use crate::http::extract::{Authorization, ProvenToken};
use crate::http::respond::{BearerError, FeedRefusal};
use crate::http::state::App;
use crate::oidc::{Follower, Scheme};

/// A follower hears something at least so often, so that it knows soon when the line is dead.
const ALIVE: Duration = Duration::from_secs(1);
/// What a browser's `EventSource` sends when it comes back; other clients do the same.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Streams events until the token ends or the node stops.
pub(super) async fn follow(
    State(app): State<App>,
    // Who follows holds what its token is bound to.
    _: ProvenToken,
    authorization: Authorization,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let token = authorization.0.as_deref().and_then(Scheme::split).map(|(_, token)| token);
    let token = token.ok_or_else(|| BearerError::Missing.into_response())?;
    let last = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()?.parse().ok());
    let follower = Follower::admit(app.provider(), &app.feed, token, last).await;
    let follower = follower.map_err(|error| FeedRefusal(error).into_response())?;
    let events = stream::unfold((app, follower), |(app, mut follower)| async move {
        let next = follower.next(app.provider()).await;
        match next {
            Ok(Some(event)) => {
                let line = Event::default().id(event.id.to_string()).event("revoked").data(event.token);
                Some((Ok::<_, Infallible>(line), (app, follower)))
            }
            Ok(None) => None,
            Err(error) => {
                tracing::info!(%error, "a follower of the change feed is sent away");
                None
            }
        }
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response())
}
