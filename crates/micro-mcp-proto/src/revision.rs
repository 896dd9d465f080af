//! Protocol revisions, the two eras, and how a server tells them apart (`basic/versioning`).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Meta, RpcError};

/// A revision of MCP, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// The first one.
    V2024_11_05,
    /// Streamable HTTP; the only one with JSON-RPC batches.
    V2025_03_26,
    /// Structured tool output, elicitation.
    V2025_06_18,
    /// The last one with sessions.
    V2025_11_25,
    /// Stateless: every request says who asks and in which version.
    V2026_07_28,
}

/// How a conversation is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Era {
    /// 2026-07-28 and later: each request stands alone.
    Modern,
    /// 2025-11-25 and earlier: `initialize` comes first.
    Legacy,
}

impl Revision {
    /// Every revision, newest first, as lists of supported versions show them.
    pub const ALL: [Self; 5] =
        [Self::V2026_07_28, Self::V2025_11_25, Self::V2025_06_18, Self::V2025_03_26, Self::V2024_11_05];
    /// The newest revision.
    pub const LATEST: Self = Self::V2026_07_28;
    /// The newest revision with sessions; what `initialize` is answered with when nothing matches.
    pub const LATEST_LEGACY: Self = Self::V2025_11_25;

    /// The `YYYY-MM-DD` string.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The revision of this string; versions are opaque, so nothing else matches.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }

    /// The era it belongs to.
    pub const fn era(self) -> Era {
        match self {
            Self::V2026_07_28 => Era::Modern,
            _ => Era::Legacy,
        }
    }

    /// What a server answers to `initialize`: the asked revision if it has sessions, else its own latest that has.
    pub fn negotiate(requested: &str) -> Self {
        Self::parse(requested).filter(|r| r.era() == Era::Legacy).unwrap_or(Self::LATEST_LEGACY)
    }
}

impl Era {
    /// Which era a request belongs to. The body decides: a version in `_meta` is modern, `initialize`
    /// without one is legacy. `header` is `MCP-Protocol-Version`, if the transport has it.
    ///
    /// # Errors
    /// `-32602` when the body claims nothing but the header names a modern version: the request is
    /// modern and lacks its `_meta` keys.
    pub fn of(method: &str, meta: &Meta<'_>, header: Option<&str>) -> Result<Self, RpcError> {
        if meta.protocol_version.is_some() {
            return Ok(Self::Modern);
        }
        if method != "initialize" && header.and_then(Revision::parse).is_some_and(|r| r.era() == Self::Modern) {
            return Err(Meta::missing(crate::meta_key::PROTOCOL_VERSION));
        }
        Ok(Self::Legacy)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Revision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Revision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("an unknown protocol version"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;

    fn era(method: &str, meta: &str, header: Option<&str>) -> Result<Era, i32> {
        let text = format!(r#"{{"_meta":{meta}}}"#);
        let raw = serde_json::from_str(&text).unwrap();
        let params = Params::parse(Some(raw)).unwrap();
        Era::of(method, &params.meta, header).map_err(|e| e.code)
    }

    #[test]
    fn the_body_decides_the_era() {
        let claim = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;
        assert_eq!(era("tools/list", claim, Some("2025-11-25")), Ok(Era::Modern));
        assert_eq!(era("initialize", claim, None), Ok(Era::Modern));
        assert_eq!(era("initialize", "{}", Some("2026-07-28")), Ok(Era::Legacy));
        assert_eq!(era("tools/list", "{}", None), Ok(Era::Legacy));
        assert_eq!(era("tools/list", "{}", Some("1999-01-01")), Ok(Era::Legacy));
        assert_eq!(era("tools/list", "{}", Some("2026-07-28")), Err(-32602));
    }

    #[test]
    fn initialize_never_yields_a_stateless_revision() {
        assert_eq!(Revision::negotiate("2025-03-26"), Revision::V2025_03_26);
        assert_eq!(Revision::negotiate("2026-07-28"), Revision::V2025_11_25);
        assert_eq!(Revision::negotiate("1.0"), Revision::V2025_11_25);
    }
}
