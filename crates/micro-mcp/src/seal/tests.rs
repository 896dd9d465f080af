//! What opens, and all that does not.

use std::{collections::HashSet, fs};

use super::*;

const PURPOSES: &[&str] = &["mcp-session", "mcp-state", "mcp-cursor-tools", "mcp-task", "mcp-sessio", "", "n"];

fn ring(keys: &[&Key]) -> KeyRing {
    KeyRing::new(keys.iter().map(|key| (*key).clone())).unwrap()
}

#[test]
fn a_token_of_one_purpose_never_opens_as_another() {
    let keys = KeyRing::random();
    for length in [0, 1, 16, 33, 1000] {
        let plain = vec![7; length];
        for sealed_for in PURPOSES {
            let token = keys.seal(sealed_for, &plain);
            assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            for opened_for in PURPOSES {
                let opened = keys.open(opened_for, &token).map(|(_, plain)| plain);
                assert_eq!(opened, (sealed_for == opened_for).then(|| plain.clone()), "{sealed_for} {opened_for}");
            }
        }
    }
}

#[test]
fn a_token_changed_anywhere_does_not_open() {
    let keys = KeyRing::random();
    let token = keys.seal("p", b"text");
    let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
    for bit in 0..8 * bytes.len() {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(keys.open("p", &URL_SAFE_NO_PAD.encode(bytes)).is_none(), "bit {bit}");
    }
    for end in 0..token.len() {
        assert!(keys.open("p", &token[..end]).is_none(), "cut at {end}");
    }
    for other in [format!("{token}A"), format!("{token}="), format!(" {token}"), format!("{token}-TAMPERED")] {
        assert!(keys.open("p", &other).is_none(), "{other}");
    }
}

#[test]
fn the_newest_key_seals_and_all_open() {
    let (old, new) = (Key::random(), Key::random());
    let by_old = KeyRing::from(old.clone()).seal("p", b"text");
    let both = ring(&[&new, &old]);
    let by_both = both.seal("p", b"text");
    // Which ring opens the old and the new token, at each step of a change of keys.
    let steps = [
        (ring(&[&old]), true, false),
        (ring(&[&old, &new]), true, true),
        (both, true, true),
        (ring(&[&new]), false, true),
        (KeyRing::random(), false, false),
    ];
    for (i, (keys, opens_old, opens_new)) in steps.iter().enumerate() {
        let opens = |token| keys.open("p", token).is_some();
        assert_eq!((opens(&by_old), opens(&by_both)), (*opens_old, *opens_new), "step {i}");
    }
}

#[test]
fn no_two_tokens_are_the_same() {
    let keys = KeyRing::random();
    let tokens: HashSet<_> = (0..1000).map(|_| keys.seal("p", b"")).collect();
    assert_eq!(tokens.len(), 1000);
}

#[test]
fn a_key_file_is_read_or_its_bad_line_named() {
    let (a, b) = ("0f".repeat(32), "AB".repeat(32));
    let keys = KeyRing::parse(&format!("# newest first\n{a}  # of May\n\n  {b}\r\n")).unwrap();
    let both = [Key::new([0x0f; 32]), Key::new([0xab; 32])];
    assert!(KeyRing::from(both[0].clone()).open("p", &keys.seal("p", b"x")).is_some(), "the first line seals");
    assert!(keys.open("p", &KeyRing::from(both[1].clone()).seal("p", b"x")).is_some());
    for (text, expected) in [
        (String::new(), InvalidKeys::Empty),
        ("# nothing\n".to_owned(), InvalidKeys::Empty),
        (format!("{a}\nsecret"), InvalidKeys::Line(2)),
        (a[1..].to_owned(), InvalidKeys::Line(1)),
        ("g".repeat(64), InvalidKeys::Line(1)),
        ("ü".repeat(32), InvalidKeys::Line(1)),
    ] {
        let error = KeyRing::parse(&text).unwrap_err();
        assert_eq!(error, expected, "{text}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[test]
fn keys_are_not_shown() {
    assert_eq!(format!("{:?}", Key::random()), "Key(…)");
    assert_eq!(format!("{:?}", KeyRing::random()), "KeyRing(1 keys)");
}

/// The corpus of `fuzz/fuzz_targets/sealed.rs`, where there is no fuzzer.
#[test]
fn the_fuzz_corpus_never_opens() {
    let keys = KeyRing::from(Key::new([7; 32]));
    let mut files = 0;
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/sealed")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let opened = keys.open("mcp-session", &String::from_utf8_lossy(&bytes));
        assert!(opened.is_none_or(|(_, plain)| plain == b"corpus"), "only the one that was sealed opens");
        files += 1;
    }
    assert!(files >= 10, "the corpus has {files} files");
}
