//! See `yaopai::oidc::outside::client_assertion`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(rule) = yaopai::oidc::outside::client_assertion(bytes) {
        panic!("broken: {rule}");
    }
});
