//! The device authorization grant (RFC 8628): a device without a browser shows a code, a person types it elsewhere.
//!
//! A user code is ten letters of an alphabet of twenty: 43.2 bits. Wrong codes are counted for the person, their address
//! and everybody together; all together may miss [`MISSES`] times within the life of a code, so that the chance to hit
//! one by guessing stays below 2^-32 (section 5.1). Whoever types a code is signed in: a guess has a name.

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::json;

use super::decoupled::{Decided, Decider, POLL_SECONDS, WaitingRequest, asking, decide, poll, shown, waiting, wanted};
use super::params::Params;
use super::token::{Asked, GrantError, TokenResponse};
use super::{Caller, Presented, Provider};
use crate::audit::{Action, Event, Outcome};
use crate::broker::Broker;
use crate::model::{Application, AuthMethod, DecoupledKind, DecoupledRequest, GrantType};
use crate::store::{Limit, StoreError};
use crate::time::Instant;

/// Purpose under which device codes are hashed.
const DEVICE_CODE: &str = "device-code";
/// Purpose under which user codes are hashed.
const USER_CODE: &str = "user-code";
/// No vowels, so that no words appear; no digits, so that none looks like a letter (section 6.1).
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of a user code; shown in two halves.
const LENGTH: usize = 10;
/// Wrong codes of everybody together: 2,000 / 20^10 < 2^-32.
const MISSES: i64 = 2_000;
/// Wrong codes of one person, or from one address.
const OWN_MISSES: i64 = 10;
/// Requests of public applications from one address.
const REQUESTS: i64 = 60;
/// Tries to find a user code that nobody else has at the moment.
const TRIES: usize = 3;

/// The answer to a device (section 3.2).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DeviceAnswer {
    /// What the device polls with.
    pub device_code: String,
    /// What the person types.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: String,
    /// Seconds until both are dead.
    pub expires_in: i64,
    /// Seconds between two polls.
    pub interval: i64,
}

/// What a typed code stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeviceLookup {
    /// A request that waits.
    Found(Box<WaitingRequest>),
    /// Nothing, or nothing any more.
    Unknown,
    /// Too many wrong codes: wait.
    Throttled(Instant),
}

/// Answers a device authorization request (section 3.1). `page` is the address at which people type the code.
///
/// # Errors
/// [`GrantError`].
pub async fn authorize_device(
    provider: Provider<'_>,
    caller: &Caller,
    presented: &Presented,
    form: &Params,
    page: &str,
) -> Result<DeviceAnswer, GrantError> {
    let app = asking(provider, caller, presented, form, GrantType::DeviceCode).await?;
    // A device that asks for nothing gets to know who the person is.
    let scope = wanted(&app, form.get("scope").unwrap_or("openid"))?;
    if app.auth_method == AuthMethod::None {
        count_request(provider.broker, caller).await?;
    }
    for _ in 0..TRIES {
        match insert(provider, caller, &app, &scope).await {
            Ok((device_code, user_code)) => {
                return Ok(DeviceAnswer {
                    verification_uri: page.to_owned(),
                    verification_uri_complete: format!("{page}?user_code={user_code}"),
                    device_code,
                    user_code,
                    expires_in: provider.broker.config.oidc.device_code_lifetime.0.num_seconds(),
                    interval: POLL_SECONDS,
                });
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(GrantError::SlowDown)
}

/// A public application proves nothing: how often an address may ask in its name is bounded.
async fn count_request(broker: &Broker, caller: &Caller) -> Result<(), GrantError> {
    let limit = Limit { failures: REQUESTS, window: broker.config.oidc.device_code_lifetime.0, wait: WAIT };
    let mut tx = broker.db.write().await?;
    let counted =
        tx.throttles().attempt(&format!("device-request:{}", caller.address), broker.clock.now(), limit).await?;
    tx.commit().await?;
    counted.map_err(|_| GrantError::SlowDown)
}

/// The shortest wait.
const WAIT: TimeDelta = TimeDelta::minutes(1);

async fn insert(
    provider: Provider<'_>,
    caller: &Caller,
    app: &Application,
    scope: &str,
) -> Result<(String, String), StoreError> {
    let broker = provider.broker;
    let (device_code, user_code) = (broker.rng.token(), user_code(broker));
    let life = broker.config.oidc.device_code_lifetime.0;
    let hash = broker.master.token_hash(DEVICE_CODE, &device_code);
    let row = DecoupledRequest {
        user_code_hash: user_code_hash(broker, &user_code),
        ..waiting(broker, caller, app, (DecoupledKind::Device, scope, life), hash)
    };
    let mut tx = broker.db.write().await?;
    tx.decoupled().insert(&row).await?;
    tx.commit().await?;
    Ok((device_code, user_code))
}

/// Ten letters, each as likely as any other: bytes that would make some likelier are thrown away.
fn user_code(broker: &Broker) -> String {
    let mut code = String::with_capacity(LENGTH + 1);
    while code.len() < LENGTH + 1 {
        let [byte] = broker.rng.bytes::<1>();
        if let (true, Some(letter)) = (byte < 240, ALPHABET.get(usize::from(byte % 20))) {
            code.push(char::from(*letter));
            if code.len() == LENGTH / 2 {
                code.push('-');
            }
        }
    }
    code
}

/// The letters of a typed code: case, blanks, dashes and whatever else a keyboard puts between them do not count. None
/// when what is left cannot be a code.
fn letters(typed: &str) -> Option<String> {
    if typed.len() > 100 {
        return None;
    }
    // Full-width letters are what a Chinese keyboard types.
    let narrow = |c: char| match c {
        'Ａ'..='Ｚ' | 'ａ'..='ｚ' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    };
    let code: String = typed.chars().map(narrow).filter(|c| c.is_alphanumeric()).collect();
    let code = code.to_ascii_uppercase();
    (code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte))).then_some(code)
}

fn user_code_hash(broker: &Broker, typed: &str) -> Option<String> {
    letters(typed).map(|code| broker.master.token_hash(USER_CODE, &code))
}

/// Finds the request of a typed code. Every try is counted before it is judged, and given back when it was right.
///
/// # Errors
/// When the database fails.
pub async fn find_device(
    provider: Provider<'_>,
    caller: &Caller,
    who: Decider<'_>,
    typed: &str,
) -> Result<DeviceLookup, StoreError> {
    Ok(match find(provider, caller, who, typed).await? {
        Ok(Some(request)) => match shown(provider, &request).await? {
            Some(shown) => DeviceLookup::Found(Box::new(shown)),
            None => DeviceLookup::Unknown,
        },
        Ok(None) => DeviceLookup::Unknown,
        Err(until) => DeviceLookup::Throttled(until),
    })
}

/// Writes the person's decision about the device that shows the code `typed`. `Err(until)` inside: too many wrong codes.
///
/// # Errors
/// When the database fails.
pub async fn decide_device(
    provider: Provider<'_>,
    caller: &Caller,
    who: Decider<'_>,
    typed: &str,
    is_agreed: bool,
) -> Result<Result<Decided, Instant>, StoreError> {
    Ok(match find(provider, caller, who, typed).await? {
        Ok(Some(request)) => Ok(decide(provider, caller, who, &request, is_agreed).await?),
        Ok(None) => Ok(Decided::Gone),
        Err(until) => Err(until),
    })
}

async fn find(
    provider: Provider<'_>,
    caller: &Caller,
    who: Decider<'_>,
    typed: &str,
) -> Result<Result<Option<DecoupledRequest>, Instant>, StoreError> {
    let broker = provider.broker;
    let now = broker.clock.now();
    let window = broker.config.oidc.device_code_lifetime.0;
    let limit = |failures, wait| Limit { failures, window, wait };
    let counters = [
        (format!("device-person:{}", who.user.id), limit(OWN_MISSES, WAIT)),
        (format!("device-address:{}", caller.address), limit(OWN_MISSES * 5, WAIT)),
        ("device-all".to_owned(), limit(MISSES, window)),
    ];
    let mut tx = broker.db.write().await?;
    for (at, (key, limit)) in counters.iter().enumerate() {
        if let Err(until) = tx.throttles().attempt(key, now, *limit).await? {
            for (key, limit) in counters.iter().take(at) {
                tx.throttles().give_back(key, *limit).await?;
            }
            tx.commit().await?;
            return Ok(Err(until));
        }
    }
    let found = match user_code_hash(broker, typed) {
        Some(hash) => tx.decoupled().find_by_code(&hash, now).await?,
        None => None,
    };
    if found.is_some() {
        for (key, limit) in &counters {
            tx.throttles().give_back(key, *limit).await?;
        }
    }
    tx.commit().await?;
    if found.is_none() {
        let actor = format!("user:{}", who.user.id);
        let event = Event::new(Action::ApplicationAccess, Outcome::Denied, actor, "")
            .from_request(caller.address.to_string(), &caller.request_id)
            .with(json!({ "by": DecoupledKind::Device, "reason": "unknown_user_code" }));
        broker.audit.record(event).await?;
    }
    Ok(Ok(found))
}

/// A device polls (section 3.4).
pub(super) async fn redeem(asked: &Asked<'_>) -> Result<TokenResponse, GrantError> {
    let code = asked.form.get("device_code").ok_or(GrantError::InvalidRequest("device_code is missing"))?;
    let hash = asked.provider.broker.master.token_hash(DEVICE_CODE, code);
    poll(asked, (DecoupledKind::Device, GrantType::DeviceCode), &hash).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ALPHABET, LENGTH, MISSES, letters};

    /// OAUTH-106
    #[test]
    fn guessing_stays_below_the_bound() {
        let codes = 20f64.powi(i32::try_from(LENGTH).unwrap());
        assert!(f64::from(u32::try_from(MISSES).unwrap()) / codes < 2f64.powi(-32));
    }

    /// OAUTH-108
    #[test]
    fn a_code_is_read_as_people_type_it() {
        for typed in ["BCDFG-HJKLM", "bcdfghjklm", " bcdfg hjklm ", "b.c/d_f\u{2014}g HJ KLM", "ＢＣＤＦＧｈｊｋｌｍ"]
        {
            assert_eq!(letters(typed).as_deref(), Some("BCDFGHJKLM"), "{typed}");
        }
        for typed in ["", "BCDFG-HJKL", "BCDFG-HJKLMN", "ACDFG-HJKLM", "BCDFG-HJKL1", "王CDFG-HJKLM", &"B".repeat(200)]
        {
            assert_eq!(letters(typed), None, "{typed}");
        }
        assert!(ALPHABET.iter().all(|letter| !b"AEIOUY0123456789".contains(letter)));
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_a_code_or_none(typed in "\\PC{0,120}") {
            if let Some(code) = letters(&typed) {
                prop_assert!(code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte)));
                prop_assert_eq!(letters(&code), Some(code));
            }
        }
    }
}
