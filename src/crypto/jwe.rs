//! JSON Web Encryption, compact (RFC 7516): what we encrypt to an application.
//!
//! All cryptography is aws-lc-rs; here is only how the five parts are put together, and the one hash of Concat KDF
//! (RFC 7518 section 4.6.2). We never decrypt: nothing is encrypted to us.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, ECDH_P384, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use aws_lc_rs::cipher::{AES_128, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap as _};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::jwk::PublicKey;
use super::master::sha256;
use crate::model::{ContentEncryption, Encryption, KeyManagement};
use crate::random::Rng;

/// Something cannot be encrypted to a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the key cannot be encrypted to")]
pub struct JweError;

/// The public half of a key to encrypt to.
pub(super) enum Recipient<'a> {
    /// A point on P-256, uncompressed.
    P256(&'a [u8]),
    /// A point on P-384, uncompressed.
    P384(&'a [u8]),
    /// Modulus and exponent.
    Rsa(&'a [u8], &'a [u8]),
}

/// Encrypts `plain` to `key`. `content_type` is `JWT` for a signed token (RFC 7519 section 5.2).
///
/// # Errors
/// [`JweError`] when the key is not of the kind that `how` wants.
pub fn encrypt(
    rng: &Rng,
    key: &PublicKey,
    how: Encryption,
    content_type: Option<&str>,
    plain: &[u8],
) -> Result<String, JweError> {
    let mut header = Map::new();
    header.insert("alg".to_owned(), how.alg.as_str().into());
    header.insert("enc".to_owned(), how.enc.as_str().into());
    if let Some(kid) = key.kid() {
        header.insert("kid".to_owned(), kid.into());
    }
    if let Some(content_type) = content_type {
        header.insert("cty".to_owned(), content_type.into());
    }
    let (content_key, encrypted_key) = match (key.recipient().ok_or(JweError)?, how.alg) {
        (Recipient::Rsa(n, e), KeyManagement::RsaOaep256) => {
            let content_key = Zeroizing::new(rng.bytes::<32>());
            let encrypted = to_rsa(n, e, content_key.as_slice())?;
            (content_key, encrypted)
        }
        (point @ (Recipient::P256(_) | Recipient::P384(_)), KeyManagement::EcdhEs) => {
            (agreed(&point, how.enc.as_str(), &mut header)?, Vec::new())
        }
        (point @ (Recipient::P256(_) | Recipient::P384(_)), KeyManagement::EcdhEsA256Kw) => {
            let content_key = Zeroizing::new(rng.bytes::<32>());
            let wrapping = agreed(&point, how.alg.as_str(), &mut header)?;
            (content_key.clone(), wrapped(wrapping.as_slice(), content_key.as_slice())?)
        }
        _ => return Err(JweError),
    };
    let header = URL_SAFE_NO_PAD.encode(Value::Object(header).to_string());
    let (iv, content, tag) = match how.enc {
        ContentEncryption::A256Gcm => gcm(rng, &content_key, header.as_bytes(), plain)?,
        ContentEncryption::A128CbcHs256 => cbc_hmac(rng, &content_key, header.as_bytes(), plain)?,
    };
    let parts = [encrypted_key, iv, content, tag].map(|part| URL_SAFE_NO_PAD.encode(part));
    Ok(format!("{header}.{}", parts.join(".")))
}

/// RFC 7518 section 4.3.
fn to_rsa(n: &[u8], e: &[u8], content_key: &[u8]) -> Result<Vec<u8>, JweError> {
    let key: PublicEncryptingKey =
        aws_lc_rs::signature::RsaPublicKeyComponents { n, e }.try_into().map_err(|_| JweError)?;
    let key = OaepPublicEncryptingKey::new(key).map_err(|_| JweError)?;
    let mut out = vec![0; key.ciphertext_size()];
    let length = key.encrypt(&OAEP_SHA256_MGF1SHA256, content_key, &mut out, None).map_err(|_| JweError)?.len();
    out.truncate(length);
    Ok(out)
}

/// A key of 32 bytes agreed with the recipient (RFC 7518 section 4.6), for the purpose `algorithm`; our half of the
/// agreement goes into the header.
fn agreed(
    recipient: &Recipient<'_>,
    algorithm: &str,
    header: &mut Map<String, Value>,
) -> Result<Zeroizing<[u8; 32]>, JweError> {
    let (curve, name, size, point) = match recipient {
        Recipient::P256(point) => (&ECDH_P256, "P-256", 32, *point),
        Recipient::P384(point) => (&ECDH_P384, "P-384", 48, *point),
        Recipient::Rsa(..) => return Err(JweError),
    };
    let own = EphemeralPrivateKey::generate(curve, &Rng::for_signatures()).map_err(|_| JweError)?;
    let public = own.compute_public_key().map_err(|_| JweError)?;
    let (x, y) = public.as_ref().get(1..=size).zip(public.as_ref().get(size + 1..)).ok_or(JweError)?;
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    header.insert("epk".to_owned(), json!({ "kty": "EC", "crv": name, "x": x, "y": y }));
    agree_ephemeral(own, UnparsedPublicKey::new(curve, point), JweError, |shared| {
        Ok(Zeroizing::new(concat_kdf(shared, algorithm)))
    })
}

/// Concat KDF of NIST SP 800-56A for 256 bits, which is one round of SHA-256: counter, shared secret, algorithm,
/// nothing about the parties, length.
fn concat_kdf(shared: &[u8], algorithm: &str) -> [u8; 32] {
    let length = u32::try_from(algorithm.len()).unwrap_or(u32::MAX).to_be_bytes();
    let (one, none, bits) = (1u32.to_be_bytes(), 0u32.to_be_bytes(), 256u32.to_be_bytes());
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new([&one[..], shared, &length, algorithm.as_bytes(), &none, &none, &bits].concat());
    sha256(&text)
}

/// AES key wrap (RFC 3394): eight bytes longer than the key.
fn wrapped(wrapping: &[u8], content_key: &[u8]) -> Result<Vec<u8>, JweError> {
    let mut out = vec![0; content_key.len() + 8];
    let kek = AesKek::new(&AES_256, wrapping).map_err(|_| JweError)?;
    let length = kek.wrap(content_key, &mut out).map_err(|_| JweError)?.len();
    out.truncate(length);
    Ok(out)
}

type Sealed = (Vec<u8>, Vec<u8>, Vec<u8>);

fn gcm(rng: &Rng, key: &[u8; 32], header: &[u8], plain: &[u8]) -> Result<Sealed, JweError> {
    let iv = rng.bytes::<12>();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(|_| JweError)?);
    let mut content = plain.to_vec();
    let nonce = Nonce::assume_unique_for_key(iv);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(header), &mut content).map_err(|_| JweError)?;
    Ok((iv.to_vec(), content, tag.as_ref().to_vec()))
}

/// RFC 7518 section 5.2.3: the first half of the key authenticates, the second encrypts.
fn cbc_hmac(rng: &Rng, key: &[u8; 32], header: &[u8], plain: &[u8]) -> Result<Sealed, JweError> {
    let iv = rng.bytes::<16>();
    let (authenticating, encrypting) = key.split_at(16);
    let cipher = UnboundCipherKey::new(&AES_128, encrypting).and_then(PaddedBlockEncryptingKey::cbc_pkcs7);
    let mut content = plain.to_vec();
    let start = EncryptionContext::Iv128(FixedLength::from(iv));
    cipher.map_err(|_| JweError)?.less_safe_encrypt(&mut content, start).map_err(|_| JweError)?;
    let bits = (header.len() as u64 * 8).to_be_bytes();
    let message = [header, &iv, &content, &bits].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, authenticating), &message);
    let tag = tag.as_ref().get(..16).ok_or(JweError)?.to_vec();
    Ok((iv.to_vec(), content, tag))
}

#[cfg(test)]
mod tests {
    use super::concat_kdf;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    /// The derivation with empty party information, checked against a value made with Python's hashlib:
    /// SHA-256(00000001 ‖ Z ‖ 00000007 "A256GCM" ‖ 00000000 ‖ 00000000 ‖ 00000100).
    #[test]
    fn the_key_is_derived_as_the_standard_says() {
        assert_eq!(
            URL_SAFE_NO_PAD.encode(concat_kdf(&[7; 32], "A256GCM")),
            "h8wRiG8gn4WoFxQVmUm-yqdF6pEJpHxGHl4ZGzHWXp8"
        );
    }
}
