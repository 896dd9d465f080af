//! Types whose methods are tools, prompts and resources, and what those methods may return.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use micro_mcp_proto::{Content, GetPromptResult, PromptMessage, ResourceContents};

use super::{Builder, CallError};

/// Tools, prompts and resources that belong together. `#[tools]` implements it for an `impl` block; by hand it
/// is a list of steps of the builder.
///
/// ```
/// # use std::sync::Arc;
/// # use micro_mcp::{Builder, NoArgs, Server, ToolSet, client::Client};
/// struct Clock {
///     zone: &'static str,
/// }
///
/// impl ToolSet for Clock {
///     fn register(self: Arc<Self>, server: Builder) -> Builder {
///         server.tool("zone").handler(move |_: NoArgs| std::future::ready(self.zone))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder("clock", "1.0").tools(Clock { zone: "UTC" }).build()?;
/// let client = Client::builder().in_process(Arc::new(server)).await?;
/// assert_eq!(client.call("zone").text().await?, "UTC");
/// # Ok(())
/// # }
/// ```
pub trait ToolSet: Send + Sync + 'static {
    /// Adds all of them to a server; closures hold a share of `self`.
    fn register(self: Arc<Self>, server: Builder) -> Builder;
}

impl Builder {
    /// Adds the tools, prompts and resources of a type.
    pub fn tools(self, set: impl ToolSet) -> Self {
        Arc::new(set).register(self)
    }
}

/// What a prompt's method may return.
pub trait IntoMessages {
    /// As the protocol has it.
    ///
    /// # Errors
    /// Whatever the prompt failed with.
    fn into_messages(self) -> Result<Vec<PromptMessage>, CallError>;
}

/// Said by the person.
impl IntoMessages for String {
    fn into_messages(self) -> Result<Vec<PromptMessage>, CallError> {
        Ok(vec![PromptMessage::user(Content::text(self))])
    }
}

/// Said by the person.
impl IntoMessages for &str {
    fn into_messages(self) -> Result<Vec<PromptMessage>, CallError> {
        self.to_owned().into_messages()
    }
}

impl IntoMessages for PromptMessage {
    fn into_messages(self) -> Result<Vec<PromptMessage>, CallError> {
        Ok(vec![self])
    }
}

impl IntoMessages for Vec<PromptMessage> {
    fn into_messages(self) -> Result<Vec<PromptMessage>, CallError> {
        Ok(self)
    }
}

impl IntoMessages for GetPromptResult {
    fn into_messages(self) -> Result<Vec<PromptMessage>, CallError> {
        Ok(self.messages)
    }
}

impl<T: IntoMessages, E: Into<CallError>> IntoMessages for Result<T, E> {
    fn into_messages(self) -> Result<Vec<PromptMessage>, CallError> {
        self.map_err(Into::into)?.into_messages()
    }
}

/// What a resource's method may return.
pub trait IntoContents {
    /// As the protocol has it.
    ///
    /// # Errors
    /// Whatever the resource failed with.
    fn into_contents(self, uri: String, mime_type: Option<&str>) -> Result<ResourceContents, CallError>;
}

/// Text.
impl IntoContents for String {
    fn into_contents(self, uri: String, mime_type: Option<&str>) -> Result<ResourceContents, CallError> {
        let mime_type = mime_type.map(str::to_owned);
        Ok(ResourceContents { uri, mime_type, text: Some(self), ..ResourceContents::default() })
    }
}

/// Text.
impl IntoContents for &str {
    fn into_contents(self, uri: String, mime_type: Option<&str>) -> Result<ResourceContents, CallError> {
        self.to_owned().into_contents(uri, mime_type)
    }
}

/// Bytes.
impl IntoContents for Vec<u8> {
    fn into_contents(self, uri: String, mime_type: Option<&str>) -> Result<ResourceContents, CallError> {
        let mime_type = mime_type.map(str::to_owned);
        Ok(ResourceContents { uri, mime_type, blob: Some(STANDARD.encode(self)), ..ResourceContents::default() })
    }
}

/// With a URI and a media type of its own.
impl IntoContents for ResourceContents {
    fn into_contents(self, _: String, _: Option<&str>) -> Result<ResourceContents, CallError> {
        Ok(self)
    }
}

impl<T: IntoContents, E: Into<CallError>> IntoContents for Result<T, E> {
    fn into_contents(self, uri: String, mime_type: Option<&str>) -> Result<ResourceContents, CallError> {
        self.map_err(Into::into)?.into_contents(uri, mime_type)
    }
}
