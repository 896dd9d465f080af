//! `tools/call` in one pass: what nearly every message is.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, Visitor},
};
use serde_json::value::RawValue;

use super::Id;
use crate::Params;

/// A well-formed `tools/call` request.
///
/// [`crate::parse`] reads a message's outside first and leaves `params` raw for a second look. A tool
/// call needs no raw `params`, so one look is enough; its arguments are the largest part of most messages.
#[derive(Debug, Clone)]
pub struct ToolCall<'a> {
    /// The request's id.
    pub id: Id<'a>,
    /// Its params.
    pub params: Params<'a>,
}

impl<'a> ToolCall<'a> {
    /// Reads a message that is a tool call and nothing is wrong with; `None` for every other, which
    /// [`crate::parse`] reads or refuses.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.starts_with('{'))?;
        let message: Message<'_> = serde_json::from_str(text).ok()?;
        let request = message.jsonrpc.get() == r#""2.0""# && message.result.is_none() && message.error.is_none();
        let id = Id::new(message.id).filter(|_| request)?;
        Some(Self { id, params: message.params })
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    jsonrpc: &'a RawValue,
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(rename = "method", deserialize_with = "tools_call")]
    _method: (),
    #[serde(borrow, deserialize_with = "object")]
    params: Params<'a>,
    result: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
}

/// Fails on another method at once, so that its params are not read for nothing.
fn tools_call<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    let method = <&RawValue>::deserialize(deserializer)?;
    if method.get() == r#""tools/call""# { Ok(()) } else { Err(de::Error::custom("another method")) }
}

/// Derived structs also accept arrays, member by member; here only an object will do.
fn object<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Params<'a>, D::Error> {
    struct Object;
    impl<'de> Visitor<'de> for Object {
        type Value = Params<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Params<'de>, A::Error> {
            Params::deserialize(de::value::MapAccessDeserializer::new(map))
        }
    }
    deserializer.deserialize_map(Object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, parse};

    #[test]
    fn a_tool_call_reads_as_the_long_way_reads_it() {
        let text = r#"{"jsonrpc":"2.0","id":"a","x":[{}],"method":"tools/call","params":{"name":"n","arguments":{"a":1},
            "_meta":{"progressToken":7}}}"#;
        let call = ToolCall::parse(text.as_bytes()).unwrap();
        let Ok(Message::Request { id, params, .. }) = parse(text.as_bytes()) else { panic!("a request") };
        assert_eq!((call.id, format!("{:?}", call.params)), (id, format!("{:?}", Params::parse(params).unwrap())));
    }

    #[test]
    fn whatever_is_not_quite_a_tool_call_goes_the_long_way() {
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#,
            r#"{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":1.5,"method":"tools/call","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{}}"#,
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":[]}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{},"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}} {}"#,
            r#"["2.0",1,"tools/call",{}]"#,
            "",
        ] {
            assert!(ToolCall::parse(text.as_bytes()).is_none(), "{text}");
        }
        assert!(ToolCall::parse(b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\"}").is_none());
    }
}
