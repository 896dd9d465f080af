//! Writers of `result` objects, for handlers that answer in raw JSON.
//!
//! Who adds what: the server adds the envelope only. Everything inside `result` is the handler's,
//! that is `resultType` and `_meta` in the modern era and cache hints on modern lists. These writers
//! add what the revision wants and leave out what it does not know.

use bytes::Bytes;
pub use micro_mcp_proto::CacheScope;
use micro_mcp_proto::{Era, Revision, meta_key};
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

/// Writes one `result` object, member by member.
#[derive(Debug)]
pub struct Writer {
    era: Era,
    out: Vec<u8>,
}

/// A complete result: begins with `"resultType":"complete"` in the modern era. `capacity` is a guess
/// of its size in bytes.
pub fn complete(revision: Revision, capacity: usize) -> Writer {
    let mut out = Vec::with_capacity(capacity + 64);
    out.push(b'{');
    let mut writer = Writer { era: revision.era(), out };
    if writer.era == Era::Modern {
        writer = writer.raw("resultType", br#""complete""#);
    }
    writer
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
        self.out.extend_from_slice(br#"[{"type":"text","text":"#);
        serde_json::to_writer(&mut self.out, text).expect("a string is plain JSON");
        self.out.extend_from_slice(b"}]");
        self
    }

    fn key(&mut self, name: &str) {
        if self.out.len() > 1 {
            self.out.push(b',');
        }
        serde_json::to_writer(&mut self.out, name).expect("a string is plain JSON");
        self.out.push(b':');
    }
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
