//! Trace identifiers, after W3C Trace Context level 1.

use std::{fmt, str::FromStr};

/// A 16-byte trace id, never zero. Prints as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// The `traceparent` of a call: its trace, the caller's span and the sampled flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub id: TraceId,
    /// The span that made the call, never zero.
    pub span: [u8; 8],
    /// Trace flags; bit 0 is "sampled".
    pub flags: u8,
}

impl TraceId {
    /// From 16 bytes, of which at least one must not be zero.
    pub fn new(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }
}

impl TraceContext {
    /// A sampled context of this trace; the span is taken from the trace id's second half.
    pub fn of(id: TraceId) -> Self {
        let mut span: [u8; 8] = id.0[8..].try_into().expect("half of sixteen bytes");
        if span == [0; 8] {
            span[7] = 1;
        }
        Self { id, span, flags: 1 }
    }

    /// Reads a `traceparent` of any version; `None` when it is malformed (the specification then
    /// asks to start a new trace).
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let known = bytes.len() == 55;
        let future = bytes.len() > 55 && &bytes[..2] != b"00" && bytes[55] == b'-';
        if !(known || future) || &bytes[..2] == b"ff" || [2, 35, 52].iter().any(|&i| bytes[i] != b'-') {
            return None;
        }
        let mut version = [0; 1];
        unhex(&bytes[..2], &mut version)?;
        let (mut id, mut span, mut flags) = ([0; 16], [0; 8], [0; 1]);
        unhex(&bytes[3..35], &mut id)?;
        unhex(&bytes[36..52], &mut span)?;
        unhex(&bytes[53..55], &mut flags)?;
        (span != [0; 8]).then_some(())?;
        Some(Self { id: TraceId::new(id)?, span, flags: flags[0] })
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = *b"00-................................-................-..";
        hex(&self.id.0, &mut text[3..35]);
        hex(&self.span, &mut text[36..52]);
        hex(&[self.flags], &mut text[53..]);
        f.write_str(std::str::from_utf8(&text).expect("ASCII"))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 32];
        hex(&self.0, &mut text);
        f.write_str(std::str::from_utf8(&text).expect("ASCII"))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads 32 lower-case hex digits, or a UUID (go-micro's form of a trace id).
impl FromStr for TraceId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits: Vec<u8> = text.bytes().filter(|b| *b != b'-').take(33).collect();
        let mut id = [0; 16];
        if digits.len() != 32 || unhex(&digits, &mut id).is_none() {
            return Err(());
        }
        Self::new(id).ok_or(())
    }
}

fn hex(bytes: &[u8], out: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(out.chunks_exact_mut(2)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

/// Lower-case hex only, as W3C asks.
fn unhex(digits: &[u8], out: &mut [u8]) -> Option<()> {
    let nibble = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    for (pair, byte) in digits.chunks_exact(2).zip(out) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_round_trips() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
        assert_eq!(TraceContext::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn malformed_and_zero_values_are_refused() {
        for text in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7",
            "ff-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            "00-0AF7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_uuid_is_a_trace_id_too() {
        let id: TraceId = "0af76519-16cd-43dd-8448-eb211c80319c".parse().unwrap();
        assert_eq!(id.to_string(), "0af7651916cd43dd8448eb211c80319c");
    }
}
