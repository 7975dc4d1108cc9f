//! `GeneralizedTime` (RFC 4517 section 3.3.13), as directories write times: `20261122162837.25Z`, `20261123002837+0800`.

use chrono::{DateTime, NaiveDateTime};

use crate::time::Instant;

/// Seconds since 1970; what is below a second is cut off.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let end = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (time, zone) = text.split_at_checked(end)?;
    let digits = time.split(['.', ',']).next()?;
    let padded = match digits.len() {
        10 => format!("{digits}0000"),
        12 => format!("{digits}00"),
        _ => digits.to_owned(),
    };
    let time = NaiveDateTime::parse_from_str(&padded, "%Y%m%d%H%M%S").ok()?.and_utc().timestamp();
    let Some(sign) = zone.chars().next().filter(|sign| matches!(sign, '+' | '-')) else { return Some(time) };
    let hours: i64 = zone.get(1..3)?.parse().ok()?;
    let minutes: i64 = zone.get(3..5).map_or(Some(0), |minutes| minutes.parse().ok())?;
    let offset = hours * 3_600 + minutes * 60;
    Some(if sign == '+' { time - offset } else { time + offset })
}

/// The same as a time of ours.
pub(super) fn instant(text: &str) -> Option<Instant> {
    DateTime::from_timestamp(seconds(text)?, 0)
}

#[cfg(test)]
mod tests {
    use super::{instant, seconds};

    /// LDAP-086
    #[test]
    fn times_are_compared_and_not_their_spellings() {
        let noon = seconds("20261122120000Z").unwrap();
        for same in ["20261122120000.0Z", "20261122200000+0800", "202611221200Z", "2026112212Z", "20261122033000-0830"]
        {
            assert_eq!(seconds(same), Some(noon), "{same}");
        }
        assert_eq!(instant("20261122120000.75Z").unwrap().timestamp(), noon);
        assert_eq!(seconds("20261122120001Z"), Some(noon + 1));
        for odd in ["", "Z", "2026", "20261322120000Z", "20261122120000+", "２０２６Z"] {
            assert_eq!(seconds(odd), None, "{odd}");
        }
    }
}
