//! The machine's own yardstick: signatures a second on one core, with the library the broker signs with.

use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

/// Signatures a second: ES256, and RS256 with a key of 2048 bits.
pub fn per_second() -> anyhow::Result<[f64; 2]> {
    let rng = SystemRandom::new();
    let message = [7_u8; 400];
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let es256 = rate(|| Ok(key.sign(&rng, &message).map(drop)?))?;
    let key = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let mut signature = vec![0; key.public_modulus_len()];
    let rs256 = rate(|| Ok(key.sign(&RSA_PKCS1_SHA256, &rng, &message, &mut signature)?))?;
    Ok([es256, rs256])
}

fn rate(mut once: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < Duration::from_secs(1) {
        for _ in 0..100 {
            once()?;
        }
        count += 100;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}
