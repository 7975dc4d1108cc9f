//! Signing keys as files: read from PEM (PKCS#8, PKCS#1, SEC 1) and from a private JWK, written as PKCS#8 PEM.
//!
//! A file with a passphrase is PBES2 (RFC 8018): PBKDF2 with HMAC-SHA-256 and AES-256-CBC, which `openssl pkey` reads
//! and writes. An RSA key shorter than 2048 bits, or a key of another curve, is refused.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pkcs1::UintRef;
use pkcs5::EncryptionScheme;
use pkcs5::pbes2::{self, Kdf, Pbkdf2Params, Pbkdf2Prf};
use pkcs8::der::pem::{LineEnding, PemLabel as _};
use pkcs8::der::{Decode as _, Encode as _};
use pkcs8::{EncryptedPrivateKeyInfo, PrivateKeyInfo, SecretDocument};
use serde::Deserialize;
use zeroize::{Zeroize as _, Zeroizing};

use super::signing::SigningKey;
use crate::model::Algorithm;
use crate::random::Rng;

/// Rounds of PBKDF2 for a passphrase of ours (OWASP 2023 for HMAC-SHA-256).
const ROUNDS: u32 = 600_000;
/// Rounds of a file from elsewhere at the most, so that a file cannot keep us busy for minutes.
const MOST_ROUNDS: u32 = 10_000_000;

/// A key file cannot be read or written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Neither PEM with a private key nor a private JWK.
    #[error("the file holds no private key: give a PEM file (PKCS#8, PKCS#1, SEC 1) or a private JWK")]
    Unreadable,
    /// The key is for another algorithm, too short, or its halves do not belong together.
    #[error("the key in the file is no {0} key (RSA keys need 2048 bits or more)")]
    Mismatch(Algorithm),
    /// A JWK that says what it is for.
    #[error("the JWK is for `{0}`: name that algorithm, or take `alg` and `use` out of the file if you know better")]
    Purpose(String),
    /// The key is sealed with a passphrase.
    #[error("the key is sealed with a passphrase: give --passphrase-file FILE")]
    Sealed,
    /// The passphrase does not open it.
    #[error("the passphrase does not open the key")]
    Passphrase,
    /// Sealed in a way that is not known here.
    #[error(
        "the key is sealed otherwise than by PBES2 with PBKDF2-SHA-256 and AES-256: `openssl pkey -aes256` makes one"
    )]
    Scheme,
    /// The file cannot be made.
    #[error("the key could not be written")]
    Write,
}

/// Reads a private key; gives the id that a JWK names too.
///
/// # Errors
/// [`KeyFileError`].
pub fn read(
    algorithm: Algorithm,
    text: &str,
    passphrase: Option<&str>,
) -> Result<(SigningKey, Option<String>), KeyFileError> {
    if text.trim_start().starts_with('{') {
        return from_jwk(algorithm, text);
    }
    let mismatch = |_| KeyFileError::Mismatch(algorithm);
    let (label, document) =
        SecretDocument::from_pem(block(text).ok_or(KeyFileError::Unreadable)?).map_err(|_| KeyFileError::Unreadable)?;
    let key = match label {
        PrivateKeyInfo::PEM_LABEL => SigningKey::from_pkcs8(algorithm, document.as_bytes()).map_err(mismatch)?,
        EncryptedPrivateKeyInfo::PEM_LABEL => {
            let pkcs8 = unsealed(document.as_bytes(), passphrase.ok_or(KeyFileError::Sealed)?)?;
            SigningKey::from_pkcs8(algorithm, &pkcs8).map_err(mismatch)?
        }
        "RSA PRIVATE KEY" | "EC PRIVATE KEY" => {
            SigningKey::from_traditional(algorithm, document.as_bytes()).map_err(mismatch)?
        }
        _ => return Err(KeyFileError::Unreadable),
    };
    Ok((key, None))
}

/// The private key as PKCS#8 PEM: sealed when there is a passphrase, readable by everyone otherwise.
///
/// # Errors
/// [`KeyFileError::Write`].
pub fn write(rng: &Rng, key: &SigningKey, passphrase: Option<&str>) -> Result<Zeroizing<String>, KeyFileError> {
    let failed = |_| KeyFileError::Write;
    let pkcs8 = key.pkcs8().map_err(|_| KeyFileError::Write)?;
    let Some(passphrase) = passphrase else {
        let document = SecretDocument::try_from(pkcs8.as_slice()).map_err(failed)?;
        return document.to_pem(PrivateKeyInfo::PEM_LABEL, LineEnding::LF).map_err(failed);
    };
    let (salt, iv) = (rng.bytes::<16>(), rng.bytes::<16>());
    let cipher =
        UnboundCipherKey::new(&AES_256, &*derived(passphrase, &salt, ROUNDS)?).map_err(|_| KeyFileError::Write)?;
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(cipher).map_err(|_| KeyFileError::Write)?;
    let mut sealed = pkcs8.to_vec();
    cipher
        .less_safe_encrypt(&mut sealed, EncryptionContext::Iv128(FixedLength::from(iv)))
        .map_err(|_| KeyFileError::Write)?;
    let kdf = Pbkdf2Params { salt: &salt, iteration_count: ROUNDS, key_length: None, prf: Pbkdf2Prf::HmacWithSha256 };
    let parameters =
        pbes2::Parameters { kdf: Kdf::Pbkdf2(kdf), encryption: pbes2::EncryptionScheme::Aes256Cbc { iv: &iv } };
    let info =
        EncryptedPrivateKeyInfo { encryption_algorithm: EncryptionScheme::Pbes2(parameters), encrypted_data: &sealed };
    let document = SecretDocument::encode_msg(&info).map_err(failed)?;
    document.to_pem(EncryptedPrivateKeyInfo::PEM_LABEL, LineEnding::LF).map_err(failed)
}

/// The first block of a PEM file that holds a private key; files of elliptic curves begin with their parameters.
fn block(text: &str) -> Option<&str> {
    let name = text.find("PRIVATE KEY-----")?;
    let from = text.get(..name)?.rfind("-----BEGIN ")?;
    let rest = text.get(from..)?;
    let end = rest.find("-----END ")?;
    let last = rest.get(end..)?.find('\n').map_or(rest.len(), |line| end + line);
    rest.get(..last)
}

fn unsealed(document: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let info = EncryptedPrivateKeyInfo::from_der(document).map_err(|_| KeyFileError::Scheme)?;
    let EncryptionScheme::Pbes2(parameters) = info.encryption_algorithm else { return Err(KeyFileError::Scheme) };
    let (Kdf::Pbkdf2(kdf), pbes2::EncryptionScheme::Aes256Cbc { iv }) = (parameters.kdf, parameters.encryption) else {
        return Err(KeyFileError::Scheme);
    };
    if kdf.prf != Pbkdf2Prf::HmacWithSha256 || kdf.iteration_count > MOST_ROUNDS {
        return Err(KeyFileError::Scheme);
    }
    let wrong = |_| KeyFileError::Passphrase;
    let key = derived(passphrase, kdf.salt, kdf.iteration_count)?;
    let cipher = UnboundCipherKey::new(&AES_256, &*key).and_then(PaddedBlockDecryptingKey::cbc_pkcs7).map_err(wrong)?;
    let mut opened = Zeroizing::new(info.encrypted_data.to_vec());
    let length = cipher.decrypt(&mut opened, DecryptionContext::Iv128(FixedLength::from(*iv))).map_err(wrong)?.len();
    opened.truncate(length);
    Ok(opened)
}

fn derived(passphrase: &str, salt: &[u8], rounds: u32) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let mut key = Zeroizing::new([0; 32]);
    let rounds = NonZeroU32::new(rounds).ok_or(KeyFileError::Scheme)?;
    derive(PBKDF2_HMAC_SHA256, rounds, salt, passphrase.as_bytes(), key.as_mut_slice());
    Ok(key)
}

/// A private JWK (RFC 7517, RFC 7518 section 6, RFC 8037). Members that are not needed are not looked at.
#[derive(Deserialize)]
struct PrivateJwk {
    kty: String,
    crv: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    kid: Option<String>,
    d: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
}

impl Drop for PrivateJwk {
    fn drop(&mut self) {
        for secret in [&mut self.d, &mut self.p, &mut self.q, &mut self.dp, &mut self.dq, &mut self.qi] {
            secret.zeroize();
        }
    }
}

fn from_jwk(algorithm: Algorithm, text: &str) -> Result<(SigningKey, Option<String>), KeyFileError> {
    let jwk: PrivateJwk = serde_json::from_str(text).map_err(|_| KeyFileError::Unreadable)?;
    if let Some(alg) = jwk.alg.as_deref().filter(|alg| *alg != algorithm.as_str()) {
        return Err(KeyFileError::Purpose(alg.to_owned()));
    }
    if let Some(purpose) = jwk.r#use.as_deref().filter(|purpose| *purpose != "sig") {
        return Err(KeyFileError::Purpose(purpose.to_owned()));
    }
    let mismatch = |_| KeyFileError::Mismatch(algorithm);
    let private = decoded(jwk.d.as_deref())?;
    let key = match (algorithm, jwk.kty.as_str(), jwk.crv.as_deref()) {
        (Algorithm::Es256, "EC", Some("P-256")) | (Algorithm::Es384, "EC", Some("P-384")) => {
            let (x, y) = (decoded(jwk.x.as_deref())?, decoded(jwk.y.as_deref())?);
            SigningKey::from_parts(algorithm, &private, &[&[4], x.as_slice(), y.as_slice()].concat())
                .map_err(mismatch)?
        }
        (Algorithm::EdDsa, "OKP", Some("Ed25519")) => {
            SigningKey::from_parts(algorithm, &private, &decoded(jwk.x.as_deref())?).map_err(mismatch)?
        }
        (Algorithm::Rs256 | Algorithm::Ps256, "RSA", None) => {
            SigningKey::from_traditional(algorithm, &rsa(&jwk)?).map_err(mismatch)?
        }
        _ => return Err(KeyFileError::Mismatch(algorithm)),
    };
    Ok((key, jwk.kid.clone()))
}

/// The PKCS#1 document of an RSA JWK, which needs all its primes and exponents.
fn rsa(jwk: &PrivateJwk) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let members = [&jwk.n, &jwk.e, &jwk.d, &jwk.p, &jwk.q, &jwk.dp, &jwk.dq, &jwk.qi];
    let members: Vec<_> = members.iter().map(|member| decoded(member.as_deref())).collect::<Result<_, _>>()?;
    let mut numbers = members.iter().map(|member| UintRef::new(member).map_err(|_| KeyFileError::Unreadable));
    let mut next = || numbers.next().unwrap_or(Err(KeyFileError::Unreadable));
    let document = pkcs1::RsaPrivateKey {
        modulus: next()?,
        public_exponent: next()?,
        private_exponent: next()?,
        prime1: next()?,
        prime2: next()?,
        exponent1: next()?,
        exponent2: next()?,
        coefficient: next()?,
        other_prime_infos: None,
    };
    document.to_der().map(Zeroizing::new).map_err(|_| KeyFileError::Unreadable)
}

fn decoded(member: Option<&str>) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let bytes = URL_SAFE_NO_PAD.decode(member.ok_or(KeyFileError::Unreadable)?);
    bytes.map(Zeroizing::new).map_err(|_| KeyFileError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::{KeyFileError, read, write};
    use crate::crypto::SigningKey;
    use crate::model::Algorithm;
    use crate::random::Rng;

    #[test]
    fn a_key_comes_back_from_its_file() {
        let rng = Rng::system();
        for algorithm in Algorithm::ALL {
            let (key, _) = SigningKey::generate(*algorithm).unwrap();
            let clear = write(&rng, &key, None).unwrap();
            assert!(clear.starts_with("-----BEGIN PRIVATE KEY-----"));
            assert_eq!(read(*algorithm, &clear, None).unwrap().0.kid(), key.kid());
            let sealed = write(&rng, &key, Some("correct horse")).unwrap();
            assert!(sealed.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
            assert_eq!(read(*algorithm, &sealed, Some("correct horse")).unwrap().0.kid(), key.kid());
            assert_eq!(read(*algorithm, &sealed, None).unwrap_err(), KeyFileError::Sealed);
            let wrong = read(*algorithm, &sealed, Some("wrong horse")).unwrap_err();
            assert!(matches!(wrong, KeyFileError::Passphrase | KeyFileError::Mismatch(_)), "{wrong}");
        }
        let (key, _) = SigningKey::generate(Algorithm::Es256).unwrap();
        let clear = write(&rng, &key, None).unwrap();
        for other in [Algorithm::Es384, Algorithm::Rs256, Algorithm::EdDsa] {
            assert_eq!(read(other, &clear, None).unwrap_err(), KeyFileError::Mismatch(other));
        }
    }

    /// RFC 8037 appendix A.1, RFC 7515 appendix A.3.1.
    #[test]
    fn the_keys_of_the_standards_are_read() {
        let ed = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(read(Algorithm::EdDsa, ed, None).unwrap().0.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let ec = r#"{"kty":"EC","crv":"P-256","kid":"old","use":"sig",
            "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
        let (key, kid) = read(Algorithm::Es256, ec, None).unwrap();
        assert_eq!((kid.as_deref(), key.algorithm()), (Some("old"), Algorithm::Es256));
        assert!(key.verifies(b"x", &key.sign(b"x").unwrap()));
        assert!(read(Algorithm::EdDsa, ec, None).is_err());
        assert!(read(Algorithm::Es256, &ec.replace("f83OJ", "f83OK"), None).is_err(), "not its public half");
        assert!(read(Algorithm::Es256, &ec.replace("sig", "enc"), None).is_err());
        for bad in ["", "{}", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----\n"]
        {
            assert_eq!(read(Algorithm::Es256, bad, None).unwrap_err(), KeyFileError::Unreadable, "{bad}");
        }
    }
}
