//! Status lists as a validator sees them (Token Status List section 8.3): fetched, verified, kept for their `ttl`.

use std::io::Read as _;
use std::sync::Arc;
use std::time::{Duration, Instant as Monotonic};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::ZlibDecoder;
use moka::sync::Cache;
use serde::Deserialize;
use serde_json::Value;

use super::claims::{ALGORITHMS, StatusReference, VerifyError};
use super::client::{Client, ClientError};
use super::keys::Keys;
use crate::crypto::foreign::{self, Rules};
use crate::time::Instant;

/// Bytes of an unpacked list at the most.
const MAX_LIST: u64 = 4 * 1024 * 1024;
/// Lists kept.
const CAPACITY: u64 = 100;

#[derive(Deserialize)]
struct ListClaims {
    sub: String,
    exp: i64,
    ttl: Option<u64>,
    status_list: Packed,
}

#[derive(Deserialize)]
struct Packed {
    bits: u8,
    lst: String,
}

#[derive(Clone, Debug)]
struct Kept {
    bits: Arc<[u8]>,
    width: u8,
    exp: i64,
    fresh_until: Monotonic,
}

/// The lists of one issuer.
#[derive(Debug)]
pub(super) struct StatusLists {
    issuer: String,
    kept: Cache<String, Kept>,
}

impl StatusLists {
    pub(super) fn new(issuer: &str) -> Self {
        Self { issuer: issuer.to_owned(), kept: Cache::new(CAPACITY) }
    }

    /// Whether the place is valid. A list that cannot be fetched anew serves until its own end, and then nothing does.
    pub(super) async fn check(
        &self,
        client: &Client,
        keys: &Keys,
        place: &StatusReference,
        now: Instant,
    ) -> Result<(), VerifyError> {
        let list = self.list(client, keys, &place.uri, now).await?;
        let per_byte = u64::from(8 / list.width);
        let at = usize::try_from(place.idx / per_byte).map_err(|_| VerifyError::Claims)?;
        // A place beyond the end of the list is nobody's: the token is refused (section 8.3).
        let byte = list.bits.get(at).ok_or(VerifyError::Claims)?;
        let shift = (place.idx % per_byte) * u64::from(list.width);
        let mask = u8::MAX >> (8 - list.width);
        if (byte >> shift) & mask == 0 { Ok(()) } else { Err(VerifyError::Revoked) }
    }

    async fn list(&self, client: &Client, keys: &Keys, uri: &str, now: Instant) -> Result<Kept, VerifyError> {
        let old = self.kept.get(uri);
        if let Some(kept) = old.clone().filter(|kept| Monotonic::now() < kept.fresh_until && now.timestamp() < kept.exp)
        {
            return Ok(kept);
        }
        if !uri.strip_prefix(&self.issuer).is_some_and(|rest| rest.starts_with('/')) {
            return Err(VerifyError::Claims);
        }
        match fetch(client, keys, uri, now).await {
            Ok(kept) => {
                self.kept.insert(uri.to_owned(), kept.clone());
                Ok(kept)
            }
            Err(VerifyError::Issuing(error)) => match old.filter(|kept| now.timestamp() < kept.exp) {
                Some(kept) => Ok(kept),
                None => Err(VerifyError::Issuing(error)),
            },
            Err(error) => Err(error),
        }
    }
}

async fn fetch(client: &Client, keys: &Keys, uri: &str, now: Instant) -> Result<Kept, VerifyError> {
    let asked = Monotonic::now();
    let body = client.get(uri).await?;
    let text = std::str::from_utf8(&body).map_err(|_| ClientError::Answer("a status list is no token"))?;
    let unverified = foreign::read(text.trim(), &Rules { algorithms: ALGORITHMS, types: &["statuslist+jwt"] })?;
    let fitting = keys.fitting(client, &unverified).await?;
    let claims = Value::Object(unverified.verify(fitting.iter())?);
    let claims: ListClaims = serde_json::from_value(claims).map_err(|_| VerifyError::Claims)?;
    if claims.sub != uri || now.timestamp() >= claims.exp || !matches!(claims.status_list.bits, 1 | 2 | 4 | 8) {
        return Err(ClientError::Answer("a status list is another's, expired or malformed").into());
    }
    let packed = URL_SAFE_NO_PAD.decode(&claims.status_list.lst).map_err(|_| VerifyError::Claims)?;
    let mut bits = Vec::new();
    let read = ZlibDecoder::new(packed.as_slice()).take(MAX_LIST).read_to_end(&mut bits);
    read.map_err(|_| ClientError::Answer("a status list does not unpack"))?;
    Ok(Kept {
        bits: bits.into(),
        width: claims.status_list.bits,
        exp: claims.exp,
        fresh_until: asked + Duration::from_secs(claims.ttl.unwrap_or(1).min(60)),
    })
}
