//! HTTP: status codes, media types and the headers that mirror the body (`basic/transports`).

use http::{HeaderName, HeaderValue, Method, header};
use micro_mcp::proto::{Era, Revision, headers};
use serde_json::{Value, json};

use super::{Answer, Finding, ask::Ask, fail, lists::ListKind, probe::Probe, skip, want};

/// A tool that nobody has; asking for it is safe.
pub(super) const NO_TOOL: &str = "micro-validate-no-such-tool";
/// A page that no server of ours or theirs lets in.
const ATTACKER: &str = "http://attacker.example";

pub(super) async fn media(p: &mut Probe) -> Finding {
    let ask = p.simple();
    let answer = p.send(ask).await;
    let media = answer.media();
    want(["application/json", "text/event-stream"].contains(&media.as_str()), || format!("the answer is `{media}`"))
}

pub(super) async fn stream_ends(p: &mut Probe) -> Finding {
    let answer = streamed(p).await?;
    want(answer.ended, || "the stream stayed open after the response".to_owned())
}

pub(super) async fn unbuffered(p: &mut Probe) -> Finding {
    let answer = streamed(p).await?;
    let told = answer.headers.get("x-accel-buffering").is_some_and(|value| value == "no");
    want(told, || "no `X-Accel-Buffering: no`".to_owned())
}

async fn streamed(p: &mut Probe) -> Result<Answer, super::No> {
    let ask = p.simple();
    let answer = p.send(ask).await;
    if answer.media() == "text/event-stream" { Ok(answer) } else { Err(skip("it answers with JSON")) }
}

async fn from_attacker(p: &mut Probe) -> Answer {
    let ask = p.simple().header(&header::ORIGIN, Some(ATTACKER));
    p.send(ask).await
}

pub(super) async fn origin_refused(p: &mut Probe) -> Finding {
    let answer = from_attacker(p).await;
    answer.is_refused()?;
    answer.is_no_result()
}

pub(super) async fn origin_status(p: &mut Probe) -> Finding {
    from_attacker(p).await.has_status(403)
}

pub(super) async fn get(p: &mut Probe) -> Finding {
    let mut ask = p.notification("", json!({})).header(&header::ACCEPT, Some("text/event-stream"));
    (ask.method, ask.body) = (Method::GET, Value::Null);
    ask.headers.remove(header::CONTENT_TYPE);
    let legacy = p.spoken.iter().any(|revision| revision.era() == Era::Legacy);
    if p.is_modern() && legacy {
        return Err(skip("the endpoint also serves legacy versions, which have GET"));
    }
    // A stream that is open stays so: its head is enough.
    let answer = p.head(ask).await;
    match answer.status.map(|status| status.as_u16()) {
        Some(405) => Ok(()),
        Some(200) if !p.is_modern() && answer.media() == "text/event-stream" => Ok(()),
        _ if p.is_modern() => Err(fail(format!("expected HTTP 405, {}", answer.seen()))),
        _ => Err(fail(format!("expected an event stream or HTTP 405, {}", answer.seen()))),
    }
}

pub(super) async fn bad_version(p: &mut Probe) -> Finding {
    let ask = p.simple().header(&headers::PROTOCOL_VERSION, Some("1900-01-01"));
    let answer = p.send(ask).await;
    answer.is_no_result()?;
    answer.has_status(400)
}

pub(super) async fn no_version(p: &mut Probe) -> Finding {
    if !p.spoken.contains(&Revision::V2025_03_26) {
        return Err(skip("it does not speak 2025-03-26, which the header's absence stands for"));
    }
    let ask = p.simple().header(&headers::PROTOCOL_VERSION, None);
    p.send(ask).await.result().map(|_| ())
}

pub(super) async fn no_session(p: &mut Probe) -> Finding {
    let ask = p.simple().header(&headers::SESSION_ID, Some("made-up-session"));
    let answer = p.send(ask).await;
    answer.result()?;
    want(!answer.headers.contains_key(&headers::SESSION_ID), || "the answer has a session id".to_owned())
}

// Headers that mirror the body, in the modern era.

/// The request is refused because header and body do not agree.
async fn mismatch(p: &mut Probe, ask: Ask) -> Finding {
    let answer = p.send(ask).await;
    answer.is_error(-32020)?;
    answer.has_status(400)
}

async fn altered(p: &mut Probe, name: &HeaderName, value: Option<&str>) -> Finding {
    let ask = p.simple().header(name, value);
    mismatch(p, ask).await
}

pub(super) async fn version_missing(p: &mut Probe) -> Finding {
    if p.spoken.iter().any(|revision| *revision < Revision::V2025_06_18) {
        return Err(skip("it also serves versions that have no such header"));
    }
    altered(p, &headers::PROTOCOL_VERSION, None).await
}

pub(super) async fn version_differs(p: &mut Probe) -> Finding {
    altered(p, &headers::PROTOCOL_VERSION, Some("2025-11-25")).await
}

pub(super) async fn method_missing(p: &mut Probe) -> Finding {
    altered(p, &headers::METHOD, None).await
}

pub(super) async fn method_differs(p: &mut Probe) -> Finding {
    altered(p, &headers::METHOD, Some("tools/list")).await
}

pub(super) async fn method_case(p: &mut Probe) -> Finding {
    altered(p, &headers::METHOD, Some("Server/Discover")).await
}

/// A call of a tool that is not there, under another name in the header.
async fn named(p: &mut Probe, tool: &str, header: Option<&str>) -> Result<Ask, super::No> {
    if !p.declares("tools") {
        return Err(skip("it does not declare `tools`"));
    }
    Ok(p.request("tools/call", json!({ "name": tool, "arguments": {} })).header(&headers::NAME, header))
}

pub(super) async fn name_missing(p: &mut Probe) -> Finding {
    let ask = named(p, NO_TOOL, None).await?;
    mismatch(p, ask).await
}

pub(super) async fn name_differs(p: &mut Probe) -> Finding {
    let ask = named(p, NO_TOOL, Some("another-tool")).await?;
    mismatch(p, ask).await
}

pub(super) async fn name_encoded(p: &mut Probe) -> Finding {
    let tool = "micro-validate-nön-existent";
    let ask = named(p, tool, Some(&headers::encode(tool))).await?;
    let answer = p.send(ask).await;
    want(answer.code().ok() != Some(-32020), || format!("the encoded name was not decoded, {}", answer.seen()))
}

pub(super) async fn name_garbled(p: &mut Probe) -> Finding {
    let ask = named(p, NO_TOOL, Some("=?base64?!!!?=")).await?;
    mismatch(p, ask).await
}

pub(super) async fn param_missing(p: &mut Probe) -> Finding {
    let tools = p.list(ListKind::Tools).await?;
    for tool in tools {
        let Some(name) = tool["name"].as_str().map(str::to_owned) else { continue };
        let Some((argument, kind)) = mirrored(&tool) else { continue };
        if !super::tools::may_call(p, &tool) {
            continue;
        }
        let mut arguments = super::tools::sample(&tool["inputSchema"]);
        arguments[argument] = if kind == "string" {
            json!("x")
        } else if kind == "boolean" {
            json!(true)
        } else {
            json!(1)
        };
        let ask = p.request("tools/call", json!({ "name": name, "arguments": arguments }));
        return mismatch(p, ask).await;
    }
    Err(skip("no tool that may be called has an `x-mcp-header`"))
}

/// The first argument at the root of a schema that is mirrored, and its type.
fn mirrored(tool: &Value) -> Option<(String, String)> {
    let properties = tool["inputSchema"]["properties"].as_object()?;
    let (name, schema) = properties.iter().find(|(_, schema)| schema["x-mcp-header"].is_string())?;
    Some((name.clone(), schema["type"].as_str()?.to_owned()))
}

// Who may come in.

pub(super) async fn challenge(p: &mut Probe) -> Finding {
    if !p.target.headers.contains_key(header::AUTHORIZATION) {
        return Err(skip("it takes requests without a token"));
    }
    let mut ask = p.simple();
    ask.credentials = false;
    let answer = p.send(ask).await;
    if answer.result().is_ok() {
        return Err(skip("it takes requests without a token"));
    }
    answer.has_status(401)?;
    let challenge = answer.headers.get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    want(challenge.is_some(), || "a 401 without `WWW-Authenticate`".to_owned())
}

pub(super) async fn foreign_token(p: &mut Probe) -> Finding {
    if !p.target.headers.contains_key(header::AUTHORIZATION) {
        return Err(skip("it takes requests without a token"));
    }
    let mut ask = p.simple();
    ask.credentials = false;
    ask.headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer micro-validate-made-up"));
    let answer = p.send(ask).await;
    answer.has_status(401)?;
    answer.is_no_result()
}
