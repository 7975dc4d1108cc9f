//! The demand for a fresh proof (`prompt=login`, `max_age`): how the authorization endpoint knows that it was met.
//!
//! When a request demands a fresh proof, the browser is sent to the sign-in page and comes back with the same request
//! and a marker: the time of the demand, authenticated together with every parameter of the request. A session whose
//! `auth_time` is not before that time meets the demand. A marker serves one request only, and not for long.

use super::Provider;
use super::params::Params;
use crate::crypto::constant_time_eq;
use crate::time::Instant;

/// The parameter that carries the marker. No application has a use for it.
const MARKER: &str = "yaopai_demanded";
/// Purpose under which markers are authenticated.
const PURPOSE: &str = "reauth-marker";
/// A marker older than so many seconds is none.
const LIFE: i64 = 1_800;

/// What a request says about a demand made before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Demand {
    /// The request without the marker.
    pub without: Params,
    /// When the demand was made; none when there was none, or its marker is not ours.
    pub made_at: Option<Instant>,
}

/// Reads the marker of a request.
pub(super) fn reauth_demand(provider: Provider<'_>, params: &Params) -> Demand {
    let without = params.without(MARKER);
    let made_at = params.get(MARKER).and_then(|marker| {
        let (micros, tag) = marker.split_once('.')?;
        let at = Instant::from_timestamp_micros(micros.parse().ok()?)?;
        let age = (provider.broker.clock.now() - at).num_seconds();
        let is_ours = constant_time_eq(tag.as_bytes(), self::tag(provider, at, &without).as_bytes());
        (is_ours && (0..LIFE).contains(&age)).then_some(at)
    });
    Demand { without, made_at }
}

impl Demand {
    /// Whether somebody who proved themselves at `auth_time` did so after the demand.
    pub fn is_met_by(&self, auth_time: Instant) -> bool {
        self.made_at.is_some_and(|made_at| auth_time >= made_at)
    }

    /// The request with a marker of now.
    pub fn with_marker(self, provider: Provider<'_>) -> Params {
        let now = provider.broker.clock.now();
        let marker = format!("{}.{}", now.timestamp_micros(), tag(provider, now, &self.without));
        self.without.with(MARKER, &marker)
    }
}

fn tag(provider: Provider<'_>, at: Instant, request: &Params) -> String {
    provider.broker.master.sign(PURPOSE, &format!("{}:{}", at.timestamp_micros(), request.encode()))
}
