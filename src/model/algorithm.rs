//! Signature algorithms of tokens.

use crate::string_enum;

string_enum! {
    /// Signature algorithms (RFC 7518 section 3.1, RFC 8037).
    Algorithm {
        /// ECDSA on P-256 with SHA-256: the default.
        Es256 = "ES256",
        /// ECDSA on P-384 with SHA-384.
        Es384 = "ES384",
        /// RSASSA-PKCS1-v1_5 with SHA-256, 2048-bit keys: for clients that know nothing else.
        Rs256 = "RS256",
        /// RSASSA-PSS with SHA-256, 2048-bit keys: for profiles that refuse PKCS1-v1_5 (FAPI 2.0).
        Ps256 = "PS256",
        /// Ed25519.
        EdDsa = "EdDSA",
    }
}
