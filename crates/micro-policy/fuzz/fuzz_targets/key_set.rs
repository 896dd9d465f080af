//! Reading the keys of an issuer never panics.
//!
//! `cargo xtask fuzz key_set`; the corpus is also a plain test.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_policy::KeySet;

fuzz_target!(|json: &[u8]| {
    let _ = KeySet::parse(json).map(|keys| keys.is_empty());
});
