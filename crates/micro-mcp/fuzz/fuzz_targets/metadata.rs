//! Metadata documents of strangers never panic, and pass no check that they should not.
//!
//! `cargo +nightly fuzz run metadata` in `crates/micro-mcp`; the corpus is also a plain test.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_mcp::auth::{ResourceMetadata, ServerMetadata};
use url::Url;

fuzz_target!(|json: &[u8]| {
    if let Ok(metadata) = ResourceMetadata::parse(json) {
        assert!((1..=32).contains(&metadata.authorization_servers.len()));
        let server = Url::parse("https://mcp.example/a/mcp").unwrap();
        if metadata.check(&server).is_ok() {
            assert_eq!(Url::parse(&metadata.resource).unwrap().origin(), server.origin());
        }
    }
    if let Ok(metadata) = ServerMetadata::parse(json) {
        assert!(metadata.check(&metadata.issuer.clone()).is_ok());
        assert!(metadata.check(&format!("{}/", metadata.issuer)).is_err());
    }
});
