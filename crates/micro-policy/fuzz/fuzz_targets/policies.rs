//! Files of policies never panic and never exhaust the stack.
//!
//! `cargo xtask fuzz policies`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_policy::PolicySet;

fuzz_target!(|text: &str| {
    let _ = PolicySet::parse(&[("fuzz.cedar".to_owned(), text.to_owned())]);
});
