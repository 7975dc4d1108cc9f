//! See `yaopai::oidc::outside::request_object`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(rule) = yaopai::oidc::outside::request_object(bytes) {
        panic!("broken: {rule}");
    }
});
