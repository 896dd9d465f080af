//! Opening a token never panics, opens nothing that was not sealed, and opens all that was.
//!
//! `cargo xtask fuzz sealed`; the corpus is also a plain test.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_mcp::{Key, KeyRing};

fuzz_target!(|bytes: &[u8]| {
    let keys = KeyRing::from(Key::new([7; 32]));
    let opened = keys.open("mcp-session", &String::from_utf8_lossy(bytes));
    assert!(opened.is_none_or(|(_, plain)| plain == b"corpus"));
    let token = keys.seal("mcp-state", bytes);
    assert_eq!(keys.open("mcp-state", &token).map(|(_, plain)| plain).as_deref(), Some(bytes));
    assert!(keys.open("mcp-session", &token).is_none());
});
