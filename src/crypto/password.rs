//! Passwords of people: argon2id (RFC 9106) as PHC strings, in a bounded pool.
//!
//! A check costs some 20 ms of a core and 19 MiB of memory by design. So at most a configured number run at once, with
//! memory blocks that are kept while checks follow each other; a bounded number wait in line; who comes after that is told
//! to try again. Machine secrets are random and never come here: they are hashed by [`super::MasterKey::token_hash`].

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::thread::ThreadId;
use std::time::Duration;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use zeroize::Zeroizing;

use super::constant_time_eq;
use crate::random::Rng;

/// Bytes of a password at the most: longer ones are refused before anything is computed, never cut.
pub const MAX_PASSWORD: usize = 1_024;
/// Checks that may wait for each one that runs.
const WAITING_PER_CHECK: usize = 32;
/// How long memory blocks are kept after the last check: a broker at rest holds none of them.
const KEEP: Duration = Duration::from_secs(1);
/// How long the allocator holds on to what was given back to it.
const RETAINED: Duration = Duration::from_millis(1_100);
/// Memory of our own hashes in KiB, with [`OWN_PASSES`]: the OWASP recommendation.
const OWN_MEMORY: u32 = 19 * 1_024;
/// Passes of our own hashes.
const OWN_PASSES: u32 = 2;
/// Memory (KiB) below which no number of passes makes a stored hash acceptable.
const LEAST_MEMORY: u32 = 7 * 1_024;
/// Memory times passes below which a stored hash is refused: 7 MiB with five passes.
const LEAST_WORK: u64 = 7 * 1_024 * 5;
/// Memory (KiB) above which a stored hash is refused: it would be a weapon against the broker.
const MOST_MEMORY: u32 = 128 * 1_024;
/// The same for passes.
const MOST_PASSES: u32 = 12;

/// A password could not be checked or hashed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PasswordError {
    /// Longer than [`MAX_PASSWORD`].
    #[error("the password is longer than {MAX_PASSWORD} bytes")]
    TooLong,
    /// Too many checks are waiting already.
    #[error("too many password checks are waiting; raise login.concurrent_checks if this lasts")]
    Busy,
    /// The stored hash is no argon2id PHC string, or its parameters are too weak or too costly.
    #[error(
        "the stored password hash is unusable: {0}; store argon2id with at least 7 MiB and 5 passes, or 19 MiB and 2"
    )]
    Unusable(&'static str),
    /// The computation failed.
    #[error("the password hash could not be computed")]
    Failed,
}

/// Checks and makes password hashes. Cheap to clone; all clones share the pool.
#[derive(Clone, Debug)]
pub struct Hasher(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
    /// Threads that have nothing to do.
    idle: Mutex<Vec<(ThreadId, mpsc::Sender<Work>)>>,
    /// Parameters of the last stored hash that was checked: what a check of nobody imitates.
    usual: Mutex<Params>,
}

/// A computation, in the memory of the thread that does it; gives back the place that it took.
type Work = Box<dyn FnOnce(&mut Vec<Block>) -> OwnedSemaphorePermit + Send>;

impl Pool {
    /// Has `work` done, by a thread that has nothing to do, or by a new one.
    fn give(self: &Arc<Self>, work: Work) {
        let idle = self.idle().pop();
        let work = match idle {
            Some((_, worker)) => match worker.send(work) {
                Ok(()) => return,
                Err(mpsc::SendError(work)) => work,
            },
            None => work,
        };
        let pool = Arc::downgrade(self);
        // Who waits learns of a thread that cannot be had by the end of the channel.
        let _ = std::thread::Builder::new().name("password".to_owned()).spawn(move || serve(&pool, work));
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(ThreadId, mpsc::Sender<Work>)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this thread may end: not when it is to be given something at this moment.
    fn may_end(&self) -> bool {
        let mut idle = self.idle();
        let before = idle.len();
        let own = std::thread::current().id();
        idle.retain(|(id, _)| *id != own);
        idle.len() < before
    }
}

/// Works until there was nothing to do for a while. Memory is freed by the thread that took it, and some time before the
/// thread ends: only then does the allocator give it back to the system.
fn serve(pool: &Weak<Pool>, first: Work) {
    let (sender, given) = mpsc::channel();
    let (mut memory, mut next) = (Vec::new(), first);
    loop {
        let place = next(&mut memory);
        let Some(known) = pool.upgrade() else { return };
        known.idle().push((std::thread::current().id(), sender.clone()));
        // Only now: whoever takes the place finds this thread.
        drop((place, known));
        if let Ok(work) = given.recv_timeout(KEEP) {
            next = work;
            continue;
        }
        memory = Vec::new();
        next = match given.recv_timeout(RETAINED) {
            Ok(work) => work,
            Err(_) if pool.upgrade().is_none_or(|pool| pool.may_end()) => return,
            Err(_) => match given.recv() {
                Ok(work) => work,
                Err(_) => return,
            },
        };
    }
}

/// Counts who waits in line, also when the waiting request goes away.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Hasher {
    /// A pool of that many checks at once.
    #[must_use]
    pub fn new(concurrent: usize) -> Self {
        let concurrent = concurrent.max(1);
        Self(Arc::new(Pool {
            permits: Arc::new(Semaphore::new(concurrent)),
            waiting: AtomicUsize::new(0),
            most_waiting: concurrent * WAITING_PER_CHECK,
            idle: Mutex::new(Vec::new()),
            usual: Mutex::new(own_params()),
        }))
    }

    /// Whether whoever comes now would be told to try again.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.permits.available_permits() == 0 && self.0.waiting.load(Ordering::SeqCst) >= self.0.most_waiting
    }

    /// Whether `password` is the one of `stored`, an argon2id PHC string with or without LDAP's `{ARGON2}` in front.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn verify(&self, stored: &str, password: &str) -> Result<bool, PasswordError> {
        let password = checked(password)?;
        let hash = parse(stored)?;
        let params = acceptable(&hash)?;
        let salt = hash.salt.ok_or(PasswordError::Unusable("it has no salt"))?;
        let expected = hash.hash.ok_or(PasswordError::Unusable("it has no hash"))?;
        *self.0.usual.lock().unwrap_or_else(PoisonError::into_inner) = params.clone();
        let version = version(&hash)?;
        let computed = self.compute(password, salt.as_ref().to_vec(), version, params, expected.len()).await?;
        Ok(constant_time_eq(&computed, expected.as_bytes()))
    }

    /// Costs what [`Hasher::verify`] costs, for nobody: so that time does not tell whether a login exists.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn verify_nobody(&self, password: &str) -> Result<(), PasswordError> {
        let password = checked(password)?;
        let params = self.0.usual.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.compute(password, vec![0; 16], Version::V0x13, params, 32).await.map(drop)
    }

    /// The argon2id PHC string of a password.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn hash(&self, rng: &Rng, password: &str) -> Result<String, PasswordError> {
        let password = checked(password)?;
        let salt = rng.bytes::<16>();
        let params = own_params();
        let computed = self.compute(password, salt.to_vec(), Version::V0x13, params.clone(), 32).await?;
        phc(&params, &salt, &computed)
    }

    async fn compute(
        &self,
        password: Zeroizing<Vec<u8>>,
        salt: Vec<u8>,
        version: Version,
        params: Params,
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        // The permit goes along, so that a request that went away does not free a place that is still in use.
        let permit = self.permit().await?;
        let (answer, computed) = oneshot::channel();
        let work = move |memory: &mut Vec<Block>| {
            let needed = params.block_count();
            if memory.len() < needed {
                memory.resize(needed, Block::default());
            }
            let mut out = Zeroizing::new(vec![0u8; length]);
            let argon2 = Argon2::new(Algorithm::Argon2id, version, params);
            let done = argon2.hash_password_into_with_memory(&password, &salt, &mut out, memory);
            drop(answer.send(done.map(|()| out).map_err(|_| PasswordError::Failed)));
            permit
        };
        self.0.give(Box::new(work));
        computed.await.map_err(|_| PasswordError::Failed)?
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, PasswordError> {
        if let Ok(permit) = self.0.permits.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let waiting = Waiting(&self.0.waiting);
        if self.0.waiting.fetch_add(1, Ordering::SeqCst) >= self.0.most_waiting {
            return Err(PasswordError::Busy);
        }
        let permit = self.0.permits.clone().acquire_owned().await.map_err(|_| PasswordError::Failed);
        drop(waiting);
        permit
    }
}

/// The argon2id PHC string of a password, computed here and now: for the command line and sample data.
///
/// # Errors
/// [`PasswordError`].
pub fn hash_password(rng: &Rng, password: &str) -> Result<String, PasswordError> {
    let password = checked(password)?;
    let salt = rng.bytes::<16>();
    let params = own_params();
    let mut out = Zeroizing::new([0u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into(&password, &salt, out.as_mut_slice())
        .map_err(|_| PasswordError::Failed)?;
    phc(&params, &salt, out.as_slice())
}

/// Whether a stored hash would be accepted, for a source to tell before anybody signs in.
///
/// # Errors
/// [`PasswordError::Unusable`] with the reason.
pub fn check_stored_hash(stored: &str) -> Result<(), PasswordError> {
    let hash = parse(stored)?;
    acceptable(&hash)?;
    version(&hash).map(drop)
}

fn own_params() -> Params {
    Params::new(OWN_MEMORY, OWN_PASSES, 1, Some(32)).unwrap_or(Params::DEFAULT)
}

fn checked(password: &str) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    if password.len() > MAX_PASSWORD {
        return Err(PasswordError::TooLong);
    }
    Ok(Zeroizing::new(password.as_bytes().to_vec()))
}

fn parse(stored: &str) -> Result<PasswordHash, PasswordError> {
    let stored = stored.trim();
    let phc = match stored.get(..8) {
        Some(scheme) if scheme.eq_ignore_ascii_case("{ARGON2}") => stored.get(8..).unwrap_or_default(),
        _ => stored,
    };
    PasswordHash::new(phc).map_err(|_| PasswordError::Unusable("it is no PHC string"))
}

fn acceptable(hash: &PasswordHash) -> Result<Params, PasswordError> {
    if hash.algorithm.as_str() != "argon2id" {
        return Err(PasswordError::Unusable("it is not argon2id"));
    }
    let params = Params::try_from(hash).map_err(|_| PasswordError::Unusable("its parameters are not argon2's"))?;
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    if params.m_cost() < LEAST_MEMORY || work < LEAST_WORK {
        return Err(PasswordError::Unusable("its parameters are too weak"));
    }
    if params.m_cost() > MOST_MEMORY || params.t_cost() > MOST_PASSES || params.p_cost() > 16 {
        return Err(PasswordError::Unusable("its parameters are too costly"));
    }
    match hash.hash.map_or(0, |output| output.len()) {
        16..=64 => Ok(params),
        _ => Err(PasswordError::Unusable("its hash is shorter than 16 or longer than 64 bytes")),
    }
}

fn version(hash: &PasswordHash) -> Result<Version, PasswordError> {
    match hash.version {
        Some(0x13) => Ok(Version::V0x13),
        _ => Err(PasswordError::Unusable("it is not of version 19")),
    }
}

fn phc(params: &Params, salt: &[u8], output: &[u8]) -> Result<String, PasswordError> {
    let salt = Salt::new(salt).map_err(|_| PasswordError::Failed)?;
    let output = Output::new(output).map_err(|_| PasswordError::Failed)?;
    let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
    Ok(format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${}${output}", salt.to_salt_string()))
}

#[cfg(test)]
mod tests {
    use super::{Hasher, MAX_PASSWORD, PasswordError, check_stored_hash, hash_password};
    use crate::random::Rng;

    /// WEB-029
    #[tokio::test]
    async fn a_password_counts_whole() {
        let hasher = Hasher::new(1);
        let long = format!("{}密码", "x".repeat(120));
        let stored = hasher.hash(&Rng::seeded(1), &long).await.unwrap();
        assert!(hasher.verify(&stored, &long).await.unwrap());
        assert!(hasher.verify(&format!("{{ARGON2}}{stored}"), &long).await.unwrap());
        assert!(!hasher.verify(&stored, &long.replace('码', "马")).await.unwrap());
        assert!(!hasher.verify(&stored, long.get(..72).unwrap()).await.unwrap());
        let with_nul = hash_password(&Rng::seeded(2), "a\0b").unwrap();
        assert!(!hasher.verify(&with_nul, "a\0c").await.unwrap());
        let too_long = "x".repeat(MAX_PASSWORD + 1);
        assert_eq!(hasher.verify(&stored, &too_long).await, Err(PasswordError::TooLong));
    }

    #[test]
    fn weak_foreign_and_costly_hashes_are_refused() {
        let good = hash_password(&Rng::seeded(1), "x").unwrap();
        check_stored_hash(&good).unwrap();
        // What OpenLDAP's argon2 module makes by default.
        check_stored_hash(&format!("{{ARGON2}}{}", good.replace("m=19456,t=2", "m=7168,t=5"))).unwrap();
        for bad in [
            good.replace("m=19456", "m=4096"),
            good.replace("m=19456,t=2", "m=7168,t=3"),
            good.replace("m=19456", "m=1048576"),
            good.replace("t=2", "t=50"),
            good.replace("argon2id", "argon2i"),
            good.replace("v=19", "v=16"),
            "{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=".to_owned(),
            "secret".to_owned(),
            String::new(),
        ] {
            assert!(matches!(check_stored_hash(&bad), Err(PasswordError::Unusable(_))), "{bad}");
        }
    }

    #[tokio::test]
    async fn memory_is_given_back_at_rest() {
        let hasher = Hasher::new(1);
        let idle = || hasher.0.idle().len();
        hasher.verify_nobody("x").await.unwrap();
        hasher.verify_nobody("x").await.unwrap();
        while idle() == 0 {
            tokio::time::sleep(super::KEEP / 100).await;
        }
        assert_eq!(idle(), 1, "one thread did both");
        tokio::time::sleep(super::KEEP + super::RETAINED * 2).await;
        assert_eq!(idle(), 0, "and has ended, with its memory");
        hasher.verify_nobody("x").await.unwrap();
    }

    /// WEB-029
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn checks_wait_in_line_and_the_line_is_bounded() {
        let hasher = Hasher::new(1);
        let checks: Vec<_> = (0..60)
            .map(|_| {
                let hasher = hasher.clone();
                tokio::spawn(async move { hasher.verify_nobody("x").await })
            })
            .collect();
        let mut busy = 0;
        for check in checks {
            busy += usize::from(check.await.unwrap() == Err(PasswordError::Busy));
        }
        assert!(busy > 0 && busy <= 60 - 33, "{busy} of 60 were told to come again");
        assert!(hasher.verify_nobody("x").await.is_ok(), "afterwards there is room again");
    }
}
