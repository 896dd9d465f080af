//! The parser of `WWW-Authenticate` never panics, and what it reads, written again, reads the same.
//!
//! `cargo +nightly fuzz run challenge` in `crates/micro-mcp`; the corpus is also a plain test.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_mcp::auth::Challenge;

fuzz_target!(|text: &str| {
    for challenge in Challenge::parse(text) {
        let scopes = challenge.scopes();
        assert!(scopes.is_none_or(|scopes| !scopes.is_empty()));
        for name in ["scope", "error", "resource_metadata"] {
            let Some(value) = challenge.param(name) else { continue };
            let quoted = value.replace('\\', r"\\").replace('"', r#"\""#);
            let again = Challenge::parse(&format!(r#"Bearer {name}="{quoted}""#));
            assert!(again.is_empty() || again[0].param(name) == Some(value), "{value:?}");
        }
    }
});
