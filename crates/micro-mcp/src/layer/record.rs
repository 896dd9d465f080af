//! What was asked and answered, for tests and audits.

use bytes::Bytes;
use futures_core::future::BoxFuture;
use micro_mcp_proto::{Revision, RpcError};
use serde_json::value::RawValue;

use super::{Layer, Next};
use crate::{Cx, Failure, Request};

/// Who is told.
type Sink = Box<dyn Fn(Recorded<'_>) + Send + Sync>;

/// Tells a closure of every request and its answer. It runs on the way of the call: hand on what takes time.
///
/// ```
/// # use std::sync::{Arc, Mutex};
/// # use micro_mcp::{Layer, NoArgs, Server, client::Client, layer::Record};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello!" }).build()?;
/// let calls = Arc::new(Mutex::new(Vec::new()));
/// let kept = calls.clone();
/// let recorded = Record::to(move |it| kept.lock().unwrap().extend(it.tool.map(str::to_owned)));
/// let client = Client::builder().in_process(recorded.around(Arc::new(server))).await?;
/// client.call("hi").await?;
/// assert_eq!(*calls.lock().unwrap(), ["hi"]);
/// # Ok(())
/// # }
/// ```
pub struct Record(Sink);

/// A request and its answer.
#[derive(Debug)]
pub struct Recorded<'a> {
    /// The revision it was written in.
    pub revision: Revision,
    /// What was asked.
    pub method: &'a str,
    /// The tool, of `tools/call`.
    pub tool: Option<&'a str>,
    /// The arguments of a tool, or the params of anything else.
    pub params: Option<&'a RawValue>,
    /// The raw `result`, or the error.
    pub answer: Result<&'a [u8], &'a RpcError>,
}

impl Record {
    /// Tells `sink`.
    pub fn to(sink: impl Fn(Recorded<'_>) + Send + Sync + 'static) -> Self {
        Self(Box::new(sink))
    }
}

impl Layer for Record {
    fn handle<'a>(
        &'a self,
        cx: &'a Cx<'a>,
        request: &'a Request<'a>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(async move {
            let answer = next.handle(cx, request).await;
            let (tool, params) = match request {
                Request::CallTool(call) => (Some(&*call.name), call.arguments),
                Request::Other { params, .. } => (None, *params),
                Request::ListTools { .. } => (None, None),
            };
            let said = match &answer {
                Ok(result) => Ok(&result[..]),
                Err(failure) => Err(failure.error()),
            };
            (self.0)(Recorded { revision: cx.revision, method: request.method(), tool, params, answer: said });
            answer
        })
    }
}
