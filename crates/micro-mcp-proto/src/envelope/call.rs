//! `tools/call` in one pass: what nearly every message is.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::Id;
use crate::{
    Meta, Params, meta_key,
    scan::{Scan, as_raw},
};

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
        let text = std::str::from_utf8(bytes).ok()?;
        let mut scan = Scan::of(text);
        let (mut jsonrpc, mut method, mut id, mut params) = (false, false, None, None);
        scan.object(|scan, name| match name {
            "jsonrpc" => once(&mut jsonrpc, scan, r#""2.0""#),
            "method" => once(&mut method, scan, r#""tools/call""#),
            "id" => fill(&mut id, scan),
            "params" => {
                let read = self::params(scan)?;
                params.replace(read).is_none().then_some(())
            }
            "result" | "error" => None,
            _ => scan.value().map(drop),
        })?;
        let id = id.and_then(Id::new)?;
        (jsonrpc && method && scan.is_at_end()).then_some(Self { id, params: params? })
    }
}

fn params<'a>(scan: &mut Scan<'a>) -> Option<Params<'a>> {
    let mut params = Params::default();
    let mut meta = false;
    scan.object(|scan, name| match name {
        "name" => fill(&mut params.name, scan),
        "arguments" => fill(&mut params.arguments, scan),
        "_meta" if !std::mem::replace(&mut meta, true) => self::meta(scan, &mut params.meta),
        "_meta" => None, // twice
        "inputResponses" => fill(&mut params.input_responses, scan),
        "requestState" => fill(&mut params.request_state, scan),
        "uri" => fill(&mut params.uri, scan),
        "taskId" => fill(&mut params.task_id, scan),
        "cursor" => fill(&mut params.cursor, scan),
        _ => scan.value().map(drop),
    })?;
    Some(params)
}

fn meta<'a>(scan: &mut Scan<'a>, meta: &mut Meta<'a>) -> Option<()> {
    scan.object(|scan, name| match name {
        meta_key::PROTOCOL_VERSION => {
            let text = plain(scan.value()?)?;
            meta.protocol_version.replace(Cow::Borrowed(text)).is_none().then_some(())
        }
        meta_key::CLIENT_CAPABILITIES => fill(&mut meta.client_capabilities, scan),
        meta_key::CLIENT_INFO => fill(&mut meta.client_info, scan),
        "progressToken" => {
            let id = Id::new(as_raw(scan.value()?))?;
            meta.progress_token.replace(id).is_none().then_some(())
        }
        meta_key::LOG_LEVEL => None,
        "traceparent" => fill(&mut meta.traceparent, scan),
        "tracestate" => fill(&mut meta.tracestate, scan),
        "baggage" => fill(&mut meta.baggage, scan),
        _ => scan.value().map(drop),
    })
}

/// A member that must have one value, and be there once.
fn once(seen: &mut bool, scan: &mut Scan<'_>, value: &str) -> Option<()> {
    let new = !std::mem::replace(seen, true);
    (new && scan.value()? == value).then_some(())
}

/// A member that may be there once. `null` is not simple: it is as good as nothing, but there.
fn fill<'a>(member: &mut Option<&'a RawValue>, scan: &mut Scan<'a>) -> Option<()> {
    let value = scan.value().filter(|value| *value != "null")?;
    member.replace(as_raw(value)).is_none().then_some(())
}

/// A string without escapes.
fn plain(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"').filter(|text| !text.as_bytes().contains(&b'\\'))
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
