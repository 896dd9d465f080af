//! Lines that hang together.
//!
//! A line is `{"seq":7,…,"hash":"<64 hex digits>"}`. The hash is the SHA-256 of the 32 bytes of the hash before it
//! (zeros before the first) and of the line's own bytes up to `,"hash"`.

use std::io::Write;

use crate::Digest;

/// Where a chain stands. The default is before its first line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// The number of the last line; the first is 1.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
}

/// A line, taken apart as far as the chain needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number.
    pub seq: u64,
    /// The hash it carries.
    pub hash: Digest,
    /// The bytes that were hashed.
    hashed: &'a [u8],
}

const BEGIN: &[u8] = b"{\"seq\":";
const HASH: &[u8] = b",\"hash\":\"";
const END: &[u8] = b"\"}";

impl Head {
    /// Appends the line of a record, which is a JSON object with at least one member, and moves on to it.
    pub fn seal(&mut self, record: &[u8], out: &mut Vec<u8>) {
        debug_assert!(record.starts_with(b"{\"") && record.ends_with(b"}"), "a record is a JSON object");
        let begin = out.len();
        self.seq += 1;
        out.extend_from_slice(BEGIN);
        write!(out, "{},", self.seq).expect("memory takes everything");
        out.extend_from_slice(&record[1..record.len() - 1]);
        self.hash = self.hash.then(&out[begin..]);
        out.extend_from_slice(HASH);
        out.extend_from_slice(&self.hash.hex());
        out.extend_from_slice(END);
        out.push(b'\n');
    }
}

impl<'a> Line<'a> {
    /// Reads a line, without its newline. Whether its hash is right is another question.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let (hashed, tail) = line.split_at_checked(line.len().checked_sub(HASH.len() + 64 + END.len())?)?;
        let hash = Digest::from_hex(tail.strip_prefix(HASH)?.strip_suffix(END)?)?;
        let rest = hashed.strip_prefix(BEGIN)?;
        let digits = &rest[..rest.iter().position(|byte| *byte == b',')?];
        if digits.first()? == &b'0' || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let seq = std::str::from_utf8(digits).ok()?.parse().ok()?;
        Some(Self { seq, hash, hashed })
    }

    /// Where a chain stands that ends with this line.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }

    /// Whether its hash is that of its bytes behind a line with the hash `before`.
    pub fn follows(&self, before: Digest) -> bool {
        before.then(self.hashed) == self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(records: &[&str]) -> (Head, Vec<u8>) {
        let (mut head, mut out) = (Head::default(), Vec::new());
        for record in records {
            head.seal(record.as_bytes(), &mut out);
        }
        (head, out)
    }

    #[test]
    fn every_line_is_json_and_follows_from_the_one_before() {
        let (head, text) = sealed(&[r#"{"a":1}"#, r#"{"a":"\n,\"hash\":\"x\"}"}"#]);
        let mut before = Head::default();
        for (n, line) in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
            let json: serde_json::Value = serde_json::from_slice(line).unwrap();
            let line = Line::parse(line).unwrap();
            assert_eq!((json["seq"].as_u64().unwrap(), line.seq), (n as u64 + 1, n as u64 + 1));
            assert_eq!(json["hash"], line.hash.to_string());
            assert!(line.follows(before.hash) && !line.follows(line.hash));
            before = line.head();
        }
        assert_eq!(before, head);
    }

    #[test]
    fn the_form_is_the_documented_one() {
        let (head, text) = sealed(&[r#"{"a":1}"#]);
        let hash = Digest::of([&[0; 32][..], br#"{"seq":1,"a":1"#].concat());
        assert_eq!(String::from_utf8(text).unwrap(), format!("{{\"seq\":1,\"a\":1,\"hash\":\"{hash}\"}}\n"));
        assert_eq!(head, Head { seq: 1, hash });
    }

    #[test]
    fn what_is_no_line_is_none() {
        let (_, text) = sealed(&[r#"{"a":1}"#]);
        let good = std::str::from_utf8(&text).unwrap().trim_end();
        assert!(Line::parse(good.as_bytes()).is_some());
        let bad = [
            "",
            "{}",
            &good[1..],
            &good[..good.len() - 1],
            &good.replace("{\"seq\":1", "{\"seq\":01"),
            &good.replace("{\"seq\":1", "{\"seq\":-1"),
            &good.replace("{\"seq\":1", "{\"seq\":"),
            &good.replace("{\"seq\":1", "{\"seq\":99999999999999999999999"),
            &good.replace("\"hash\"", "\"HASH\""),
            &format!("{good} "),
        ];
        for line in bad {
            assert_eq!(Line::parse(line.as_bytes()), None, "{line}");
        }
    }
}
