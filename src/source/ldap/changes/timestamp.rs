//! By `modifyTimestamp` (RFC 4512 section 3.4.4), for any server: one sweep lists everybody's id and time stamp, and those
//! whose stamp is not older than the latest one seen before, less an overlap, are read whole. Who is known and not listed
//! is gone. Only the server's own times are compared, never ours with them.

use std::collections::HashMap;

use super::standing::{Standing, Way};
use super::{Changed, Session, Stop};
use crate::source::delta::DeltaRefusal;
use crate::source::generalized_time::seconds;

/// The operational attribute.
const STAMP: &str = "modifytimestamp";

/// Stands at the latest time stamp of all.
pub(super) async fn stand(session: &mut Session<'_>) -> Result<Standing, Stop> {
    let mut standing = Standing::new(session.reader, Way::Timestamp, &session.connection.url);
    let mut latest = None;
    for selection in &session.reader.selections {
        let listed = session.list(selection, Some(STAMP)).await?;
        latest = latest.max(latest_of(&listed)?);
    }
    standing.at = latest.map(written);
    Ok(standing)
}

/// What changed since then.
pub(super) async fn read(session: &mut Session<'_>, mut standing: Standing) -> Result<(Changed, Standing), Stop> {
    if standing.server != session.connection.url {
        return Err(DeltaRefusal::OtherServer { server: session.connection.url.clone() }.into());
    }
    let before = standing.at.as_deref().and_then(seconds);
    let overlap = i64::try_from(session.reader.config.overlap.as_std().as_secs()).unwrap_or(i64::MAX);
    let from = before.map_or(i64::MIN, |before| before.saturating_sub(overlap));
    let (mut changed, mut collector, mut latest) = (Changed::default(), session.collector(), before);
    for selection in &session.reader.selections {
        let listed = session.list(selection, Some(STAMP)).await?;
        latest = latest.max(latest_of(&listed)?);
        // Who shows no stamp may have changed.
        let is_new = |stamp: &Option<String>| stamp.as_deref().and_then(seconds).is_none_or(|stamp| stamp >= from);
        let ids: Vec<String> =
            listed.iter().filter(|(_, (_, stamp))| is_new(stamp)).map(|(id, _)| id.clone()).collect();
        session.read_ids(selection.part, &ids, &mut collector).await?;
        changed.present.insert(selection.part, listed.into_keys().collect());
    }
    standing.at = latest.map(written);
    changed.snapshot = collector.seal();
    Ok((changed, standing))
}

fn latest_of(listed: &HashMap<String, (String, Option<String>)>) -> Result<Option<i64>, Stop> {
    let latest = listed.values().filter_map(|(_, stamp)| stamp.as_deref().and_then(seconds)).max();
    // A server that shows none of them cannot be read in this way.
    if latest.is_none() && !listed.is_empty() { Err(DeltaRefusal::NotSupported.into()) } else { Ok(latest) }
}

fn written(seconds: i64) -> String {
    let time = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.format("%Y%m%d%H%M%SZ").to_string()
}
