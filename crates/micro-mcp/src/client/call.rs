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
    /// ```no_run
    /// # use micro_mcp::client::{Begun, Client, Error};
    /// # async fn example() -> Result<(), Error> {
    /// let client = Client::builder().tasks().connect("http://127.0.0.1:3000/mcp").await?;
    /// match client.call("print_book").begin().await? {
    ///     Begun::Done(result) => println!("{result:?}"),
    ///     Begun::Task(task) => println!("{} goes on; what came of it: {:?}", task.id(), task.result().await?),
    /// }
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
