//! Reading an API key never panics, and a key has the form of one, with the id that stands in it.
//!
//! `cargo xtask fuzz api_key`; the corpus is also a plain test.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_policy::ApiKey;

fuzz_target!(|text: &str| {
    let Some(key) = ApiKey::parse(text) else { return };
    assert_eq!((text.len(), &text[..3], &text[3..15]), (65, "mk_", key.id()));
});
