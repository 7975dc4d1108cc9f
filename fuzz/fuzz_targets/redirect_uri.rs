//! See `yaopai::oidc::outside::redirect_uri`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(rule) = yaopai::oidc::outside::redirect_uri(bytes) {
        panic!("broken: {rule}");
    }
});
