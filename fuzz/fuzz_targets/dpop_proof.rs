//! See `yaopai::oidc::outside::dpop_proof`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(rule) = yaopai::oidc::outside::dpop_proof(bytes) {
        panic!("broken: {rule}");
    }
});
