//! What every request's `params` may hold, read in one pass; values stay raw until someone needs them.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

use crate::{ClientCapabilities, Id, RpcError};

/// Keys of `_meta` that the specification reserves (`basic/index`, "`_meta`").
pub mod meta_key {
    /// Request: the version it is written in. Required in the modern era.
    pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    /// Request: what the client can do. Required in the modern era.
    pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    /// Request: the client's name and version.
    pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
    /// Request: which log messages to send.
    pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
    /// Result: the server's name and version.
    pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
    /// Notification: the id of the `subscriptions/listen` request it answers.
    pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
}

/// The members of `params` that MCP gives a meaning. Unknown ones are skipped, double ones refused.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Params<'a> {
    /// `_meta`; empty when absent.
    #[serde(borrow, default, rename = "_meta", deserialize_with = "object")]
    pub meta: Meta<'a>,
    /// Name of a tool or prompt.
    #[serde(borrow)]
    pub name: Option<&'a RawValue>,
    /// URI of a resource.
    #[serde(borrow)]
    pub uri: Option<&'a RawValue>,
    /// Name of a task (tasks extension of 2026-07-28).
    #[serde(borrow)]
    pub task_id: Option<&'a RawValue>,
    /// Where a list goes on.
    #[serde(borrow)]
    pub cursor: Option<&'a RawValue>,
    /// Arguments of a tool or prompt.
    #[serde(borrow)]
    pub arguments: Option<&'a RawValue>,
    /// Answers to the `inputRequests` of an earlier result (2026-07-28).
    #[serde(borrow)]
    pub input_responses: Option<&'a RawValue>,
    /// State the server handed out with them (2026-07-28).
    #[serde(borrow)]
    pub request_state: Option<&'a RawValue>,
}

/// A request's `_meta`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Meta<'a> {
    /// The version the request is written in; its presence makes the request modern.
    #[serde(borrow, default, rename = "io.modelcontextprotocol/protocolVersion", deserialize_with = "text")]
    pub protocol_version: Option<Cow<'a, str>>,
    /// A ClientCapabilities object; see [`Meta::capabilities`].
    #[serde(borrow, rename = "io.modelcontextprotocol/clientCapabilities")]
    pub client_capabilities: Option<&'a RawValue>,
    /// An Implementation object. Unverified: for display and logs only.
    #[serde(borrow, rename = "io.modelcontextprotocol/clientInfo")]
    pub client_info: Option<&'a RawValue>,
    /// Log messages at this level and above may be sent with the answer.
    #[serde(default, rename = "io.modelcontextprotocol/logLevel")]
    pub log_level: Option<LogLevel>,
    /// Set when the client wants progress notifications.
    #[serde(borrow, default, rename = "progressToken", deserialize_with = "id")]
    pub progress_token: Option<Id<'a>>,
    /// W3C trace context; see [`Meta::traceparent`].
    #[serde(borrow)]
    pub(crate) traceparent: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) tracestate: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) baggage: Option<&'a RawValue>,
}

/// Severity of a log message, lowest first (RFC 5424 names).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl<'a> Params<'a> {
    /// Reads `params`; absent ones are empty.
    ///
    /// # Errors
    /// `-32602` when they are no object, hold a member twice, or `_meta` has a value of the wrong type.
    pub fn parse(raw: Option<&'a RawValue>) -> Result<Self, RpcError> {
        let Some(raw) = raw else { return Ok(Self::default()) };
        if !is_object(raw) {
            return Err(RpcError::invalid_params("params must be an object"));
        }
        serde_json::from_str(raw.get()).map_err(|e| RpcError::invalid_params(format!("Invalid params: {e}")))
    }

    /// A member that must be a string, such as `name` of `tools/call`.
    ///
    /// # Errors
    /// `-32602` when it is absent or no string.
    pub fn string(value: Option<&'a RawValue>, member: &'static str) -> Result<Cow<'a, str>, RpcError> {
        Self::optional_string(value, member)?
            .ok_or_else(|| RpcError::invalid_params(format!("params.{member} is required")))
    }

    /// A member that is a string or absent, such as `cursor`. An empty string is a value.
    ///
    /// # Errors
    /// `-32602` when it is something else.
    pub fn optional_string(
        value: Option<&'a RawValue>,
        member: &'static str,
    ) -> Result<Option<Cow<'a, str>>, RpcError> {
        let wrong = |_| RpcError::invalid_params(format!("params.{member} must be a string"));
        value.map(|raw| as_text(raw).map_err(wrong)).transpose()
    }

    /// `arguments`, which are an object or absent.
    ///
    /// # Errors
    /// `-32602` when they are something else.
    pub fn arguments(&self) -> Result<Option<&'a RawValue>, RpcError> {
        match self.arguments {
            Some(raw) if !is_object(raw) => Err(RpcError::invalid_params("params.arguments must be an object")),
            arguments => Ok(arguments),
        }
    }
}

impl<'a> Meta<'a> {
    /// What the client says it can do, on this request.
    pub fn capabilities(&self) -> ClientCapabilities {
        self.client_capabilities.map(ClientCapabilities::parse).unwrap_or_default()
    }

    /// The W3C `traceparent`, if it is a string.
    pub fn traceparent(&self) -> Option<Cow<'a, str>> {
        self.traceparent.and_then(|raw| as_text(raw).ok())
    }

    /// The W3C `tracestate`, if it is a string.
    pub fn tracestate(&self) -> Option<Cow<'a, str>> {
        self.tracestate.and_then(|raw| as_text(raw).ok())
    }

    /// The W3C `baggage`, if it is a string.
    pub fn baggage(&self) -> Option<Cow<'a, str>> {
        self.baggage.and_then(|raw| as_text(raw).ok())
    }

    /// The error for a modern request without one of its two required keys.
    pub fn missing(key: &'static str) -> RpcError {
        RpcError::invalid_params(format!("params._meta[\"{key}\"] is required"))
    }
}

impl LogLevel {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }
}

pub(crate) fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

/// A JSON string, borrowed unless it has escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

pub(crate) fn as_text(raw: &RawValue) -> Result<Cow<'_, str>, serde_json::Error> {
    // JSON that was read already: between quotes and without an escape it is what it says.
    let quoted = raw.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    if let Some(plain) = quoted.filter(|text| !text.as_bytes().contains(&b'\\')) {
        return Ok(Cow::Borrowed(plain));
    }
    serde_json::from_str::<Text<'_>>(raw.get()).map(|text| text.0)
}

fn text<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    Ok(Option::<Text<'a>>::deserialize(deserializer)?.map(|text| text.0))
}

fn id<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Id<'a>>, D::Error> {
    let Some(raw) = Option::<&'a RawValue>::deserialize(deserializer)? else { return Ok(None) };
    Id::new(raw).map(Some).ok_or_else(|| de::Error::custom("progressToken must be a string or an integer"))
}

/// Derived structs also accept arrays, member by member; here only an object will do.
fn object<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Meta<'a>, D::Error> {
    struct Object;
    impl<'de> de::Visitor<'de> for Object {
        type Value = Meta<'de>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object at _meta")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Meta<'de>, A::Error> {
            Meta::deserialize(de::value::MapAccessDeserializer::new(map))
        }
    }
    deserializer.deserialize_map(Object)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Params<'_>, RpcError> {
        Params::parse(Some(serde_json::from_str(text).unwrap()))
    }

    #[test]
    fn values_stay_as_they_were_written() {
        let params =
            parse(r#"{"name":"a\u0062","arguments":{ "x" : 1.0 },"_meta":{"progressToken":7,"traceparent":5}}"#)
                .unwrap();
        assert_eq!(Params::string(params.name, "name").unwrap(), "ab");
        assert_eq!(params.arguments().unwrap().unwrap().get(), r#"{ "x" : 1.0 }"#);
        assert_eq!(params.meta.progress_token.unwrap().as_str(), "7");
        assert_eq!(params.meta.traceparent(), None, "a bad trace never fails a call");
    }

    #[test]
    fn wrong_shapes_are_invalid_params() {
        for text in [
            "[]",
            r#"{"_meta":[]}"#,
            r#"{"_meta":7}"#,
            r#"{"name":"a","name":"b"}"#,
            r#"{"_meta":{"progressToken":1.5}}"#,
            r#"{"_meta":{"io.modelcontextprotocol/logLevel":"loud"}}"#,
            r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"a","io.modelcontextprotocol/protocolVersion":"b"}}"#,
        ] {
            assert_eq!(parse(text).unwrap_err().code, -32602, "{text}");
        }
        let params = parse(r#"{"name":7,"arguments":[]}"#).unwrap();
        assert!(Params::string(params.name, "name").is_err());
        assert!(params.arguments().is_err());
    }
}
