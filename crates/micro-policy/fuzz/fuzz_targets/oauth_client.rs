//! Whatever a client says of itself, it is known or refused, and never gets a grant that works without a user.
//!
//! `cargo xtask fuzz oauth_client`; the corpus is also a plain test.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_policy::oauth::{GrantType, Registration, document, document_url};

fuzz_target!(|json: &[u8]| {
    if let Ok(registration) = Registration::parse(json) {
        assert!((1..=16).contains(&registration.redirect_uris.len()) && registration.name.chars().count() <= 80);
        assert!(!registration.grants.contains(&GrantType::ClientCredentials));
    }
    if let Ok(client) = document("https://app.example/client.json", json) {
        assert!(client.id == "https://app.example/client.json" && client.secret.is_none());
    }
    if let Some(url) = document_url(&String::from_utf8_lossy(json)) {
        assert!(matches!(url.scheme(), "https" | "http") && url.username().is_empty());
    }
});
