//! A walk over JSON text: where values begin and end and that they are JSON, without making anything of them.
//!
//! serde_json does that too and says what is wrong. This says only yes or no, in about half the time; who
//! gets a no goes to serde_json for the reason.

use std::iter::once;

use serde::{
    Deserialize, Deserializer, de,
    de::value::{BorrowedStrDeserializer, MapDeserializer},
    forward_to_deserialize_any,
};
use serde_json::value::RawValue;

/// Whether these bytes are one JSON value (RFC 8259) in UTF-8. One that is nested more than 127 deep is not
/// recognised.
///
/// ```
/// assert!(micro_mcp_proto::is_json(br#" {"a": [1, "\u00e9", null]} "#));
/// assert!(!micro_mcp_proto::is_json(br#"{"a": 01}"#));
/// ```
pub fn is_json(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut scan = Scan::of(text);
    scan.value().is_some() && scan.is_at_end()
}

/// A place in a JSON text. Every method that reads answers `None` where the text is no JSON, or not as simple as
/// this reader is; nothing is to be read after that.
pub(crate) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Whether nothing but space is left.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.space();
        self.at == self.text.len()
    }

    /// Reads an object; `member` reads the value of each member. Names with escapes are not simple.
    pub(crate) fn object(&mut self, mut member: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        if self.space() == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.expect(b'"')?;
            let start = self.at;
            self.rest_of_string()?.then_some(())?;
            let name = &self.text[start..self.at - 1];
            self.expect(b':')?;
            member(self, name)?;
            match self.space() {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// Reads a value of any kind: its text, without space around it.
    pub(crate) fn value(&mut self) -> Option<&'a str> {
        self.space();
        let start = self.at;
        self.skip()?;
        Some(&self.text[start..self.at])
    }

    /// Skips a value. What it is in the midst of is a bit each, 1 for an object, behind a leading 1.
    fn skip(&mut self) -> Option<()> {
        let mut open: u128 = 1;
        loop {
            match self.space() {
                b'"' => {
                    self.at += 1;
                    self.rest_of_string()?;
                }
                bracket @ (b'{' | b'[') => {
                    let object = bracket == b'{';
                    self.at += 1;
                    if self.space() == if object { b'}' } else { b']' } {
                        self.at += 1;
                    } else if open >> 127 != 0 {
                        return None; // full
                    } else {
                        open = open << 1 | u128::from(object);
                        if object {
                            self.name()?;
                        }
                        continue;
                    }
                }
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => self.number()?,
            }
            // Behind a value: what it ends, or the next one.
            loop {
                if open == 1 {
                    return Some(());
                }
                let object = open & 1 == 1;
                match self.space() {
                    b',' => {
                        self.at += 1;
                        if object {
                            self.name()?;
                        }
                        break;
                    }
                    b'}' if object => open >>= 1,
                    b']' if !object => open >>= 1,
                    _ => return None,
                }
                self.at += 1;
            }
        }
    }

    /// A member's name and the colon.
    #[inline(always)]
    fn name(&mut self) -> Option<()> {
        self.expect(b'"')?;
        self.rest_of_string()?;
        self.expect(b':')
    }

    /// What of a string comes behind its first quote, the last one too: whether it is as it says, without escapes.
    #[inline(always)]
    fn rest_of_string(&mut self) -> Option<bool> {
        let mut plain = true;
        loop {
            self.skip_plain();
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Some(plain);
                }
                b'\\' => {
                    plain = false;
                    let length = match self.bytes().get(self.at + 1)? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                        b'u' if self.bytes().get(self.at + 2..self.at + 6)?.iter().all(u8::is_ascii_hexdigit) => 6,
                        _ => return None,
                    };
                    self.at += length;
                }
                _ => return None,
            }
        }
    }

    /// Skips what stands for itself in a string, eight bytes at a time.
    #[inline(always)]
    fn skip_plain(&mut self) {
        const ONES: u64 = u64::MAX / 255;
        const HIGH: u64 = ONES << 7;
        while let Some(eight) = self.rest().first_chunk::<8>() {
            let word = u64::from_le_bytes(*eight);
            let (quote, backslash) = (word ^ (ONES * b'"' as u64), word ^ (ONES * b'\\' as u64));
            // The high bit of each byte that is zero, zero, or less than a space. A borrow spoils only what is
            // behind the first such byte.
            let special = (quote.wrapping_sub(ONES) & !quote)
                | (backslash.wrapping_sub(ONES) & !backslash)
                | (word.wrapping_sub(ONES * b' ' as u64) & !word);
            let special = special & HIGH;
            if special != 0 {
                self.at += (special.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
        }
        while !matches!(self.peek(), b'"' | b'\\' | 0..b' ') {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Option<()> {
        if self.peek() == b'-' {
            self.at += 1;
        }
        if self.peek() == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if let b'e' | b'E' = self.peek() {
            self.at += 1;
            if let b'+' | b'-' = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// One at least.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes()[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    /// This byte, behind space.
    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.space() == byte).then(|| self.at += 1)
    }

    /// Skips space; what comes behind it.
    #[inline(always)]
    fn space(&mut self) -> u8 {
        loop {
            match self.peek() {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                other => return other,
            }
        }
    }

    /// The byte here; 0 at the end, which is a byte that no JSON has.
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.bytes().get(self.at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn rest(&self) -> &'a [u8] {
        self.bytes().get(self.at..).unwrap_or_default()
    }

    #[inline(always)]
    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }
}

/// A text that is known to be one JSON value without space around it. serde_json has no way to say that, but
/// takes the word of any deserializer that hands it the text under the name it asks by.
pub(crate) fn as_raw(json: &str) -> &RawValue {
    Deserialize::deserialize(Known(json)).expect("it takes any text")
}

struct Known<'a>(&'a str);

impl<'de> Deserializer<'de> for Known<'de> {
    type Error = de::value::Error;

    fn deserialize_newtype_struct<V: de::Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_map(MapDeserializer::new(once((name, BorrowedStrDeserializer::new(self.0)))))
    }

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_borrowed_str(self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    /// Texts of every kind of value, and broken ones.
    const TEXTS: &[&str] = &[
        "null",
        "true",
        "false",
        "0",
        "-0",
        "12",
        "-1.5e+10",
        "1E5",
        "0.0",
        r#""""#,
        r#""a\"b\\\/\b\f\n\r\t\u00e9""#,
        r#""longer than eight bytes, with é and 🦀""#,
        "[]",
        "{}",
        "[1,[2,{}],[]]",
        r#"{"a":{"b":[true]},"c":"d"}"#,
        " [ 1 , 2 ] ",
        "\t{ \"a\" :\r\n1 }\n",
        r#"["\ud800"]"#,
        "",
        " ",
        "nul",
        "nulll",
        "truefalse",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "0x1",
        r#"""#,
        r#""a"#,
        r#""\x""#,
        r#""\u12g4""#,
        r#""\u123"#,
        "\"\n\"",
        "\"long enough, then \u{1}\"",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{",
        "}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{a:1}"#,
        r#"{1:1}"#,
        "[1}",
        r#"{"a":1]"#,
        "1 2",
        "{}{}",
        "[1]x",
        "'a'",
        "\u{feff}1",
        "/**/1",
        "NaN",
        "\0",
    ];

    #[test]
    fn it_is_json_where_serde_json_says_so() {
        for text in TEXTS {
            let expected = serde_json::from_str::<&RawValue>(text).is_ok();
            assert_eq!(is_json(text.as_bytes()), expected, "{text:?}");
        }
        assert!(!is_json(b"\"\xff\""));
    }

    #[test]
    fn it_is_json_where_serde_json_says_so_in_whatever_is_made_of_parts() {
        let parts: Vec<&str> = TEXTS.iter().copied().chain([",", ":", "\"", "\\", "\\u", "{\"a\":"]).collect();
        let mut random = fastrand::Rng::with_seed(11);
        for _ in 0..50_000 {
            let text: String = (0..random.usize(1..9)).map(|_| *random.choice(&parts).unwrap()).collect();
            let expected = serde_json::from_str::<&RawValue>(&text).is_ok();
            assert_eq!(is_json(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_not_recognised() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(is_json(nested(128).as_bytes()));
        assert!(!is_json(nested(129).as_bytes()));
        assert!(!is_json(nested(1_000_000).as_bytes()));
    }

    #[test]
    fn a_known_text_becomes_a_raw_value() {
        assert_eq!(as_raw(r#"{"a": 1}"#).get(), r#"{"a": 1}"#);
    }
}
