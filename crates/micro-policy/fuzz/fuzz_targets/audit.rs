//! No log makes the verifier panic, a good one is good, and one with a changed byte is not.
//!
//! `cargo xtask fuzz audit`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_policy::audit::{Entry, Head, Kept, Line, Report, Verifier};

fuzz_target!(|bytes: &[u8]| {
    // Any bytes.
    let _ = (Line::parse(bytes), Entry::parse(bytes));
    let report = verify(bytes);
    assert!(report.found.len() <= 100);

    // Records of these bytes, chained; then one byte of the log is another.
    let (mut head, mut log) = (Head::default(), Vec::new());
    for piece in bytes.chunks(16) {
        let record = serde_json::json!({"kind": "call", "text": String::from_utf8_lossy(piece)});
        head.seal(record.to_string().as_bytes(), &mut log);
    }
    let good = verify(&log);
    assert!(good.is_good() && good.lines == head.seq && good.hash == head.hash);
    if let [first, second, ..] = bytes {
        let at = usize::from(u16::from_be_bytes([*first, *second])) % log.len();
        log[at] ^= 1 | (first & 0x7f);
        let tampered = verify(&log);
        assert!(!tampered.is_good() || tampered.hash != head.hash, "{}", String::from_utf8_lossy(&log));
    }
});

fn verify(log: &[u8]) -> Report {
    let mut verifier = Verifier::new(None, Kept::Nothing);
    verifier.segment("log");
    log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| verifier.line(line));
    verifier.end()
}
