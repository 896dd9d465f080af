//! Tools: closures from typed arguments to something a model can read.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use micro_core::{Schema, Validator, Violation};
use micro_mcp_proto::{
    CallToolResult, Content, Era, Revision, RpcError,
    headers::{self, ParamHeader},
    meta_key,
};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use super::CallContext;
use crate::{
    Cx,
    result::{self, Identity},
};

/// Why a tool has no result.
#[derive(Debug, Clone)]
pub enum ToolError {
    /// It failed, and the model reads why (`isError`).
    Failed(String),
    /// The call itself was wrong, or needs what the client has not declared.
    Rpc(RpcError),
}

impl From<RpcError> for ToolError {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl From<&str> for ToolError {
    fn from(text: &str) -> Self {
        Self::Failed(text.to_owned())
    }
}

impl From<String> for ToolError {
    fn from(text: String) -> Self {
        Self::Failed(text)
    }
}

/// Shows the error's `detail`, which is meant to be shown, and nothing of its cause.
impl From<micro_core::Error> for ToolError {
    fn from(error: micro_core::Error) -> Self {
        Self::Failed(error.detail)
    }
}

/// What a tool may return.
pub trait IntoToolResult {
    /// As the protocol has it.
    ///
    /// # Errors
    /// Whatever the tool failed with.
    fn into_tool_result(self) -> Result<CallToolResult, ToolError>;
}

/// A value for programs (`structuredContent`), and as text for models.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

/// Arguments of a tool that takes none.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoArgs {}

impl IntoToolResult for CallToolResult {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(self)
    }
}

impl IntoToolResult for String {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::text(self))
    }
}

impl IntoToolResult for &str {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::text(self))
    }
}

impl IntoToolResult for Content {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::new([self]))
    }
}

impl IntoToolResult for Vec<Content> {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::new(self))
    }
}

impl<T: Serialize> IntoToolResult for Json<T> {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        let value = serde_json::to_value(self.0).map_err(|error| {
            tracing::error!(%error, "a tool's result cannot be written as JSON");
            ToolError::Rpc(RpcError::internal())
        })?;
        Ok(CallToolResult::structured(value))
    }
}

impl<T: IntoToolResult, E: Into<ToolError>> IntoToolResult for Result<T, E> {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        self.map_err(Into::into)?.into_tool_result()
    }
}

/// A closure that can be a tool: `Fn(Args) -> impl Future` or `Fn(CallContext, Args) -> impl Future`,
/// whose output is [`IntoToolResult`]. `M` only tells the two apart.
pub trait ToolFn<M>: Send + Sync + 'static {
    /// What it takes; its schema is the tool's input schema.
    type Args: DeserializeOwned + JsonSchema;

    /// Calls it. The context is only made for closures that take it.
    fn call(&self, cx: &Cx<'_>, args: Self::Args) -> BoxFuture<'static, Result<CallToolResult, ToolError>>;
}

impl<F, Fut, A> ToolFn<(A,)> for F
where
    F: Fn(A) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoToolResult> + Send + 'static,
    A: DeserializeOwned + JsonSchema,
{
    type Args = A;

    fn call(&self, _: &Cx<'_>, args: A) -> BoxFuture<'static, Result<CallToolResult, ToolError>> {
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

    fn call(&self, cx: &Cx<'_>, args: A) -> BoxFuture<'static, Result<CallToolResult, ToolError>> {
        let output = self(CallContext::of(cx), args);
        Box::pin(async move { output.await.into_tool_result() })
    }
}

/// A tool's closure: arguments as JSON text in, a future out.
pub(super) type Call = Arc<dyn Fn(&Cx<'_>, &str) -> Called + Send + Sync>;
type Called = Result<BoxFuture<'static, Result<CallToolResult, ToolError>>, serde_json::Error>;

/// A closure with its argument type forgotten.
pub(super) fn erase<M: 'static, F: ToolFn<M>>(tool: F) -> Call {
    Arc::new(move |cx, arguments| Ok(tool.call(cx, serde_json::from_str(arguments)?)))
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
}

impl ToolEntry {
    pub(super) async fn call(
        &self,
        cx: &Cx<'_>,
        arguments: Option<&RawValue>,
        identity: &Identity,
    ) -> Result<Bytes, RpcError> {
        if let (Era::Modern, Some(headers)) = (cx.era(), cx.headers()) {
            headers::check_params(&self.mirrored, headers, arguments)?;
        }
        let text = arguments.map_or("{}", RawValue::get);
        if let Err(violations) = self.validator.check(text) {
            return Ok(result::tool_error(cx.revision, &describe(&violations), identity));
        }
        let called = match (self.call)(cx, text) {
            Ok(called) => called,
            // The schema allows what the type does not: the model can still learn from it.
            Err(error) => {
                return Ok(result::tool_error(cx.revision, &format!("Invalid arguments: {error}"), identity));
            }
        };
        match called.await {
            Ok(result) => Ok(render(cx.revision, result, identity)),
            Err(ToolError::Failed(text)) => Ok(result::tool_error(cx.revision, &text, identity)),
            Err(ToolError::Rpc(error)) => Err(error),
        }
    }
}

fn describe(violations: &[Violation]) -> String {
    let lines: Vec<String> = violations.iter().map(Violation::to_string).collect();
    format!("Invalid arguments: {}", lines.join("; "))
}

/// The result as the revision knows it.
fn render(revision: Revision, result: CallToolResult, identity: &Identity) -> Bytes {
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
