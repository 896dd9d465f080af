//! A tool call on its way.

use std::{future::IntoFuture, sync::Arc, time::Duration};

use futures_core::future::BoxFuture;
use micro_mcp_proto::{CallToolResult, Content};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use tokio::time::{Instant, timeout_at};

use super::{Begun, Client, Error, Progress, TaskHandle, core::Ask, message::Members};
use crate::TraceContext;

/// A call of one tool. Awaiting it makes the call; dropping the future cancels it, and its task if it became one.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use micro_mcp::{Json, NoArgs, Server, client::Client};
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// # struct Weather { temperature: f64 }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = Server::builder("weather", "1.0")
/// #     .tool("now").handler(|_: NoArgs| async { Json(Weather { temperature: 21.5 }) })
/// #     .build()?;
/// # let client = Client::builder().in_process(Arc::new(server)).await?;
/// let weather: Weather = client.call("now").json().await?; // the value
/// let text: String = client.call("now").text().await?; // the words
/// let result = client.call("now").await?; // everything, `is_error` too
/// let raw = client.call("now").raw().await?; // the JSON as it came
///
/// let call = client.call("now").progress(|step| println!("{step:?}")).deadline(Duration::from_secs(5));
/// drop(call); // was not made; one under way is cancelled when it is dropped
/// # assert!(weather.temperature > 20.0 && text.contains("21.5") && !result.is_error && raw.get().contains("21.5"));
/// # Ok(())
/// # }
/// ```
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<'c> {
    client: &'c Client,
    arguments: Result<Option<Box<RawValue>>, serde_json::Error>,
    meta: Result<Members, serde_json::Error>,
    ask: Ask,
}

impl<'c> Call<'c> {
    pub(super) fn new(client: &'c Client, tool: String) -> Self {
        let members = Members::default().text("name", &tool);
        let ask = Ask { name: Some(tool), ..Ask::new("tools/call", members, client.0.core.patience) };
        Self { client, arguments: Ok(None), meta: Ok(Members::default()), ask }
    }

    /// The arguments: anything that is a JSON object. A `&RawValue` is sent as it was written.
    pub fn args(mut self, arguments: &(impl Serialize + ?Sized)) -> Self {
        self.arguments = to_raw_value(arguments).map(Some);
        self
    }

    /// A member of the request's `_meta`.
    pub fn meta(mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Self {
        self.meta = self.meta.and_then(|meta| meta.member(key, value));
        self
    }

    /// The trace that the call is a part of, instead of the current one ([`super::Builder::trace`]).
    pub fn trace(mut self, context: &TraceContext) -> Self {
        self.meta = self.meta.and_then(|meta| Ok(meta.and(&Members::of(context)?)));
        self
    }

    /// Asks the server to tell how far it is. The function is called for each notification, in order.
    pub fn progress(mut self, told: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.ask.progress = Some(Arc::new(told));
        self
    }

    /// How long to wait for the answer or the next sign of progress.
    pub fn timeout(mut self, idle: Duration) -> Self {
        self.ask.patience.idle = idle;
        self
    }

    /// How long to wait for the answer, whatever the progress.
    pub fn deadline(mut self, total: Duration) -> Self {
        self.ask.patience.total = total;
        self
    }

    /// The raw `result` object, whatever the tool returned.
    ///
    /// # Errors
    /// Everything but a failure of the tool itself.
    pub async fn raw(self) -> Result<Box<RawValue>, Error> {
        let deadline = Instant::now() + self.ask.patience.total;
        let course = async {
            let client = self.client;
            let result = self.send().await?;
            match TaskHandle::of(client, &result)? {
                Some(task) => task.finish().await,
                None => Ok(result),
            }
        };
        timeout_at(deadline, course).await.unwrap_or(Err(Error::Timeout))
    }

    /// Makes the call, and does not wait when it becomes a task ([`super::Builder::tasks`]).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{NoArgs, Server, client::{Begun, Client}, task::TaskMode};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("press", "1.0")
    ///     .tool("print_book").task(TaskMode::Optional).handler(|_: NoArgs| async { "printed" })
    ///     .build()?;
    /// let client = Client::builder().tasks().in_process(Arc::new(server)).await?;
    /// let text = match client.call("print_book").begin().await? {
    ///     Begun::Done(result) => result,
    ///     Begun::Task(task) => task.result().await?, // or keep `task.id()`, and come back for it later
    /// };
    /// assert_eq!(text.content[0].as_text(), Some("printed"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Everything but a failure of the tool itself.
    pub async fn begin(self) -> Result<Begun, Error> {
        let client = self.client;
        let result = self.send().await?;
        Ok(match TaskHandle::of(client, &result)? {
            Some(task) => Begun::Task(task),
            None => Begun::Done(serde_json::from_str(result.get())?),
        })
    }

    async fn send(self) -> Result<Box<RawValue>, Error> {
        let ask = Ask { arguments: self.arguments?, meta: self.meta?, ..self.ask };
        Ok(self.client.send(ask).await?.result)
    }

    /// What the tool says, for people: its blocks of text, one after the other.
    ///
    /// # Errors
    /// [`Error::Tool`] when the tool failed.
    pub async fn text(self) -> Result<String, Error> {
        let result = self.await?;
        let texts: Vec<&str> = result.content.iter().filter_map(Content::as_text).collect();
        let text = texts.join("\n");
        if result.is_error { Err(Error::Tool(text)) } else { Ok(text) }
    }

    /// The tool's value: its structured content, or its text read as JSON.
    ///
    /// # Errors
    /// [`Error::Tool`] when the tool failed, [`Error::Json`] when the value is another.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let result = self.await?;
        let text = match result.content.first() {
            Some(Content::Text(block)) => block.text.as_str(),
            _ => "null",
        };
        match result.structured_content {
            _ if result.is_error => Err(Error::Tool(text.to_owned())),
            Some(value) => Ok(serde_json::from_value(value)?),
            None => Ok(serde_json::from_str(text)?),
        }
    }
}

impl<'c> IntoFuture for Call<'c> {
    type Output = Result<CallToolResult, Error>;
    type IntoFuture = BoxFuture<'c, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(serde_json::from_str(self.raw().await?.get())?) })
    }
}
