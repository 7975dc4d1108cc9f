//! See `yaopai::oidc::outside::claims_parameter`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(rule) = yaopai::oidc::outside::claims_parameter(bytes) {
        panic!("broken: {rule}");
    }
});
