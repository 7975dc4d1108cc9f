//! The master key: seals secrets at rest and keys the hashes of tokens.
//!
//! 32 random bytes in a file of mode 0600, made at first start. Subkeys are derived by HMAC-SHA256 over a purpose, so
//! that a hash made for one thing is never valid for another. A short, all-equal or well-known key is refused.
//!
//! After a change of the key, hashes rest on the key that they were first made with, and an old key may still open what it
//! sealed: see `oidc/master.rs`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::random::Rng;

/// The master key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file cannot be read or made.
    #[error("the master key file `{path}` cannot be used: {cause}", path = .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The key is too short or not random.
    #[error(
        "the master key in `{path}` is weak or known: remove the file of a new installation and let the broker make \
         one, or put 32 random bytes there (openssl rand -base64 32)",
        path = .path.display()
    )]
    Weak {
        /// Which file.
        path: PathBuf,
    },
    /// The key from the environment or a program is too short or not random.
    #[error(
        "the master key that {origin} gives is weak or no key: it has to be 32 random bytes in base64 (openssl rand \
         -base64 32)"
    )]
    WeakText {
        /// Where it comes from.
        origin: String,
    },
    /// The file can be read by others than its owner.
    #[error("the master key file `{path}` can be read by others: chmod 600 it", path = .path.display())]
    Readable {
        /// Which file.
        path: PathBuf,
    },
    /// A sealed value does not open with this key.
    #[error("a sealed secret does not open: the master key is not the one it was sealed with")]
    Sealed,
}

type Bytes = Zeroizing<[u8; 32]>;

/// The master key. Never printed.
pub struct MasterKey {
    /// Seals, and signs what holds for minutes.
    own: Bytes,
    /// Keys the hashes that are stored, where it is another.
    hashes: Option<Bytes>,
    /// Opens, beside the own.
    old: Option<Bytes>,
    /// Keys derived from the own.
    signing: Derived,
    /// Keys derived from that of stored hashes.
    hashing: Derived,
}

/// Keys by purpose, as they were derived: some are needed with each request, and there are a dozen.
#[derive(Default)]
struct Derived(RwLock<Vec<(&'static str, hmac::Key)>>);

impl Derived {
    /// Keyed hash of `text` under the key of its own that `purpose` has, base64url.
    fn hash(&self, key: &Bytes, purpose: &'static str, text: &str) -> String {
        let sign = |(_, key): &(&'static str, hmac::Key)| URL_SAFE_NO_PAD.encode(hmac::sign(key, text.as_bytes()));
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.iter().find(|(known, _)| *known == purpose) {
            return sign(known);
        }
        drop(known);
        let made = (purpose, hmac::Key::new(hmac::HMAC_SHA256, &subkey(key, purpose)[..]));
        let hash = sign(&made);
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(made);
        hash
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(hidden)")
    }
}

impl MasterKey {
    /// A key from raw bytes, for tests.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self::of(Zeroizing::new(bytes))
    }

    fn of(own: Bytes) -> Self {
        Self { own, hashes: None, old: None, signing: Derived::default(), hashing: Derived::default() }
    }

    /// The same key, beside which an old one opens what it sealed.
    #[must_use]
    pub fn with_old(self, old: &Self) -> Self {
        Self { old: Some(old.own.clone()), ..self }
    }

    /// The same key, with another one for stored hashes; none when that is no key.
    #[must_use]
    pub fn hashing_by(self, key: &[u8]) -> Option<Self> {
        let key: [u8; 32] = key.try_into().ok()?;
        Some(Self { hashes: Some(Zeroizing::new(key)), hashing: Derived::default(), ..self })
    }

    /// The same key, with the old one for stored hashes.
    #[must_use]
    pub fn hashing_by_old(self) -> Self {
        Self { hashes: self.old.clone(), hashing: Derived::default(), ..self }
    }

    /// The key of stored hashes: to be sealed.
    #[must_use]
    pub fn hash_key(&self) -> &Zeroizing<[u8; 32]> {
        self.hashes.as_ref().unwrap_or(&self.own)
    }

    /// Reads the key file, or makes it (with its folder) when it is missing.
    ///
    /// # Errors
    /// [`MasterKeyError`].
    pub fn load_or_create(path: &Path, rng: &Rng) -> Result<Self, MasterKeyError> {
        let file = |cause| MasterKeyError::File { path: path.to_owned(), cause };
        match std::fs::read_to_string(path) {
            Ok(text) => Self::read(path, &Zeroizing::new(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder).map_err(file)?;
                }
                let key = Zeroizing::new(rng.bytes::<32>());
                let text = Zeroizing::new(STANDARD.encode(key.as_slice()));
                let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(file)?;
                out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).map_err(file)?;
                Ok(Self::of(key))
            }
            Err(error) => Err(file(error)),
        }
    }

    fn read(path: &Path, text: &str) -> Result<Self, MasterKeyError> {
        use std::os::unix::fs::PermissionsExt as _;
        let weak = || MasterKeyError::Weak { path: path.to_owned() };
        let mode = std::fs::metadata(path)
            .map_err(|cause| MasterKeyError::File { path: path.to_owned(), cause })?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            return Err(MasterKeyError::Readable { path: path.to_owned() });
        }
        Self::of_text(text).ok_or_else(weak)
    }

    /// A key from elsewhere than a file; `origin` is named when it is no key.
    ///
    /// # Errors
    /// [`MasterKeyError::WeakText`].
    pub fn parse(origin: &str, text: &str) -> Result<Self, MasterKeyError> {
        Self::of_text(text).ok_or_else(|| MasterKeyError::WeakText { origin: origin.to_owned() })
    }

    fn of_text(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
        let key: [u8; 32] = bytes.as_slice().try_into().ok()?;
        let mut distinct = key.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        // 32 random bytes hold fewer than 16 distinct values once in 10^16; written text holds few.
        if distinct.len() < 16 || key.iter().all(u8::is_ascii) {
            return None;
        }
        Some(Self::of(Zeroizing::new(key)))
    }

    /// Keyed hash of an opaque token or a random secret, base64url: what is stored instead of it.
    #[must_use]
    pub fn token_hash(&self, purpose: &'static str, token: &str) -> String {
        self.hashing.hash(self.hash_key(), purpose, token)
    }

    /// Authenticates text that holds for minutes and is stored nowhere: tickets, demands, nonces. Another key than that of
    /// stored hashes, so that nobody who knew the key before a change can make them.
    #[must_use]
    pub fn sign(&self, purpose: &'static str, text: &str) -> String {
        self.signing.hash(&self.own, purpose, text)
    }

    /// Seals a secret (AES-256-GCM) under a purpose; base64url of nonce and ciphertext.
    ///
    /// # Errors
    /// [`MasterKeyError::Sealed`] when the cipher refuses, which no input of sane size makes it do.
    pub fn seal(&self, rng: &Rng, purpose: &str, secret: &[u8]) -> Result<String, MasterKeyError> {
        let nonce = rng.bytes::<12>();
        let mut sealed = secret.to_vec();
        cipher(&self.own, purpose)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(purpose.as_bytes()), &mut sealed)
            .map_err(|_| MasterKeyError::Sealed)?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what [`MasterKey::seal`] sealed under the same purpose.
    ///
    /// # Errors
    /// [`MasterKeyError::Sealed`] when it was sealed by another key, for another purpose, or changed.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
        match (open_with(&self.own, purpose, sealed), &self.old) {
            (Err(MasterKeyError::Sealed), Some(old)) => open_with(old, purpose, sealed),
            (opened, _) => opened,
        }
    }

    /// Whether this key, and not the old one, has sealed the value.
    #[must_use]
    pub fn has_sealed(&self, purpose: &str, sealed: &str) -> bool {
        open_with(&self.own, purpose, sealed).is_ok()
    }
}

/// A key for one purpose.
fn subkey(key: &Bytes, purpose: &str) -> Bytes {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()), purpose.as_bytes());
    let mut out = Zeroizing::new([0u8; 32]);
    out.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    out
}

fn open_with(key: &Bytes, purpose: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| MasterKeyError::Sealed)?;
    let (nonce, rest) = bytes.split_at_checked(12).ok_or(MasterKeyError::Sealed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| MasterKeyError::Sealed)?;
    let mut rest = Zeroizing::new(rest.to_vec());
    let length = cipher(key, purpose)?
        .open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut rest)
        .map_err(|_| MasterKeyError::Sealed)?
        .len();
    rest.truncate(length);
    Ok(rest)
}

fn cipher(key: &Bytes, purpose: &str) -> Result<LessSafeKey, MasterKeyError> {
    let key = subkey(key, purpose);
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| MasterKeyError::Sealed)?))
}

/// Compares two secrets without telling by time where they differ.
#[must_use]
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0u8; 32];
    out.iter_mut().zip(digest(&SHA256, bytes).as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// SHA-512 of `bytes`.
#[must_use]
pub fn sha512(bytes: &[u8]) -> [u8; 64] {
    let mut out = [0u8; 64];
    out.iter_mut().zip(digest(&SHA512, bytes).as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// SHA-256 of bytes that come piece by piece.
#[derive(Clone)]
pub struct Sha256(aws_lc_rs::digest::Context);

/// Says nothing of what was taken.
impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sha256")
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl Sha256 {
    /// Of nothing so far.
    #[must_use]
    pub fn new() -> Self {
        Self(aws_lc_rs::digest::Context::new(&SHA256))
    }

    /// Takes a piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        let mut out = [0u8; 32];
        out.iter_mut().zip(self.0.finish().as_ref()).for_each(|(to, from)| *to = *from);
        out
    }

    /// The digest, lower-case hexadecimal (64 characters).
    #[must_use]
    pub fn finish_hex(self) -> String {
        hex(&self.finish())
    }
}

/// SHA-256 of `bytes`, lower-case hexadecimal (64 characters): digests of plans, entries and audit rows.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from(if n < 10 { b'0' + n } else { b'a' - 10 + n });
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{MasterKey, MasterKeyError};
    use crate::random::Rng;

    #[test]
    fn a_sealed_secret_opens_only_whole_and_for_its_purpose() {
        let key = MasterKey::from_bytes([7; 32]);
        let sealed = key.seal(&Rng::seeded(1), "signing-key", b"secret").unwrap();
        assert_eq!(key.open("signing-key", &sealed).unwrap().as_slice(), b"secret");
        assert!(matches!(key.open("other", &sealed), Err(MasterKeyError::Sealed)));
        assert!(matches!(MasterKey::from_bytes([8; 32]).open("signing-key", &sealed), Err(MasterKeyError::Sealed)));
        assert!(matches!(key.open("signing-key", sealed.get(1..).unwrap()), Err(MasterKeyError::Sealed)));
    }

    #[test]
    fn an_old_key_opens_and_seals_nothing() {
        let (old, rng) = (MasterKey::from_bytes([7; 32]), Rng::seeded(1));
        let before = old.seal(&rng, "signing-key", b"secret").unwrap();
        let new = MasterKey::from_bytes([8; 32]).with_old(&old).hashing_by_old();
        assert_eq!(new.open("signing-key", &before).unwrap().as_slice(), b"secret");
        assert!(matches!(new.open("other", &before), Err(MasterKeyError::Sealed)));
        assert!(old.has_sealed("signing-key", &before) && !new.has_sealed("signing-key", &before));
        let after = new.seal(&rng, "signing-key", b"secret").unwrap();
        assert!(new.has_sealed("signing-key", &after) && old.open("signing-key", &after).is_err());
        // Stored hashes stay; what holds for minutes is the new key's.
        assert_eq!(new.token_hash("session", "x"), old.token_hash("session", "x"));
        assert_ne!(new.sign("csrf", "x"), old.sign("csrf", "x"));
        assert_eq!(new.hash_key().as_slice(), [7; 32]);
    }

    #[test]
    fn a_weak_or_readable_master_key_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/master.key");
        let made = MasterKey::load_or_create(&path, &Rng::system()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = MasterKey::load_or_create(&path, &Rng::system()).unwrap();
        assert_eq!(made.token_hash("t", "x"), read.token_hash("t", "x"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(MasterKey::load_or_create(&path, &Rng::system()), Err(MasterKeyError::Readable { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        for weak in [
            "",
            "changeme",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        ] {
            std::fs::write(&path, weak).unwrap();
            assert!(
                matches!(MasterKey::load_or_create(&path, &Rng::system()), Err(MasterKeyError::Weak { .. })),
                "{weak}"
            );
        }
    }
}
