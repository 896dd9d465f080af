//! Envelopes around bytes that are JSON already: one allocation each.

use serde::Serialize;

use super::Id;
use crate::{LogLevel, RpcError};

/// `{"jsonrpc":"2.0","id":…,"result":…}` around the raw JSON of a result.
pub fn response(id: Id<'_>, result: &[u8]) -> Vec<u8> {
    let mut out = response_head(id, result.len() + 1);
    out.extend_from_slice(result);
    out.push(b'}');
    out
}

/// What a response begins with: the raw JSON of the result and a closing brace are to follow, for which there is
/// room for so many bytes. The room is exact, since what is left of it costs whoever shares the bytes an allocation.
pub fn response_head(id: Id<'_>, room: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + id.as_str().len() + room);
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    out.extend_from_slice(id.as_str().as_bytes());
    out.extend_from_slice(br#","result":"#);
    out
}

/// An error response; without an id when it could not be read (2026-07-28 omits it, and never writes null).
pub fn error(id: Option<Id<'_>>, error: &RpcError) -> Vec<u8> {
    let mut out = Vec::with_capacity(96 + error.message.len());
    out.extend_from_slice(br#"{"jsonrpc":"2.0","#);
    if let Some(id) = id {
        out.extend_from_slice(br#""id":"#);
        out.extend_from_slice(id.as_str().as_bytes());
        out.push(b',');
    }
    out.extend_from_slice(br#""error":"#);
    json(&mut out, error);
    out.push(b'}');
    out
}

/// A notification around the raw JSON of its params.
pub fn notification(method: &str, params: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(48 + method.len() + params.map_or(0, <[u8]>::len));
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"#);
    json(&mut out, method);
    if let Some(params) = params {
        out.extend_from_slice(br#","params":"#);
        out.extend_from_slice(params);
    }
    out.push(b'}');
    out
}

/// A request with a string id, around the raw JSON of its params.
pub fn request(id: &str, method: &str, params: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(56 + id.len() + method.len() + params.len());
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    json(&mut out, id);
    out.extend_from_slice(br#","method":"#);
    json(&mut out, method);
    out.extend_from_slice(br#","params":"#);
    out.extend_from_slice(params);
    out.push(b'}');
    out
}

/// `notifications/progress`; see `basic/patterns/progress`. `progress` must grow with every call.
pub fn progress(token: Id<'_>, progress: f64, total: Option<f64>, message: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + token.as_str().len() + message.map_or(0, str::len));
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"#);
    out.extend_from_slice(token.as_str().as_bytes());
    out.extend_from_slice(br#","progress":"#);
    number(&mut out, progress);
    if let Some(total) = total {
        out.extend_from_slice(br#","total":"#);
        number(&mut out, total);
    }
    if let Some(message) = message {
        out.extend_from_slice(br#","message":"#);
        json(&mut out, message);
    }
    out.extend_from_slice(b"}}");
    out
}

/// `notifications/message`; `data` is any JSON.
pub fn log(level: LogLevel, logger: Option<&str>, data: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"#);
    json(&mut out, &level);
    if let Some(logger) = logger {
        out.extend_from_slice(br#","logger":"#);
        json(&mut out, logger);
    }
    out.extend_from_slice(br#","data":"#);
    json(&mut out, data);
    out.extend_from_slice(b"}}");
    out
}

/// Whole numbers without a fraction, as peers with integer types expect.
fn number(out: &mut Vec<u8>, value: f64) {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        json(out, &(value as i64));
    } else {
        json(out, &value); // infinities become null
    }
}

/// Appends a value as JSON; one that cannot be written (a map with odd keys) becomes `null`.
fn json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, parse};

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn answers_echo_the_id_byte_for_byte() {
        let Ok(Message::Request { id, .. }) = parse(br#"{"jsonrpc":"2.0","id":"\u0061","method":"x"}"#) else {
            panic!("a request")
        };
        assert_eq!(text(response(id, b"{}")), r#"{"jsonrpc":"2.0","id":"\u0061","result":{}}"#);
        let wrong = RpcError::new(-1, "no");
        assert_eq!(
            text(error(Some(id), &wrong)),
            r#"{"jsonrpc":"2.0","id":"\u0061","error":{"code":-1,"message":"no"}}"#
        );
        assert_eq!(text(error(None, &wrong)), r#"{"jsonrpc":"2.0","error":{"code":-1,"message":"no"}}"#);
    }

    #[test]
    fn progress_writes_whole_numbers_whole() {
        let raw: &serde_json::value::RawValue = serde_json::from_str("7").unwrap();
        let line = text(progress(Id::new(raw).unwrap(), 50.0, Some(99.5), Some("\"half\"\n")));
        assert!(line.ends_with(r#"{"progressToken":7,"progress":50,"total":99.5,"message":"\"half\"\n"}}"#), "{line}");
    }
}
