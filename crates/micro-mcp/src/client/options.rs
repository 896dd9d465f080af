//! How a client is made.

use std::{io, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use micro_mcp_proto::{
    CreateMessage, CreateMessageResult, ElicitAction, ElicitResult, Implementation, LogLevel, LogParams, Revision,
    Root, TASKS_EXTENSION,
};
use parking_lot::Mutex;
use serde_json::{Map, Value};
use tokio::{process::Command, sync::watch::Sender};
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::{
    Bearer, Changed, Client, Credentials, Declined, Error, Form, Inner, UrlVisit, Verdicts,
    callbacks::{Callbacks, asked},
    core::{Core, Patience},
    http::Endpoint,
    inbox::Inbox,
    link::{Connector, Hello, Target},
    sending::{Around, TraceSource},
    watch::{self, Wanted},
};
use crate::{
    Layer, TraceContext,
    transport::{
        Pipe,
        child::{self, OnStderr},
    },
};

/// Options of a client, and the last word that connects it.
///
/// ```no_run
/// # use std::time::Duration;
/// use micro_mcp::client::Client;
///
/// # async fn example() -> Result<(), micro_mcp::client::Error> {
/// let client = Client::builder()
///     .name("notes", "2.1")
///     .bearer("s3cret")?
///     .timeout(Duration::from_secs(10))
///     .connect("https://mcp.example/mcp")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "it connects to nothing until it is told to"]
pub struct Builder {
    implementation: Implementation,
    only: Option<Revision>,
    credentials: Option<Arc<dyn Credentials>>,
    headers: HeaderMap,
    limit: usize,
    patience: Patience,
    verdicts: Verdicts,
    callbacks: Callbacks,
    extensions: Map<String, Value>,
    log_level: Option<LogLevel>,
    keep_alive: Option<Duration>,
    layers: Vec<Arc<dyn Layer>>,
    trace: TraceSource,
    stderr: Option<OnStderr>,
}

impl Default for Builder {
    fn default() -> Self {
        let implementation = Implementation {
            name: "micro-mcp".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            ..Implementation::default()
        };
        Self {
            implementation,
            only: None,
            credentials: None,
            headers: HeaderMap::new(),
            limit: 16 << 20,
            patience: Patience { idle: Duration::from_secs(60), total: Duration::from_secs(600) },
            verdicts: Verdicts::default(),
            callbacks: Callbacks::default(),
            extensions: Map::new(),
            log_level: None,
            keep_alive: None,
            layers: Vec::new(),
            trace: Arc::new(TraceContext::current),
            stderr: None,
        }
    }
}

impl Builder {
    /// Who the client says it is. Default: this library.
    pub fn name(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.implementation.name = name.into();
        self.implementation.version = version.into();
        self
    }

    /// Speaks this revision and no other. Default: the newest that the server knows.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{NoArgs, Server, client::Client, proto::Revision};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello!" }).build()?;
    /// let old = Client::builder().revision(Revision::V2024_11_05).in_process(Arc::new(server)).await?;
    /// assert_eq!(old.call("hi").text().await?, "Hello!");
    /// # Ok(())
    /// # }
    /// ```
    pub fn revision(mut self, only: Revision) -> Self {
        self.only = Some(only);
        self
    }

    /// Where HTTP requests get their credentials. Default: none are sent.
    pub fn credentials(mut self, credentials: impl Credentials) -> Self {
        self.credentials = Some(Arc::new(credentials));
        self
    }

    /// Sends this token with every HTTP request.
    ///
    /// # Errors
    /// When it holds characters that no header can.
    pub fn bearer(self, token: &str) -> Result<Self, Error> {
        Ok(self.credentials(Bearer::new(token)?))
    }

    /// Sends this header with every HTTP request.
    pub fn header(mut self, name: HeaderName, mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        self.headers.append(name, value);
        self
    }

    /// Largest message that is taken, in bytes. Default: 16 MiB.
    pub fn message_limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// How long to wait for an answer or the next sign of progress. Default: a minute.
    pub fn timeout(mut self, idle: Duration) -> Self {
        self.patience.idle = idle;
        self
    }

    /// How long to wait for an answer, whatever the progress. Default: ten minutes.
    pub fn deadline(mut self, total: Duration) -> Self {
        self.patience.total = total;
        self
    }

    /// What is known of servers; share it between clients. Default: nothing.
    ///
    /// ```no_run
    /// # use micro_mcp::client::{Client, Error, Verdicts};
    /// # async fn example() -> Result<(), Error> {
    /// let verdicts = Verdicts::default();
    /// let first = Client::builder().verdicts(verdicts.clone()).connect("https://mcp.example/mcp").await?;
    /// // Does not find out the era again.
    /// let second = Client::builder().verdicts(verdicts).connect("https://mcp.example/mcp").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn verdicts(mut self, verdicts: Verdicts) -> Self {
        self.verdicts = verdicts;
        self
    }

    /// Answers the server's questions to the model (`client/sampling`). Let a person see them.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{CallContext, CallError, NoArgs, Server, client::Client};
    /// # use micro_mcp::proto::{CreateMessage, CreateMessageResult};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("poet", "1.0")
    ///     .tool("haiku").handler(|cx: CallContext, _: NoArgs| async move {
    ///         let said = cx.sample(CreateMessage::ask("Write a haiku.", 50)).await?;
    ///         Ok::<_, CallError>(said.to_text())
    ///     })
    ///     .build()?;
    /// let client = Client::builder()
    ///     .on_sampling(|request| async move {
    ///         // … show the request to a person, ask the model …
    ///         assert_eq!(request.max_tokens, 50);
    ///         Ok(CreateMessageResult::text("a-model", "An old silent pond"))
    ///     })
    ///     .in_process(Arc::new(server))
    ///     .await?;
    /// assert_eq!(client.call("haiku").text().await?, "An old silent pond");
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_sampling<Fut>(mut self, ask: impl Fn(CreateMessage) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Result<CreateMessageResult, Declined>> + Send + 'static,
    {
        self.callbacks.sampling = Some(asked(ask));
        self
    }

    /// The model can be given tools in [`Builder::on_sampling`].
    pub fn sampling_tools(mut self) -> Self {
        self.callbacks.sampling_tools = true;
        self
    }

    /// Shows the server's forms to a person (`client/elicitation`). Fields that an accepted form leaves
    /// out get the defaults of its schema.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{CallContext, CallError, NoArgs, Server, client::Client, proto::ElicitResult};
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Who {
    ///     /// Your first name.
    ///     #[serde(default)]
    ///     name: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("greeter", "1.0")
    ///     .tool("greet").handler(|cx: CallContext, _: NoArgs| async move {
    ///         let who = cx.elicit::<Who>("Who are you?").await?;
    ///         Ok::<_, CallError>(format!("Hello, {}!", who.name))
    ///     })
    ///     .build()?;
    /// let client = Client::builder()
    ///     .on_form(|form| async move {
    ///         assert_eq!(form.message, "Who are you?"); // show it, with the fields of `form.requested_schema`
    ///         let filled = serde_json::json!({ "name": "Ada" });
    ///         ElicitResult::accept(filled.as_object().cloned().unwrap_or_default())
    ///     })
    ///     .in_process(Arc::new(server))
    ///     .await?;
    /// assert_eq!(client.call("greet").text().await?, "Hello, Ada!");
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_form<Fut>(mut self, ask: impl Fn(Form) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = ElicitResult> + Send + 'static,
    {
        self.callbacks.form = Some(asked(ask));
        self
    }

    /// Sends a person to an address of the server's (`client/elicitation`, URL mode). Show all of it, and
    /// open it only when the person agrees.
    ///
    /// ```
    /// # use micro_mcp::{client::Client, proto::ElicitAction};
    /// # async fn person_agrees(_: &str) -> bool { true }
    /// # fn open_in_browser(_: &str) {}
    /// let client = Client::builder().on_url(|visit| async move {
    ///     if !person_agrees(&visit.url).await {
    ///         return ElicitAction::Decline;
    ///     }
    ///     open_in_browser(&visit.url);
    ///     ElicitAction::Accept
    /// });
    /// ```
    pub fn on_url<Fut>(mut self, ask: impl Fn(UrlVisit) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = ElicitAction> + Send + 'static,
    {
        self.callbacks.url = Some(asked(ask));
        self
    }

    /// Tells the server where it may work (`client/roots`).
    ///
    /// ```
    /// # use micro_mcp::{client::Client, proto::Root};
    /// let client = Client::builder().on_roots(|| async { vec![Root::new("file:///home/ada/project")] });
    /// ```
    pub fn on_roots<Fut>(mut self, ask: impl Fn() -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Vec<Root>> + Send + 'static,
    {
        self.callbacks.roots = Some(asked(move |()| ask()));
        self
    }

    /// Is told of the server's log, from this level on. The function must be quick: messages wait for it.
    pub fn on_log(mut self, level: LogLevel, told: impl Fn(LogParams) + Send + Sync + 'static) -> Self {
        self.log_level = Some(level);
        self.callbacks.log = Some(Arc::new(told));
        self
    }

    /// Is told of changes of the server's lists, and of resources that [`Client::subscribe`] names. After
    /// the connection was lost for a while it is told of everything, for anything may have changed. The
    /// function must be quick: messages wait for it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{NoArgs, Server, client::{Changed, Client}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("plugins", "1.0").tool("first").handler(|_: NoArgs| async { "" }).build()?;
    /// let live = server.live();
    /// let (told, mut changes) = tokio::sync::mpsc::unbounded_channel();
    /// let client = Client::builder().on_change(move |change| drop(told.send(change)));
    /// let client = client.in_process(Arc::new(server)).await?;
    /// client.watching().await?; // the server has agreed to tell
    /// live.update(|server| server.tool("second").handler(|_: NoArgs| async { "" }))?;
    /// assert_eq!(changes.recv().await, Some(Changed::Tools));
    /// assert_eq!(client.tools().await?.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_change(mut self, told: impl Fn(Changed) + Send + Sync + 'static) -> Self {
        self.callbacks.change = Some(Arc::new(told));
        self
    }

    /// Declares an extension, by its identifier, with its settings (2026-07-28).
    pub fn extension(mut self, identifier: impl Into<String>, settings: impl Into<Value>) -> Self {
        self.extensions.insert(identifier.into(), settings.into());
        self
    }

    /// Lets servers answer calls with a task, by declaring the extension `io.modelcontextprotocol/tasks`
    /// (2026-07-28). A call that is awaited goes on until its task has ended, as if it were plain;
    /// [`super::Call::begin`] gives the task itself. Default: calls are answered when they are done.
    ///
    /// A call that is dropped before its server has named the task leaves one that nobody knows, until its
    /// time to live is over: the protocol has no way to cancel it.
    pub fn tasks(self) -> Self {
        self.extension(TASKS_EXTENSION, Map::new())
    }

    /// Puts this around the client: it sees every request of the application's before those that were put
    /// there earlier. See [`Layer`].
    pub fn layer(mut self, layer: impl Layer) -> Self {
        self.layers.push(Arc::new(layer));
        self
    }

    /// Where the W3C context comes from that each request carries in its `_meta`; ask OpenTelemetry here, if
    /// that is what traces the application. Default: [`TraceContext::current`].
    pub fn trace(mut self, context: impl Fn() -> Option<TraceContext> + Send + Sync + 'static) -> Self {
        self.trace = Arc::new(context);
        self
    }

    /// Pings a legacy server this often, so that a session that nobody uses is not forgotten. Default: never.
    pub fn keep_alive(mut self, every: Duration) -> Self {
        self.keep_alive = Some(every);
        self
    }

    /// Connects to a server at an address: Streamable HTTP, or HTTP+SSE where there is nothing else, for
    /// `http:` and `https:`, in whatever era it speaks; WebSocket for `ws:` and `wss:` (feature `websocket`).
    ///
    /// # Errors
    /// When the address is none, the server cannot be reached, or there is no version in common.
    pub async fn connect(self, url: &str) -> Result<Client, Error> {
        let url = Url::parse(url).map_err(|error| Error::Address(error.to_string()))?;
        match url.scheme() {
            "http" | "https" => {}
            #[cfg(feature = "websocket")]
            "ws" | "wss" => return self.websocket(url).await,
            _ => return Err(Error::Address("of a scheme that this client does not speak".into())),
        }
        let endpoint = Endpoint {
            url,
            client: Endpoint::pool()?,
            credentials: self.credentials.clone(),
            headers: self.headers.clone(),
            limit: self.limit,
        };
        self.reach(Target::Http(endpoint)).await
    }

    #[cfg(feature = "websocket")]
    async fn websocket(self, url: Url) -> Result<Client, Error> {
        let (credentials, headers, limit) = (self.credentials.clone(), self.headers.clone(), self.limit);
        self.pipes(move || {
            let (credentials, mut headers, url) = (credentials.clone(), headers.clone(), url.clone());
            async move {
                if let Some(credentials) = credentials {
                    let authorizing = credentials.authorize(&mut headers, &url, &http::Method::GET);
                    authorizing.await.map_err(io::Error::other)?;
                }
                crate::transport::websocket::connect(url.as_str(), headers, limit).await
            }
        })
        .await
    }

    /// Starts a server as a child process and speaks to it on its standard input and output. When it ends it is
    /// started anew for the next request. It ends with the client, and everything that it started with it.
    ///
    /// ```no_run
    /// use micro_mcp::client::Client;
    /// use tokio::process::Command;
    ///
    /// # async fn example() -> Result<(), micro_mcp::client::Error> {
    /// let start = || {
    ///     let mut command = Command::new("npx");
    ///     command.args(["-y", "@modelcontextprotocol/server-filesystem", "/tmp"]);
    ///     command
    /// };
    /// let client = Client::builder().on_stderr(|line| eprintln!("server: {line}")).spawn(start).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When it cannot be started, or there is no version in common.
    pub async fn spawn(self, command: impl Fn() -> Command + Send + Sync + 'static) -> Result<Client, Error> {
        let stderr = self.stderr.clone();
        self.pipes(move || std::future::ready(child::spawn(command(), stderr.clone()))).await
    }

    /// Is told each line that a server of [`Builder::spawn`] writes to its standard error. Default: they are
    /// logged at debug level.
    pub fn on_stderr(mut self, told: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.stderr = Some(Arc::new(told));
        self
    }

    /// Speaks to a server within this process: for tests, and for servers that need no process of their own.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{NoArgs, Server, client::Client};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello!" }).build()?;
    /// let client = Client::builder().in_process(Arc::new(server)).await?;
    /// assert_eq!(client.call("hi").text().await?, "Hello!");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there is no version in common.
    #[cfg(feature = "server")]
    pub async fn in_process(self, handler: Arc<dyn crate::Handler>) -> Result<Client, Error> {
        self.pipes(move || {
            let (here, there) = crate::transport::memory::pair();
            tokio::spawn(crate::transport::serve(handler.clone(), there, crate::Drain::new()));
            std::future::ready(Ok(here))
        })
        .await
    }

    /// Speaks to the server at the other end of a pipe. When the pipe ends, so does the client.
    ///
    /// # Errors
    /// When there is no version in common.
    pub async fn pipe(self, pipe: Pipe) -> Result<Client, Error> {
        let once = Mutex::new(Some(pipe));
        let make = move || Box::pin(std::future::ready(once.lock().take().ok_or(Error::Closed))) as _;
        self.reach(Target::Pipes(Arc::new(make))).await
    }

    /// Speaks to the server at the other end of pipes of your own. Another one is made when one has ended.
    ///
    /// ```no_run
    /// # use micro_mcp::{client::{Client, Error}, transport::Pipe};
    /// use tokio::net::UnixStream;
    ///
    /// # async fn example() -> Result<(), Error> {
    /// let connect = || async {
    ///     let (reader, writer) = UnixStream::connect("/run/notes.sock").await?.into_split();
    ///     Ok(Pipe::lines(reader, writer))
    /// };
    /// let client = Client::builder().pipes(connect).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When none can be made, or there is no version in common.
    pub async fn pipes<Fut>(self, make: impl Fn() -> Fut + Send + Sync + 'static) -> Result<Client, Error>
    where
        Fut: Future<Output = io::Result<Pipe>> + Send + 'static,
    {
        let make = move || {
            let making = make();
            Box::pin(async move { making.await.map_err(|error| Error::Unreachable(Box::new(error))) }) as _
        };
        self.reach(Target::Pipes(Arc::new(make))).await
    }

    async fn reach(self, target: Target) -> Result<Client, Error> {
        let hello = Hello {
            implementation: self.implementation,
            capabilities: self.callbacks.capabilities(&self.extensions).to_string().into(),
            log_level: self.log_level,
            only: self.only,
            patience: self.patience.idle,
        };
        let (lists, tasks) = (self.callbacks.change.is_some(), self.extensions.contains_key(TASKS_EXTENSION));
        let connector = Connector::new(target, hello, self.verdicts);
        let core = Arc::new(Core::new(connector, Arc::new(Inbox::new(self.callbacks)), self.patience, tasks));
        core.link().await?;
        let wanted = Sender::new(Wanted { lists, ..Wanted::default() });
        let standing = Sender::default();
        let keeping = watch::keep(core.clone(), wanted.subscribe(), standing.clone(), self.keep_alive);
        let keeper = AbortOnDropHandle::new(tokio::spawn(keeping));
        let around = Around { layers: self.layers, trace: self.trace };
        Ok(Client(Arc::new(Inner { core, wanted, standing, around, _keeper: keeper })))
    }
}
