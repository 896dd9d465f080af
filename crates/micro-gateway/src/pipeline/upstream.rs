//! How a tool is called: an endpoint of a Micro service, over RPC.

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::StreamExt;
use jiff::Timestamp;
use micro_core::{Context, Error, Metadata, Result, TraceContext, header};
use micro_policy::{Asserter, Assertion, Caller};
use micro_rpc::{Caller as _, Client, Items, Outgoing, Reply};

use super::{Call, Json, Progress};
use crate::Tool;

/// Largest list a streaming endpoint may add up to, in bytes.
const MAX_STREAMED: usize = 16 * 1024 * 1024;

pub(super) async fn call(
    client: &Client,
    asserter: Option<&Asserter>,
    caller: &Caller,
    call: &Call<'_>,
    tool: &Tool,
    arguments: &str,
) -> Result<Json> {
    let cx = Context { metadata: metadata(asserter, caller, call, tool), deadline: None };
    let outgoing = Outgoing {
        service: tool.service.clone(),
        endpoint: tool.endpoint.clone(),
        cx,
        body: Bytes::copy_from_slice(arguments.as_bytes()), // the front's buffer lives shorter than the call may
        idempotent: tool.descriptor.hints.idempotent || tool.descriptor.hints.read_only,
        timeout: tool.descriptor.timeout,
    };
    match client.call(outgoing).await? {
        Reply::Value(json) if json.is_empty() => Ok(Json(Bytes::from_static(b"null"))),
        // The service may be anyone's: what it sends must be JSON before it is put into JSON.
        Reply::Value(json) => Json::checked(json).map_err(|error| {
            Error::internal(format!("`{}` answered with something else than JSON", tool.service)).with_source(error)
        }),
        Reply::Stream(items) => collect(items, call.progress).await,
    }
}

/// Identity is asserted here and nowhere else: what came from outside under these names is not read.
fn metadata(asserter: Option<&Asserter>, caller: &Caller, call: &Call<'_>, tool: &Tool) -> Metadata {
    let mut metadata = Metadata::default();
    let span = TraceContext { span: new_span(), ..call.trace };
    metadata.set(header::TRACEPARENT, span.to_string());
    metadata.set(header::TRACE_ID, call.trace.id.to_string());
    metadata.set(header::TOOL_NAME, tool.name.canonical.as_str());
    let assertion = Assertion::of(caller);
    assertion.write(&mut metadata);
    if let Some(asserter) = asserter {
        let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
        metadata.set(header::ASSERTION, &*asserter.sign(&assertion, &tool.service, now));
    }
    metadata
}

/// A span id; it only has to differ from its siblings.
fn new_span() -> [u8; 8] {
    fastrand::u64(1..).to_be_bytes()
}

/// Tells of each item as it comes and answers `{"items":[…]}` at the end.
async fn collect(mut items: Items, progress: &dyn Progress) -> Result<Json> {
    let mut all = BytesMut::from(&br#"{"items":["#[..]);
    let mut n = 0;
    while let Some(item) = items.next().await {
        let item = item?;
        if all.len() + item.len() > MAX_STREAMED {
            return Err(Error::too_large(format!(
                "the stream is longer than {MAX_STREAMED} bytes; ask for less of it"
            )));
        }
        n += 1;
        if n > 1 {
            all.put_u8(b',');
        }
        all.put_slice(&item);
        progress.item(n, &String::from_utf8_lossy(&item)).await;
    }
    all.put_slice(b"]}");
    Json::checked(all.freeze()).map_err(|e| Error::internal("the stream's items are not JSON").with_source(e))
}
