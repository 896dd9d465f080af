//! The JSON-RPC envelope, borrowed: one pass over the bytes, everything inside stays raw.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};

use crate::{RpcError, params::as_text};

mod call;
pub mod write;

pub use self::call::ToolCall;

/// One JSON-RPC 2.0 message, borrowed from the bytes it came in.
#[derive(Debug, Clone)]
pub enum Message<'a> {
    /// Wants an answer.
    Request {
        /// Echoed in the answer.
        id: Id<'a>,
        /// What is asked.
        method: Cow<'a, str>,
        /// With what.
        params: Option<&'a RawValue>,
    },
    /// Wants none.
    Notification {
        /// What happened.
        method: Cow<'a, str>,
        /// The details.
        params: Option<&'a RawValue>,
    },
    /// Answers a request of ours.
    Response {
        /// Which one; absent when the peer could not read it.
        id: Option<Id<'a>>,
        /// The raw `result`, or the raw `error`.
        outcome: Result<&'a RawValue, &'a RawValue>,
    },
    /// An array of messages, each still to be parsed. Only revision 2025-03-26 has them.
    Batch(Vec<&'a RawValue>),
}

/// A request id, as the JSON text it was written in: a string with its quotes, or an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id<'a>(&'a str);

/// What is wrong with a message, and the id to answer to if that could be read.
#[derive(Debug, Clone)]
pub struct Malformed<'a> {
    /// The id, when it is valid in itself.
    pub id: Option<Id<'a>>,
    /// `-32700` or `-32600`.
    pub error: RpcError,
}

/// Reads one message. Nesting is no danger: values are skipped without recursion.
///
/// # Errors
/// `-32700` when the bytes are not UTF-8 or not JSON; `-32600` when they are no JSON-RPC message:
/// another `jsonrpc` than `"2.0"`, an id that is neither string nor integer, a member twice, an
/// empty batch.
pub fn parse(bytes: &[u8]) -> Result<Message<'_>, Malformed<'_>> {
    // One check here lets everything below borrow `str` without checking again.
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Malformed { id: None, error: RpcError::parse("Parse error: not valid UTF-8") })?;
    if text.trim_start().starts_with('[') {
        return batch(text);
    }
    let mut draft = Draft::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Fill(&mut draft).deserialize(&mut json).and_then(|()| json.end());
    let id = draft.id.and_then(Id::new);
    let outcome = match read {
        Ok(()) => draft.finish(),
        Err(error) => Err(unreadable(&error)),
    };
    outcome.map_err(|error| Malformed { id, error })
}

fn batch(text: &str) -> Result<Message<'_>, Malformed<'_>> {
    let elements: Result<Vec<&RawValue>, _> = serde_json::from_str(text);
    match elements {
        Ok(elements) if elements.is_empty() => {
            Err(Malformed { id: None, error: RpcError::invalid_request("Invalid request: an empty batch") })
        }
        Ok(elements) => Ok(Message::Batch(elements)),
        Err(error) => Err(Malformed { id: None, error: unreadable(&error) }),
    }
}

fn unreadable(error: &serde_json::Error) -> RpcError {
    match error.classify() {
        Category::Data => RpcError::invalid_request(format!("Invalid request: {error}")),
        Category::Syntax | Category::Eof | Category::Io => RpcError::parse(format!("Parse error: {error}")),
    }
}

// === impl Id ===

impl<'a> Id<'a> {
    /// The id of this JSON value, if it is a string or an integer.
    pub fn new(raw: &'a RawValue) -> Option<Self> {
        let text = raw.get();
        let digits = text.strip_prefix('-').unwrap_or(text);
        let integer = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        (integer || text.starts_with('"')).then_some(Self(text))
    }

    /// The JSON text, byte for byte as the peer wrote it.
    pub fn as_str(self) -> &'a str {
        self.0
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

// === impl Draft ===

/// What has been read so far; it outlives a syntax error, so that an id before it can be echoed.
#[derive(Default)]
struct Draft<'a> {
    jsonrpc: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    params: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    twice: Option<&'static str>,
}

impl<'a> Draft<'a> {
    fn finish(self) -> Result<Message<'a>, RpcError> {
        let invalid = |what: &'static str| Err(RpcError::invalid_request(what));
        if let Some(member) = self.twice {
            return Err(RpcError::invalid_request(format!("Invalid request: {member} appears twice")));
        }
        if self.jsonrpc.map(RawValue::get) != Some(r#""2.0""#) {
            return invalid("Invalid request: jsonrpc must be \"2.0\"");
        }
        let Some(method) = self.method else { return self.response() };
        let Ok(method) = as_text(method) else { return invalid("Invalid request: method must be a string") };
        if self.result.is_some() || self.error.is_some() {
            return invalid("Invalid request: both a request and a response");
        }
        let params = self.params.filter(|raw| raw.get() != "null");
        match self.id.map(Id::new) {
            None => Ok(Message::Notification { method, params }),
            Some(Some(id)) => Ok(Message::Request { id, method, params }),
            Some(None) => invalid("Invalid request: id must be a string or an integer"),
        }
    }

    fn response(self) -> Result<Message<'a>, RpcError> {
        let id = match self.id {
            // Peers older than 2026-07-28 write null when they could not read the id.
            None => None,
            Some(raw) if raw.get() == "null" && self.error.is_some() => None,
            Some(raw) => Some(
                Id::new(raw)
                    .ok_or_else(|| RpcError::invalid_request("Invalid request: id must be a string or an integer"))?,
            ),
        };
        match (self.result, self.error) {
            (Some(result), None) if id.is_some() => Ok(Message::Response { id, outcome: Ok(result) }),
            (None, Some(error)) => Ok(Message::Response { id, outcome: Err(error) }),
            _ => Err(RpcError::invalid_request("Invalid request: neither a request nor a response")),
        }
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Jsonrpc,
    Id,
    Method,
    Params,
    Result,
    Error,
    #[serde(other)]
    Unknown,
}

struct Fill<'d, 'a>(&'d mut Draft<'a>);

impl<'de> DeserializeSeed<'de> for Fill<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let draft = self.0;
        while let Some(key) = map.next_key()? {
            let (member, name) = match key {
                Key::Jsonrpc => (&mut draft.jsonrpc, "jsonrpc"),
                Key::Id => (&mut draft.id, "id"),
                Key::Method => (&mut draft.method, "method"),
                Key::Params => (&mut draft.params, "params"),
                Key::Result => (&mut draft.result, "result"),
                Key::Error => (&mut draft.error, "error"),
                Key::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if member.replace(map.next_value()?).is_some() {
                draft.twice = Some(name);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
