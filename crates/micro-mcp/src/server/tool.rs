//! Tools: closures from typed arguments to something a model can read.

use std::future::{Future, ready};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use micro_core::{Schema, Validator, Violation};
use micro_mcp_proto::{
    CallToolResult, Content, Era, Revision, RpcError, code,
    headers::{self, ParamHeader},
    meta_key,
};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use super::{CallContext, CallError, tasks::Plan};
use crate::{
    Cx,
    result::{self, Identity},
};

/// What a tool may return.
///
/// ```
/// # use micro_mcp::{IntoToolResult, proto::{Content, Resource}};
/// let words = "Here it is.".into_tool_result();
/// let report = vec![Content::text("Sales rose."), Content::image("iVBORw0KGgo=", "image/png")].into_tool_result();
/// let nothing = ().into_tool_result();
/// let failed = Err::<(), _>("the printer is on fire").into_tool_result(); // `isError`
/// assert!(words.is_ok() && report.is_ok() && nothing.is_ok() && failed.is_err());
/// ```
pub trait IntoToolResult {
    /// The schema of its value for programs, when all of them are of one type. Default: none.
    fn output_schema() -> Option<Schema>
    where
        Self: Sized,
    {
        None
    }

    /// As the protocol has it.
    ///
    /// # Errors
    /// Whatever the tool failed with.
    fn into_tool_result(self) -> Result<CallToolResult, CallError>;
}

/// A value for programs (`structuredContent`), and as text for models. Its schema becomes the tool's output schema.
///
/// ```
/// # use std::sync::Arc;
/// # use micro_mcp::{Json, NoArgs, Server, client::Client};
/// #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// struct Weather {
///     /// In degrees Celsius.
///     temperature: f64,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder("weather", "1.0")
///     .tool("now").handler(|_: NoArgs| async { Json(Weather { temperature: 21.5 }) })
///     .build()?;
/// let client = Client::builder().in_process(Arc::new(server)).await?;
/// let now: Weather = client.call("now").json().await?;
/// assert_eq!(now.temperature, 21.5);
/// assert!(client.tools().await?[0].output_schema.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

/// Arguments of a tool that takes none.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoArgs {}

impl IntoToolResult for CallToolResult {
    fn into_tool_result(self) -> Result<CallToolResult, CallError> {
        Ok(self)
    }
}

/// Nothing to say: it is done.
impl IntoToolResult for () {
    fn into_tool_result(self) -> Result<CallToolResult, CallError> {
        Ok(CallToolResult::default())
    }
}

impl IntoToolResult for String {
    fn into_tool_result(self) -> Result<CallToolResult, CallError> {
        Ok(CallToolResult::text(self))
    }
}

impl IntoToolResult for &str {
    fn into_tool_result(self) -> Result<CallToolResult, CallError> {
        Ok(CallToolResult::text(self))
    }
}

impl IntoToolResult for Content {
    fn into_tool_result(self) -> Result<CallToolResult, CallError> {
        Ok(CallToolResult::new([self]))
    }
}

impl IntoToolResult for Vec<Content> {
    fn into_tool_result(self) -> Result<CallToolResult, CallError> {
        Ok(CallToolResult::new(self))
    }
}

impl<T: Serialize + JsonSchema> IntoToolResult for Json<T> {
    fn output_schema() -> Option<Schema> {
        Some(schema_of::<T>())
    }

    fn into_tool_result(self) -> Result<CallToolResult, CallError> {
        let value = serde_json::to_value(self.0).map_err(|error| {
            tracing::error!(%error, "a tool's result cannot be written as JSON");
            CallError::Rpc(RpcError::internal())
        })?;
        Ok(CallToolResult::structured(value))
    }
}

impl<T: IntoToolResult, E: Into<CallError>> IntoToolResult for Result<T, E> {
    fn output_schema() -> Option<Schema> {
        T::output_schema()
    }

    fn into_tool_result(self) -> Result<CallToolResult, CallError> {
        self.map_err(Into::into)?.into_tool_result()
    }
}

/// A closure that can be a tool: `Fn(Args) -> impl Future` or `Fn(CallContext, Args) -> impl Future`,
/// whose output is [`IntoToolResult`]. `M` only tells the two apart.
pub trait ToolFn<M>: Send + Sync + 'static {
    /// What it takes; its schema is the tool's input schema.
    type Args: DeserializeOwned + JsonSchema;
    /// What it returns, and with it the tool's output schema.
    type Output: IntoToolResult;

    /// Calls it. The context is only made for closures that take it.
    fn call(
        &self,
        cx: &dyn Fn() -> CallContext,
        args: Self::Args,
    ) -> BoxFuture<'static, Result<CallToolResult, CallError>>;
}

impl<F, Fut, A> ToolFn<(A,)> for F
where
    F: Fn(A) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoToolResult> + Send + 'static,
    A: DeserializeOwned + JsonSchema,
{
    type Args = A;
    type Output = Fut::Output;

    fn call(&self, _: &dyn Fn() -> CallContext, args: A) -> BoxFuture<'static, Result<CallToolResult, CallError>> {
        let output = self(args);
        Box::pin(async move { output.await.into_tool_result() })
    }
}

impl<F, Fut, A> ToolFn<(CallContext, A)> for F
where
    F: Fn(CallContext, A) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoToolResult> + Send + 'static,
    A: DeserializeOwned + JsonSchema,
{
    type Args = A;
    type Output = Fut::Output;

    fn call(&self, cx: &dyn Fn() -> CallContext, args: A) -> BoxFuture<'static, Result<CallToolResult, CallError>> {
        let output = self(cx(), args);
        Box::pin(async move { output.await.into_tool_result() })
    }
}

/// A tool's closure: arguments as JSON text in, a future out.
pub(super) type Call = Box<dyn Fn(&dyn Fn() -> CallContext, &str) -> Called + Send + Sync>;
pub(super) type Called = BoxFuture<'static, Result<CallToolResult, CallError>>;

/// A closure with its argument type forgotten.
pub(super) fn erase<M: 'static, F: ToolFn<M>>(tool: F) -> Call {
    Box::new(move |cx, arguments| match serde_json::from_str(arguments) {
        Ok(arguments) => tool.call(cx, arguments),
        // The schema allows what the type does not: the model can still learn from it.
        Err(error) => Box::pin(ready(Err(CallError::Failed(format!("Invalid arguments: {error}"))))),
    })
}

/// The schema of a type, as it is shown to clients.
pub(super) fn schema_of<T: JsonSchema>() -> Schema {
    Schema::of(&schemars::schema_for!(T))
}

/// A tool, ready to be called.
pub(super) struct ToolEntry {
    pub(super) call: Call,
    pub(super) validator: Validator,
    pub(super) mirrored: Vec<ParamHeader>,
    pub(super) task: Option<Plan>,
}

impl ToolEntry {
    /// Whether the headers say what the arguments say. Only modern messages over HTTP have any of their own.
    pub(super) fn check_headers(&self, cx: &Cx<'_>, arguments: Option<&RawValue>) -> Result<(), RpcError> {
        match (cx.era(), cx.peer.headers_of_message()) {
            (Era::Modern, Some(headers)) => headers::check_params(&self.mirrored, headers, arguments),
            _ => Ok(()),
        }
    }

    /// Whether the arguments fit the schema; if not, in what way they do not.
    pub(super) fn check(&self, arguments: &str) -> Result<(), String> {
        self.validator.check(arguments).map_err(|violations| {
            let lines: Vec<String> = violations.iter().map(Violation::to_string).collect();
            format!("Invalid arguments: {}", lines.join("; "))
        })
    }

    pub(super) fn start(&self, cx: &Cx<'_>, arguments: &str) -> Called {
        (self.call)(&|| CallContext::of(cx), arguments)
    }

    /// Calls it once more.
    pub(super) fn again(&self, cx: &CallContext, arguments: &str) -> Called {
        (self.call)(&|| cx.clone(), arguments)
    }
}

/// A failure as the revision knows it.
pub(super) fn failed(revision: Revision, error: CallError, identity: &Identity) -> Result<Bytes, RpcError> {
    match error {
        CallError::Failed(text) => Ok(result::tool_error(revision, &text, identity)),
        // Legacy clients do not know the code; the model can still learn what is missing.
        CallError::Rpc(error) if error.code == code::MISSING_CAPABILITY && revision.era() == Era::Legacy => {
            Ok(result::tool_error(revision, &error.message, identity))
        }
        error => Err(error.into_rpc(revision.era())),
    }
}

/// The result as the revision knows it.
pub(super) fn render(revision: Revision, result: CallToolResult, identity: &Identity) -> Bytes {
    let mut result = result.for_revision(revision);
    let mut writer = result::complete(revision, 512).content(&result.content);
    if let Some(value) = &result.structured_content {
        writer = writer.member("structuredContent", value);
    }
    if result.is_error {
        writer = writer.raw("isError", b"true");
    }
    if result.meta.is_empty() {
        return writer.identity(identity).finish();
    }
    if revision.era() == Era::Modern {
        let identity = serde_json::from_slice::<Value>(identity.as_meta()).unwrap_or_default();
        result.meta.insert(meta_key::SERVER_INFO.to_owned(), identity[meta_key::SERVER_INFO].clone());
    }
    writer.member("_meta", &result.meta).finish()
}
