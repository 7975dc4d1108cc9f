//! See `yaopai::oidc::outside::authorization_request`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(rule) = yaopai::oidc::outside::authorization_request(bytes) {
        panic!("broken: {rule}");
    }
});
