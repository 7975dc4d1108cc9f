//! How often somebody may try: per account and per address, counted before the password is looked at.
//!
//! An account is counted under its folded name whether it exists or not, so that waiting tells nothing. A browser that
//! signed in to the account before is counted on its own: who guesses from elsewhere does not lock the owner out.

use crate::broker::Broker;
use crate::config::LoginConfig;
use crate::crypto::constant_time_eq;
use crate::store::{Limit, StoreError, Tx};
use crate::text::fold;
use crate::time::Instant;

/// Under which keys an attempt counts. Keys are keyed hashes: what was typed as a login may be a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Throttle {
    account: String,
    address: String,
}

impl Throttle {
    /// The keys of an attempt on `login` from `address`, by a browser that shows `device`.
    pub(super) fn of(broker: &Broker, login: &str, address: &str, device: Option<&str>) -> Self {
        let key = fold(login);
        let account = match device.and_then(|device| known_device(broker, &key, device)) {
            Some(nonce) => format!("device:{}", broker.master.token_hash("throttle", nonce)),
            None => format!("account:{}", broker.master.token_hash("throttle", &key)),
        };
        Self { account, address: format!("address:{address}") }
    }

    /// Counts the attempt; the instant until which to wait when it may not be made.
    pub(super) async fn count(&self, broker: &Broker, now: Instant) -> Result<Result<(), Instant>, StoreError> {
        let (account, address) = limits(&broker.config.login);
        let mut tx = broker.db.write().await?;
        // Always in this order, so that two attempts never wait for each other.
        let mut answer = tx.throttles().attempt(&self.address, now, address).await?;
        if answer.is_ok() {
            answer = tx.throttles().attempt(&self.account, now, account).await?;
            if answer.is_err() {
                tx.throttles().give_back(&self.address, address).await?;
            }
        }
        tx.commit().await?;
        Ok(answer)
    }

    /// The attempt was right: the account starts afresh, the address gets this attempt back.
    pub(super) async fn succeeded(&self, broker: &Broker, tx: &mut Tx) -> Result<(), StoreError> {
        tx.throttles().give_back(&self.address, limits(&broker.config.login).1).await?;
        tx.throttles().reset(&self.account).await
    }

    /// The attempt could not be judged: it does not count.
    pub(super) async fn not_judged(&self, broker: &Broker) -> Result<(), StoreError> {
        let (account, address) = limits(&broker.config.login);
        let mut tx = broker.db.write().await?;
        tx.throttles().give_back(&self.address, address).await?;
        tx.throttles().give_back(&self.account, account).await?;
        tx.commit().await
    }

    /// Until when the account has to wait now, after a failure.
    pub(super) async fn wait(&self, tx: &mut Tx, now: Instant) -> Result<Option<Instant>, StoreError> {
        tx.throttles().blocked_until(&self.account, now).await
    }
}

fn limits(login: &LoginConfig) -> (Limit, Limit) {
    let limit = |failures| Limit { failures, window: login.window.0, wait: login.wait.0 };
    (limit(login.failures_per_account), limit(login.failures_per_address))
}

/// A mark for the browser that has just signed in as `login`: worth nothing for another login.
pub(super) fn device_mark(broker: &Broker, login: &str) -> String {
    let nonce = broker.rng.token();
    let mac = device_mac(broker, &fold(login), &nonce);
    format!("{nonce}.{mac}")
}

fn known_device<'a>(broker: &Broker, login_key: &str, device: &'a str) -> Option<&'a str> {
    let (nonce, mac) = device.split_once('.').filter(|(nonce, _)| nonce.len() == 43)?;
    constant_time_eq(mac.as_bytes(), device_mac(broker, login_key, nonce).as_bytes()).then_some(nonce)
}

fn device_mac(broker: &Broker, login_key: &str, nonce: &str) -> String {
    broker.master.token_hash("device", &format!("{nonce}:{login_key}"))
}
