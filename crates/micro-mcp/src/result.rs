//! Writers of `result` objects, for handlers that answer in raw JSON.
//!
//! Who adds what: the server adds the envelope only. Everything inside `result` is the handler's,
//! that is `resultType` and `_meta` in the modern era and cache hints on modern lists. These writers
//! add what the revision wants and leave out what it does not know.

use bytes::Bytes;
pub use micro_mcp_proto::CacheScope;
use micro_mcp_proto::{Content, Era, Revision, meta_key};
use serde::Serialize;

use crate::ServerInfo;

/// How long and by whom an answer may be kept. Modern lists, reads and discoveries must say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cache {
    /// Fresh for this many milliseconds.
    pub ttl_ms: u64,
    /// By whom.
    pub scope: CacheScope,
}

impl Cache {
    /// Never fresh, never shared: right for every answer.
    pub const NONE: Self = Self { ttl_ms: 0, scope: CacheScope::Private };
}

/// The server's identity, rendered once for the `_meta` of every modern result.
#[derive(Debug, Clone)]
pub struct Identity(Box<[u8]>);

impl Identity {
    /// Renders the name and version of a server.
    pub fn of(info: &ServerInfo) -> Self {
        let mut out = format!(r#"{{"{}":"#, meta_key::SERVER_INFO).into_bytes();
        serde_json::to_writer(&mut out, &info.implementation).expect("an implementation is plain JSON");
        out.push(b'}');
        Self(out.into())
    }

    /// The `_meta` object, for results that have more to say there.
    pub fn as_meta(&self) -> &[u8] {
        &self.0
    }
}

/// Writes one `result` object, member by member. Members' names are plain: nothing in them to escape.
#[derive(Debug)]
pub struct Writer {
    era: Era,
    out: Vec<u8>,
}

/// A complete result: begins with `"resultType":"complete"` in the modern era. `capacity` is a guess
/// of its size in bytes.
///
/// ```
/// # use micro_mcp::{proto::Revision, result};
/// let modern = result::complete(Revision::LATEST, 64).member("answer", &42).finish();
/// assert_eq!(modern, r#"{"resultType":"complete","answer":42}"#);
/// let legacy = result::complete(Revision::V2025_11_25, 64).member("answer", &42).finish();
/// assert_eq!(legacy, r#"{"answer":42}"#);
/// ```
pub fn complete(revision: Revision, capacity: usize) -> Writer {
    let mut out = Vec::with_capacity(capacity + 64);
    out.push(b'{');
    let mut writer = Writer { era: revision.era(), out };
    if writer.era == Era::Modern {
        writer = writer.raw("resultType", br#""complete""#);
    }
    writer
}

/// The result that asks a modern client (`basic/patterns/mrtr`): its questions by key, each with
/// `method` and `params`, and the state to bring back with the answers. One of them must be there.
pub fn input_required<'a, Q: Serialize>(
    asks: impl IntoIterator<Item = (&'a str, Q)>,
    state: Option<&str>,
    identity: &Identity,
) -> Bytes {
    let mut writer = object(512).raw("resultType", br#""input_required""#);
    let mut asks = asks.into_iter().peekable();
    if asks.peek().is_some() {
        let mut requests = object(512);
        for (key, ask) in asks {
            requests = requests.member(key, &ask);
        }
        writer = writer.raw("inputRequests", &requests.finish());
    }
    if let Some(state) = state {
        writer = writer.member("requestState", state);
    }
    writer.identity(identity).finish()
}

/// A modern object that says of itself what the caller wants, a `resultType` or none.
pub(crate) fn object(capacity: usize) -> Writer {
    let mut out = Vec::with_capacity(capacity);
    out.push(b'{');
    Writer { era: Era::Modern, out }
}

impl Writer {
    /// A member from raw JSON.
    #[must_use]
    pub fn raw(mut self, name: &str, json: &[u8]) -> Self {
        self.key(name);
        self.out.extend_from_slice(json);
        self
    }

    /// A member from a value.
    ///
    /// # Panics
    /// When the value cannot be written as JSON (a map whose keys are no strings).
    #[must_use]
    pub fn member(mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Self {
        self.key(name);
        serde_json::to_writer(&mut self.out, value).expect("results are plain JSON");
        self
    }

    /// `ttlMs` and `cacheScope`, in the modern era.
    #[must_use]
    pub fn cache(self, cache: Cache) -> Self {
        if self.era == Era::Legacy {
            return self;
        }
        self.member("ttlMs", &cache.ttl_ms).member("cacheScope", &cache.scope)
    }

    /// The server's identity in `_meta`, in the modern era. For results without a `_meta` of their own.
    #[must_use]
    pub fn identity(self, identity: &Identity) -> Self {
        match self.era {
            Era::Modern => self.raw("_meta", &identity.0),
            Era::Legacy => self,
        }
    }

    /// Closes the object.
    pub fn finish(mut self) -> Bytes {
        self.out.push(b'}');
        self.out.into()
    }

    /// Writes the text block of a tool result: `"content":[{"type":"text","text":…}]`.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.key("content");
        self.out.push(b'[');
        self.text_block(text);
        self.out.push(b']');
        self
    }

    /// Writes the content blocks of a tool result.
    #[must_use]
    pub(crate) fn content(mut self, blocks: &[Content]) -> Self {
        self.key("content");
        self.out.push(b'[');
        for (i, block) in blocks.iter().enumerate() {
            if i > 0 {
                self.out.push(b',');
            }
            match block {
                Content::Text(plain) if plain.annotations.is_none() && plain.meta.is_empty() => {
                    self.text_block(&plain.text);
                }
                block => serde_json::to_writer(&mut self.out, block).expect("content is plain JSON"),
            }
        }
        self.out.push(b']');
        self
    }

    fn text_block(&mut self, text: &str) {
        self.out.extend_from_slice(br#"{"type":"text","text":"#);
        escape(&mut self.out, text);
        self.out.push(b'}');
    }

    fn key(&mut self, name: &str) {
        if self.out.len() > 1 {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

/// Writes a JSON string.
///
/// Tool results are JSON within JSON, where every sixth byte or so is a quote: there, a look at the table
/// for each byte, without a branch, is twice as fast as going from quote to quote.
fn escape(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
    for block in blocks {
        // A loop of a known length without branches: the compiler makes one comparison of all sixteen.
        let plain = block.iter().fold(true, |plain, b| plain & (*b >= 0x20) & (*b != b'"') & (*b != b'\\'));
        if plain { out.extend_from_slice(block) } else { escape_block(out, block) }
    }
    escape_block(out, rest);
    out.push(b'"');
}

/// Bytes that are looked at together.
const BLOCK: usize = 16;
/// Longest escape of a byte: `\u001f`.
const LONGEST: usize = 6;

/// Each byte as it stands in a string (RFC 8259 §7), and last the length of that.
static ESCAPES: [[u8; 8]; 256] = escapes();

const fn escapes() -> [[u8; 8]; 256] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut table = [[0; 8]; 256];
    let mut b: u8 = 0;
    loop {
        table[b as usize] = match b {
            b'"' | b'\\' => [b'\\', b, 0, 0, 0, 0, 0, 2],
            b'\n' => [b'\\', b'n', 0, 0, 0, 0, 0, 2],
            b'\r' => [b'\\', b'r', 0, 0, 0, 0, 0, 2],
            b'\t' => [b'\\', b't', 0, 0, 0, 0, 0, 2],
            0..0x20 => [b'\\', b'u', b'0', b'0', HEX[(b >> 4) as usize], HEX[(b & 15) as usize], 0, LONGEST as u8],
            _ => [b, 0, 0, 0, 0, 0, 0, 1],
        };
        if b == u8::MAX {
            return table;
        }
        b += 1;
    }
}

/// At most a block. Each escape is written whole, and the next over what it did not need.
fn escape_block(out: &mut Vec<u8>, block: &[u8]) {
    let mut escaped = [0; LONGEST * BLOCK + 8];
    let mut n = 0;
    for &b in block {
        let escape = &ESCAPES[usize::from(b)];
        escaped[n..n + 8].copy_from_slice(escape);
        n += usize::from(escape[7]);
    }
    out.extend_from_slice(&escaped[..n]);
}

/// The result of a tool that returned JSON: as text for every model, and as `structuredContent` where
/// the revision takes it (objects since 2025-06-18, anything since 2026-07-28). `json` must be one JSON
/// value: it is copied, not read.
pub fn tool_json(revision: Revision, json: &str, identity: &Identity) -> Bytes {
    let text = json.trim_ascii();
    let structured = match revision {
        Revision::V2026_07_28 => true,
        Revision::V2025_11_25 | Revision::V2025_06_18 => text.starts_with('{'),
        Revision::V2025_03_26 | Revision::V2024_11_05 => false,
    };
    // Once raw, once escaped: the second is a little longer than the first.
    let writer = complete(revision, 2 * text.len() + text.len() / 4 + 128).text(text);
    let writer = if structured { writer.raw("structuredContent", text.as_bytes()) } else { writer };
    writer.identity(identity).finish()
}

/// The result of a tool that failed: the model reads why.
pub fn tool_error(revision: Revision, text: &str, identity: &Identity) -> Bytes {
    complete(revision, text.len() + 128).text(text).raw("isError", b"true").identity(identity).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        let mut info = ServerInfo::default();
        info.implementation.name = "S".into();
        Identity::of(&info)
    }

    fn text(revision: Revision, json: &str) -> String {
        String::from_utf8(tool_json(revision, json, &identity()).to_vec()).unwrap()
    }

    #[test]
    fn an_escaped_text_reads_back_as_it_was() {
        let mut random = fastrand::Rng::with_seed(7);
        let alphabet: Vec<char> = ('\0'..='\u{7f}').chain(['é', '√', '🦀', '"', '"', '\\', '\\']).collect();
        for length in (0..70).chain([1000, 4096]) {
            let text: String = (0..length).map(|_| *random.choice(&alphabet).unwrap()).collect();
            for text in [text.clone(), text.replace(|c: char| c.is_control(), "\"")] {
                let mut out = Vec::new();
                escape(&mut out, &text);
                assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
            }
        }
    }

    #[test]
    fn each_revision_gets_what_it_knows() {
        let text_block = r#""content":[{"type":"text","text":"{\"a\":1}"}]"#;
        assert_eq!(text(Revision::V2025_03_26, r#"{"a":1}"#), format!("{{{text_block}}}"));
        assert_eq!(
            text(Revision::V2025_11_25, r#"{"a":1}"#),
            format!(r#"{{{text_block},"structuredContent":{{"a":1}}}}"#)
        );
        assert_eq!(text(Revision::V2025_11_25, "[1]"), r#"{"content":[{"type":"text","text":"[1]"}]}"#);
        let meta = r#""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"S","version":""}}"#;
        assert_eq!(
            text(Revision::V2026_07_28, "[1]"),
            format!(
                r#"{{"resultType":"complete","content":[{{"type":"text","text":"[1]"}}],"structuredContent":[1],{meta}}}"#
            )
        );
    }
}
