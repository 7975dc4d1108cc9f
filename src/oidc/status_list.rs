//! Token Status List (draft-ietf-oauth-status-list): signed lists of bits, one bit for each access token.
//!
//! Each process fills a list of its own, for an hour at the most, in an order that only chance knows: nodes never wait
//! for each other, and a place says neither when its token was issued nor how many there are. What stands on a place is
//! written down before the token is given out, and goes when the token has expired. The bits are read from what the
//! tokens rest on, so a list is never older than [`TTL`], and shows every kind of revocation.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant as Monotonic};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::Provider;
use super::keys::KeyError;
use crate::broker::Broker;
use crate::crypto::jwt;
use crate::model::{Grant, GrantId};
use crate::random::Rng;
use crate::store::{StatusEntry, StoreError, invalidations};
use crate::time::Instant;

/// Where the list of lists is; a list is below it, under its id.
pub const STATUS_LISTS_PATH: &str = "/oauth2/status";
/// `typ` of a signed list (section 5.1).
const STATUS_TYP: &str = "statuslist+jwt";
/// Places of a list: 4 KiB, of which compression leaves some dozens of bytes while few tokens are revoked.
const PLACES: u16 = 32_768;
/// A list is filled for so long.
const FILLED_FOR: TimeDelta = TimeDelta::hours(1);
/// Seconds for which a list may be kept before it is asked for again.
pub const TTL: i64 = 1;
/// Seconds after which a list may not be relied upon, when none newer can be had.
const LIFE: i64 = 60;

/// `status` of a token (section 6.1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct StatusClaim {
    pub status_list: StatusReference,
}

/// A place on a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct StatusReference {
    pub idx: u64,
    pub uri: String,
}

#[derive(Serialize)]
struct ListClaims<'a> {
    iss: String,
    sub: &'a str,
    iat: i64,
    exp: i64,
    ttl: i64,
    status_list: List,
}

#[derive(Serialize)]
struct List {
    bits: u8,
    lst: String,
}

/// The list that this process fills.
struct Filling {
    id: String,
    since: Instant,
    /// Places that are free, in no order.
    free: Vec<u16>,
}

#[derive(Clone)]
struct Signed {
    token: Arc<str>,
    at: Monotonic,
    before: u64,
}

struct Inner {
    filling: Mutex<Option<Filling>>,
    signed: Cache<String, Signed>,
}

/// The status lists of this process. Cheap to clone.
#[derive(Clone)]
pub struct StatusLists(Arc<Inner>);

impl std::fmt::Debug for StatusLists {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StatusLists")
    }
}

impl Default for StatusLists {
    fn default() -> Self {
        let signed =
            Cache::builder().max_capacity(1_000).time_to_live(Duration::from_secs(LIFE.unsigned_abs())).build();
        Self(Arc::new(Inner { filling: Mutex::new(None), signed }))
    }
}

impl StatusLists {
    /// A free place: list and place.
    async fn free(&self, broker: &Broker) -> Result<(String, u16), StoreError> {
        let now = broker.clock.now();
        let mut filling = self.0.filling.lock().await;
        if let Some(current) = filling.as_mut().filter(|current| now - current.since < FILLED_FOR)
            && let Some(place) = current.free.pop()
        {
            return Ok((current.id.clone(), place));
        }
        let mut fresh = Filling { id: broker.rng.token(), since: now, free: shuffled(&broker.rng) };
        let mut tx = broker.db.write().await?;
        tx.status_lists().insert(&fresh.id, now).await?;
        tx.commit().await?;
        let place = fresh.free.pop().unwrap_or_default();
        let id = fresh.id.clone();
        *filling = Some(fresh);
        Ok((id, place))
    }

    fn fresh(&self, id: &str) -> Option<Arc<str>> {
        let signed = self.0.signed.get(id)?;
        let is_fresh =
            signed.at.elapsed() < Duration::from_secs(TTL.unsigned_abs()) && signed.before == invalidations();
        is_fresh.then_some(signed.token)
    }
}

/// Every place of a list, in an order that only chance knows (Fisher and Yates).
fn shuffled(rng: &Rng) -> Vec<u16> {
    let mut places: Vec<u16> = (0..PLACES).collect();
    for last in (1..places.len()).rev() {
        let bound = u64::try_from(last).unwrap_or(0) + 1;
        let chosen = u64::from_be_bytes(rng.bytes::<8>()) % bound;
        places.swap(last, usize::try_from(chosen).unwrap_or(0));
    }
    places
}

/// Gives a token its place and writes down whose it is. No transaction may be open that writes.
pub(super) async fn take_place(
    provider: Provider<'_>,
    app: &str,
    grant: Option<&Grant>,
    jti: &str,
    expires_at: Instant,
) -> Result<StatusClaim, StoreError> {
    let broker = provider.broker;
    let (list_id, place) = provider.status.free(broker).await?;
    let uri = uri(broker, &list_id);
    let grant_id: Option<GrantId> = grant.map(|grant| grant.id);
    let entry = StatusEntry {
        list_id,
        place: i64::from(place),
        jti: jti.to_owned(),
        grant_id,
        application_id: app.to_owned(),
        expires_at,
    };
    let mut tx = broker.db.write().await?;
    tx.status_lists().place(&entry).await?;
    tx.commit().await?;
    Ok(StatusClaim { status_list: StatusReference { idx: u64::from(place), uri } })
}

fn uri(broker: &Broker, id: &str) -> String {
    format!("{}/{id}", broker.config.server.url(STATUS_LISTS_PATH))
}

/// The addresses of every list (section 9).
///
/// # Errors
/// When the database fails.
pub async fn list_status_lists(broker: &Broker) -> Result<Vec<String>, StoreError> {
    let ids = broker.db.read().await?.status_lists().list().await?;
    Ok(ids.iter().map(|id| uri(broker, id)).collect())
}

/// A list, signed; none when there is no such list. At most [`TTL`] old, and never older than what this process revoked.
///
/// # Errors
/// When the database fails, or no key signs.
pub async fn status_list(provider: Provider<'_>, id: &str) -> Result<Option<Arc<str>>, KeyError> {
    if let Some(token) = provider.status.fresh(id) {
        return Ok(Some(token));
    }
    let broker = provider.broker;
    let (at, before, now) = (Monotonic::now(), invalidations(), broker.clock.now());
    let mut tx = broker.db.read().await?;
    if !tx.status_lists().exists(id).await? {
        return Ok(None);
    }
    let dead = tx.status_lists().dead(id, now).await?;
    drop(tx);
    let claims = ListClaims {
        iss: broker.config.server.issuer(),
        sub: &uri(broker, id),
        iat: now.timestamp(),
        exp: now.timestamp() + LIFE,
        ttl: TTL,
        status_list: List { bits: 1, lst: compressed(&dead) },
    };
    let key = provider.keys.signer(broker, broker.config.oidc.algorithm).await?;
    let token: Arc<str> = jwt::sign(&key, STATUS_TYP, &claims)?.into();
    provider.status.0.signed.insert(id.to_owned(), Signed { token: token.clone(), at, before });
    Ok(Some(token))
}

/// The bits, lowest first in each byte, in zlib and base64url (section 4.1).
fn compressed(dead: &[i64]) -> String {
    let mut bits = vec![0_u8; usize::from(PLACES) / 8];
    for place in dead.iter().filter_map(|place| usize::try_from(*place).ok()) {
        if let Some(byte) = bits.get_mut(place / 8) {
            *byte |= 1 << (place % 8);
        }
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail.
    let written = encoder.write_all(&bits).and_then(|()| encoder.finish());
    URL_SAFE_NO_PAD.encode(written.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{PLACES, compressed, shuffled};
    use crate::random::Rng;

    /// Token Status List section 4.1: the 16 bits of its example, in a list of ours.
    #[test]
    fn bits_are_packed_as_the_draft_says() {
        use base64::Engine as _;
        use std::io::Read as _;
        let text = compressed(&[0, 3, 4, 5, 7, 8, 9, 13, 15]);
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap();
        let mut bits = Vec::new();
        flate2::read::ZlibDecoder::new(bytes.as_slice()).read_to_end(&mut bits).unwrap();
        assert_eq!((bits[0], bits[1], bits.len()), (0xB9, 0xA3, 4_096));
        assert!(bits[2..].iter().all(|byte| *byte == 0));
        assert!(compressed(&[]).len() < 100, "an empty list is small: {}", compressed(&[]).len());
    }

    #[test]
    fn every_place_is_given_once_in_no_order() {
        let (one, other) = (shuffled(&Rng::seeded(1)), shuffled(&Rng::seeded(2)));
        assert_ne!(one, other);
        let rising = one.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((15_000..17_800).contains(&rising), "{rising} of {PLACES}");
        let mut sorted = one;
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..PLACES));
    }
}
