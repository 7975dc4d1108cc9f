//! Signatures of webhooks, as Standard Webhooks has them: HMAC-SHA-256 over id, time and body.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// `v1,BASE64`: the signature over `ID.TIMESTAMP.BODY`.
#[must_use]
pub fn webhook_signature(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut message = format!("{id}.{timestamp}.").into_bytes();
    message.extend_from_slice(body);
    format!("v1,{}", STANDARD.encode(sign(&Key::new(HMAC_SHA256, secret.as_bytes()), &message)))
}

#[cfg(test)]
mod tests {
    use super::webhook_signature;

    /// Computed with `openssl dgst -sha256 -hmac`.
    #[test]
    fn the_signature_is_what_others_compute() {
        let signature = webhook_signature("secret", "msg_1", 1_700_000_000, b"{\"a\":1}");
        assert_eq!(signature, "v1,Q5nZ7DiOGwijBBqvBVAK6c0zDr2JLkXI7TaV4f+Q2vY=");
    }
}
