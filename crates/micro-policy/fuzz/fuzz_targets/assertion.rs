//! What strangers send as an assertion never panics, and is never believed.
//!
//! `cargo xtask fuzz assertion`.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use micro_policy::{Asserter, Assertion, Signer, Trust};

static KEY: LazyLock<(Trust, String)> = LazyLock::new(|| {
    let (signer, _) = Signer::generate();
    let trust = Trust::new(vec![signer.public()]);
    (trust, Asserter::new(signer).sign(&Assertion::default(), "orders", 1_000).to_string())
});

fuzz_target!(|text: &str| {
    let (trust, good) = &*KEY;
    assert!(trust.verify(text, "orders", 1_000).is_err() || text == good);
    // One that is good but for a few bytes.
    if let Some((at, with)) = text.split_once(':')
        && let Ok(at) = at.parse::<usize>()
        && let Some((before, after)) = good.split_at_checked(at)
    {
        let spoilt = format!("{before}{with}{}", after.get(with.len()..).unwrap_or_default());
        assert!(spoilt == *good || trust.verify(&spoilt, "orders", 1_000).is_err(), "{spoilt}");
    }
});
