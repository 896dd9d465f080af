//! Resources, prompts, completion and the rest that servers offer beside tools.

use std::{collections::BTreeMap, sync::Arc};

use micro_mcp_proto::{CompleteResult, Completion, Era, GetPromptResult, LogLevel, Reference, ResourceContents, write};
use serde::Deserialize;
use serde_json::{json, value::to_raw_value};

use super::{Client, Error, cache::Hints, core::Ask, exchange::Outgoing, message::Members};

impl Client {
    /// Reads a resource: its contents, or those of everything below it. They are kept for as long as the
    /// server says, and until it tells of a change.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{Server, client::Client, proto::{Resource, ResourceContents}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::builder("notes", "1.0")
    /// #     .resource(Resource::new("notes://today", "today"), |read| async move {
    /// #         Ok(ResourceContents::text(read.uri, "text/plain", "Water the plants."))
    /// #     })
    /// #     .build()?;
    /// let client = Client::builder().in_process(Arc::new(server)).await?;
    /// for contents in client.read("notes://today").await?.iter() {
    ///     assert_eq!(contents.text.as_deref(), Some("Water the plants.")); // bytes are in `blob`, as base64
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there is no such resource, and whatever else can go wrong.
    pub async fn read(&self, uri: impl Into<String>) -> Result<Arc<[ResourceContents]>, Error> {
        #[derive(Deserialize)]
        struct Read {
            contents: Arc<[ResourceContents]>,
            #[serde(flatten)]
            hints: Hints,
        }
        let (uri, cache) = (uri.into(), &self.known().contents);
        if let Some(contents) = self.fresh(cache, uri.as_str()).await? {
            return Ok(contents);
        }
        let asked = self.asked(cache).await?;
        let ask = Ask::new("resources/read", Members::default().text("uri", &uri), self.0.core.patience);
        let answer = self.send(Ask { name: Some(uri.clone()), ..ask }).await?;
        let Read { contents, hints } = serde_json::from_str(answer.result.get())?;
        if answer.bare {
            self.keep(cache, asked, uri, &contents, answer.result.get().len(), hints).await?;
        }
        Ok(contents)
    }

    /// Fills in a prompt.
    ///
    /// ```
    /// # use std::{collections::BTreeMap, sync::Arc};
    /// # use micro_mcp::{Server, client::Client, proto::{Content, Prompt, PromptArgument, PromptMessage}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::builder("reviewer", "1.0")
    /// #     .prompt(Prompt::new("review", [PromptArgument::required("language")]), |get| async move {
    /// #         Ok(vec![PromptMessage::user(Content::text(format!("Review this {}.", get.argument("language"))))])
    /// #     })
    /// #     .build()?;
    /// let client = Client::builder().in_process(Arc::new(server)).await?;
    /// let arguments = BTreeMap::from([("language".to_owned(), "Rust".to_owned())]);
    /// let prompt = client.prompt("review", arguments).await?;
    /// assert_eq!(prompt.messages[0].content.as_text(), Some("Review this Rust."));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there is no such prompt or it lacks an argument, and whatever else can go wrong.
    pub async fn prompt(
        &self,
        name: impl Into<String>,
        arguments: BTreeMap<String, String>,
    ) -> Result<GetPromptResult, Error> {
        let name = name.into();
        let members = Members::default().text("name", &name);
        let arguments = if arguments.is_empty() { None } else { Some(to_raw_value(&arguments)?) };
        let ask = Ask { name: Some(name), arguments, ..Ask::new("prompts/get", members, self.0.core.patience) };
        Ok(serde_json::from_str(self.send(ask).await?.result.get())?)
    }

    /// Values that would complete `value` as the argument of this name; `others` are arguments that are
    /// known already.
    ///
    /// ```
    /// # use std::collections::BTreeMap;
    /// # use micro_mcp::{client::{Client, Error}, proto::Reference};
    /// async fn cities(client: &Client, typed: &str) -> Result<Vec<String>, Error> {
    ///     let country = BTreeMap::from([("country".to_owned(), "France".to_owned())]);
    ///     Ok(client.complete(&Reference::template("weather://{country}/{city}"), "city", typed, &country).await?.values)
    /// }
    /// ```
    ///
    /// # Errors
    /// When the server does not complete, and whatever else can go wrong.
    pub async fn complete(
        &self,
        of: &Reference,
        name: &str,
        value: &str,
        others: &BTreeMap<String, String>,
    ) -> Result<Completion, Error> {
        let argument = json!({ "name": name, "value": value });
        let members = Members::default().member("ref", of)?.member("argument", &argument)?;
        let members = match others.is_empty() {
            true => members,
            false => members.member("context", &json!({ "arguments": others }))?,
        };
        let result = self.plain("completion/complete", members).await?;
        Ok(serde_json::from_str::<CompleteResult>(result.get())?.completion)
    }

    /// Sets which log messages a legacy server sends; modern ones are told with each request, by
    /// [`super::Builder::on_log`].
    ///
    /// # Errors
    /// When the server does not log, and whatever else can go wrong.
    pub async fn set_log_level(&self, level: LogLevel) -> Result<(), Error> {
        self.plain("logging/setLevel", Members::default().text("level", level.as_str())).await.map(|_| ())
    }

    /// Asks a legacy server whether it is there. Modern ones have no `ping`; any request does.
    ///
    /// # Errors
    /// When it is not.
    pub async fn ping(&self) -> Result<(), Error> {
        self.plain("ping", Members::default()).await.map(|_| ())
    }

    /// Asks a server of either era whether it is there.
    ///
    /// # Errors
    /// When it is not.
    pub async fn check(&self) -> Result<(), Error> {
        match self.revision().await?.era() {
            Era::Modern => self.plain("server/discover", Members::default()).await.map(|_| ()),
            Era::Legacy => self.ping().await,
        }
    }

    /// Tells a legacy server that the roots are others now. Modern ones ask each time.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn roots_changed(&self) -> Result<(), Error> {
        let link = self.0.core.link().await?;
        if link.revision.era() == Era::Modern {
            return Ok(());
        }
        let method = "notifications/roots/list_changed";
        let body = write::notification(method, None).into();
        let revision = Some(link.revision);
        link.exchange.send(Outgoing { body, method: method.into(), revision, ..Outgoing::default() }).await
    }
}
