//! A redirect that is taken leads to TLS, to loopback or to an app, and allows no other but for the port on loopback.
//!
//! `cargo xtask fuzz oauth_redirect`; the corpus is also a plain test.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_policy::oauth::RedirectUri;

fuzz_target!(|text: &str| {
    let (registered, asked) = text.split_once('\n').unwrap_or((text, text));
    let Ok(uri) = RedirectUri::parse(registered) else { return };
    assert!(uri.allows(registered) && uri.as_str() == registered && !registered.contains(['#', '\r', '\n', ' ']));
    if uri.allows(asked) && asked != registered {
        assert!(registered.starts_with("http://") && asked.starts_with("http://"), "{registered} {asked}");
        let place = RedirectUri::parse(asked).unwrap().place();
        assert_eq!(uri.place(), place);
        assert!(place == "localhost" || place.trim_matches(['[', ']']).parse::<std::net::IpAddr>().unwrap().is_loopback());
    }
});
