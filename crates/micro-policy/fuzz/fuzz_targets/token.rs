//! Reading a token never panics, and none is found good without a key.
//!
//! `cargo xtask fuzz token`; the corpus is also a plain test.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_policy::{Algorithm, Claims, Issuer, KeySet, Token};

fuzz_target!(|text: &str| {
    let Some(Ok(token)) = Token::parse(text) else { return };
    let issuer = Issuer {
        name: token.issuer().unwrap_or_default().to_owned(),
        audience: vec!["micro".to_owned()],
        algorithms: Algorithm::ALL.to_vec(),
        claims: Claims::default(),
        skew: std::time::Duration::from_secs(60),
    };
    assert!(issuer.verify(&token, &KeySet::default(), jiff::Timestamp::UNIX_EPOCH).is_err());
});
