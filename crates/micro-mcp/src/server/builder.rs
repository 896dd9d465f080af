//! Putting a server together; everything that can be wrong with it is found here.

use std::{
    future::Future,
    sync::{Arc, Weak},
    time::Duration,
};

use micro_core::InvalidSchema;
use micro_mcp_proto::{
    Icon, Implementation, Prompt, PromptMessage, Resource, ResourceContents, ResourceTemplate, Tool,
    headers::InvalidAnnotation,
};
use tokio::sync::broadcast;

use super::{
    CallError, Complete, GetPrompt, Live, Notifier, Read, Server, Shared, ToolBuilder,
    completion::{self, Completions, Of},
    prompt::{self, PromptEntry},
    resource::{self, ReadFn, Template, TemplateEntry},
    tool::ToolEntry,
};
use crate::{Change, KeyRing, ServerInfo, ask::Rounds, result::Cache, task::TaskConfig};

/// Why a server cannot be built.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Names are 1 to 128 characters of `[A-Za-z0-9_.-]`.
    #[error("`{0}` is no tool name: 1 to 128 letters, digits, `_`, `.` or `-`")]
    Name(String),
    /// Two tools, resources, templates or prompts have the same name.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// A schema cannot be used.
    #[error("tool `{tool}`")]
    Schema {
        /// Of this tool.
        tool: String,
        /// For this reason.
        source: InvalidSchema,
    },
    /// Arguments are an object, so the root of an input schema has `"type":"object"`.
    #[error("tool `{0}`: the input schema's root must have \"type\":\"object\"")]
    NoObject(String),
    /// Clients would drop the tool.
    #[error("tool `{tool}`")]
    Header {
        /// Of this tool.
        tool: String,
        /// For this reason.
        source: InvalidAnnotation,
    },
    /// An example does not fit the input schema.
    #[error("tool `{tool}`: an example does not fit: {reason}")]
    Example {
        /// Of this tool.
        tool: String,
        /// Where it does not fit.
        reason: String,
    },
    /// Only simple variables between literal text are understood.
    #[error("`{0}` is no URI template this server understands")]
    Template(String),
    /// There is no such prompt or template, or it has no such argument.
    #[error("there is no {0} to complete")]
    Completion(String),
    /// The closure of [`crate::Live::update`] updates the same server: put both changes into one.
    #[error("an update within an update of the same server")]
    UpdateWithinUpdate,
}

/// A server being put together. See [`Server::builder`].
#[must_use]
pub struct Builder {
    pub(super) parts: Parts,
    pub(super) touched: Touched,
    pub(super) bad: Option<BuildError>,
    pub(super) shared: Home,
}

/// What a server is made of.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) info: ServerInfo,
    pub(super) rounds: Rounds,
    pub(super) page_size: usize,
    pub(super) cache: Cache,
    pub(super) logging: bool,
    pub(super) subscriptions: bool,
    pub(super) list_changes: bool,
    pub(super) tasks: TaskConfig,
    pub(super) tools: Vec<(Tool, Arc<ToolEntry>)>,
    pub(super) resources: Vec<(Resource, ReadFn)>,
    pub(super) templates: Vec<(ResourceTemplate, Arc<TemplateEntry>)>,
    pub(super) prompts: Vec<Arc<PromptEntry>>,
    pub(super) completions: Completions,
}

/// Lists that were changed since the builder was taken up.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Touched {
    pub(super) tools: bool,
    pub(super) resources: bool,
    pub(super) prompts: bool,
}

/// The place of a server.
pub(super) enum Home {
    /// It will be here.
    New(Arc<Shared>),
    /// It is here, and not kept alive by those who change it.
    Old(Weak<Shared>),
}

impl Builder {
    pub(super) fn new(name: String, version: String) -> Self {
        let implementation = Implementation { name, version, ..Implementation::default() };
        let parts = Parts {
            info: ServerInfo { implementation, ..ServerInfo::default() },
            rounds: Rounds { keys: KeyRing::random(), ttl: Duration::from_secs(3600) },
            page_size: 100,
            cache: Cache::NONE,
            logging: false,
            subscriptions: false,
            list_changes: true,
            tasks: TaskConfig::default(),
            tools: Vec::new(),
            resources: Vec::new(),
            templates: Vec::new(),
            prompts: Vec::new(),
            completions: Completions::new(),
        };
        let shared = Home::New(Shared::new(parts.clone()));
        Self { parts, touched: Touched::default(), bad: None, shared }
    }

    // === the server itself ===

    /// Its name for people.
    pub fn title(mut self, text: impl Into<String>) -> Self {
        self.parts.info.implementation.title = Some(text.into());
        self
    }

    /// What it is, for people.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.parts.info.implementation.description = Some(text.into());
        self
    }

    /// Where to read more of it.
    pub fn website(mut self, url: impl Into<String>) -> Self {
        self.parts.info.implementation.website_url = Some(url.into());
        self
    }

    /// A picture of it.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.parts.info.implementation.icons.push(icon);
        self
    }

    /// How to use the server, for the model.
    pub fn instructions(mut self, text: impl Into<String>) -> Self {
        self.parts.info.instructions = Some(text.into());
        self
    }

    /// How long and by whom lists and resources may be kept. Default: not at all.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{NoArgs, Server, client::Client, result::{Cache, CacheScope}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("atlas", "1.0")
    ///     .cache(Cache { ttl_ms: 60_000, scope: CacheScope::Public })
    ///     .tool("find").handler(|_: NoArgs| async { "found" })
    ///     .build()?;
    /// let client = Client::builder().in_process(Arc::new(server)).await?;
    /// let (first, again) = (client.tools().await?, client.tools().await?);
    /// assert!(Arc::ptr_eq(&first, &again)); // it was not asked twice
    /// # Ok(())
    /// # }
    /// ```
    pub fn cache(mut self, cache: Cache) -> Self {
        self.parts.cache = cache;
        self
    }

    /// Declares that tools, resources and prompts may log ([`super::CallContext::log`]).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{CallContext, NoArgs, Server, client::Client, proto::LogLevel};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("mill", "1.0")
    ///     .logging()
    ///     .tool("grind").handler(|cx: CallContext, _: NoArgs| async move {
    ///         cx.log(LogLevel::Warning, Some("stone"), &"it runs hot").await;
    ///         "flour"
    ///     })
    ///     .build()?;
    /// let (heard, lines) = std::sync::mpsc::channel();
    /// let client = Client::builder().on_log(LogLevel::Info, move |line| drop(heard.send(line.data)));
    /// let client = client.in_process(Arc::new(server)).await?;
    /// client.call("grind").await?;
    /// assert_eq!(lines.try_recv()?, "it runs hot");
    /// # Ok(())
    /// # }
    /// ```
    pub fn logging(mut self) -> Self {
        self.parts.logging = true;
        self
    }

    /// Declares that clients may watch single resources, and will be told
    /// ([`Notifier::resource_updated`]).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{Server, client::{Changed, Client}, proto::{Resource, ResourceContents}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let uri = "sensor://kitchen";
    /// let server = Server::builder("thermometer", "1.0")
    ///     .subscriptions()
    ///     .resource(Resource::new(uri, "kitchen"), |read| async move {
    ///         Ok(ResourceContents::text(read.uri, "text/plain", "21.5"))
    ///     })
    ///     .build()?;
    /// let notifier = server.notifier();
    /// let (told, mut changes) = tokio::sync::mpsc::unbounded_channel();
    /// let client = Client::builder().on_change(move |change| drop(told.send(change)));
    /// let client = client.in_process(Arc::new(server)).await?;
    /// client.subscribe(uri).await?;
    /// notifier.resource_updated(uri);
    /// assert_eq!(changes.recv().await, Some(Changed::Resource(uri.into())));
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscriptions(mut self) -> Self {
        self.parts.subscriptions = true;
        self
    }

    /// Whether it promises to tell those who listen of changes of its lists. Default: it does. One of
    /// several replicas must not, unless it hears of what changes at the others.
    pub fn list_changes(mut self, told: bool) -> Self {
        self.parts.list_changes = told;
        self
    }

    /// How tasks are kept ([`crate::task`]).
    pub fn tasks(mut self, config: TaskConfig) -> Self {
        self.parts.tasks = config;
        self
    }

    /// Entries on a page of a list. Default: 100.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{NoArgs, Server, client::Client};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("alphabet", "1.0").page_size(10);
    /// let server = ('a'..='z').fold(server, |server, name| server.tool(name).handler(|_: NoArgs| async { "" }));
    /// let client = Client::builder().in_process(Arc::new(server.build()?)).await?;
    /// assert_eq!(client.tools().await?.len(), 26); // three pages, by sealed cursors
    /// # Ok(())
    /// # }
    /// ```
    pub fn page_size(mut self, size: usize) -> Self {
        self.parts.page_size = size.max(1);
        self
    }

    /// The keys of cursors, of states between rounds ([`crate::Ask`]) and of task ids, to share with other replicas.
    /// Default: one of this process's own.
    ///
    /// ```
    /// # use std::time::Duration;
    /// use micro_mcp::{KeyRing, Server, http};
    ///
    /// // The same text in each replica's configuration, as `openssl rand -hex 32` prints it.
    /// let secret = "8d3f1c0a5be2947760c1d2e3f4a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7";
    /// let keys = KeyRing::parse(secret)?;
    /// let server = Server::builder("replica", "1.0").keys(keys.clone()).list_changes(false).build()?;
    /// let config = http::Config { keys, ..http::Config::default() }; // sessions outlive the replica that made them
    /// # let endpoint = http::StreamableHttp::new(std::sync::Arc::new(server), config);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn keys(mut self, keys: impl Into<KeyRing>) -> Self {
        self.parts.rounds.keys = keys.into();
        self
    }

    /// How long a modern client may take to come back with answers. Default: one hour.
    pub fn state_ttl(mut self, ttl: Duration) -> Self {
        self.parts.rounds.ttl = ttl;
        self
    }

    /// The means to tell clients of changes; tools may hold one.
    pub fn notifier(&self) -> Notifier {
        Notifier(self.changes())
    }

    /// The means to change the server once it runs; tools may hold one.
    pub fn live(&self) -> Live {
        Live(match &self.shared {
            Home::New(shared) => Arc::downgrade(shared),
            Home::Old(shared) => shared.clone(),
        })
    }

    fn changes(&self) -> broadcast::Sender<Change> {
        match &self.shared {
            Home::New(shared) => shared.changes.clone(),
            // Gone: nobody listens.
            Home::Old(shared) => shared.upgrade().map_or_else(|| broadcast::channel(1).0, |s| s.changes.clone()),
        }
    }

    // === what it offers ===

    /// Begins a tool.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{CallError, Server, client::{Client, Error}, proto::ToolAnnotations};
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Divide {
    ///     /// What is divided.
    ///     a: i64,
    ///     /// By what.
    ///     b: i64,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("calculator", "1.0")
    ///     .tool("divide")
    ///     .description("Divide one number by another.")
    ///     .annotations(ToolAnnotations { read_only_hint: Some(true), ..ToolAnnotations::default() })
    ///     .example(serde_json::json!({ "a": 6, "b": 3 }))
    ///     .handler(|Divide { a, b }: Divide| async move {
    ///         let quotient = a.checked_div(b).ok_or("nothing can be divided by zero")?;
    ///         Ok::<_, CallError>(quotient.to_string())
    ///     })
    ///     .build()?;
    /// let client = Client::builder().in_process(Arc::new(server)).await?;
    /// assert_eq!(client.call("divide").args(&serde_json::json!({ "a": 6, "b": 3 })).text().await?, "2");
    /// let failed = client.call("divide").args(&serde_json::json!({ "a": 6, "b": 0 })).text().await;
    /// assert!(matches!(failed, Err(Error::Tool(why)) if why.contains("zero")));
    /// # Ok(())
    /// # }
    /// ```
    pub fn tool(self, name: impl Into<String>) -> ToolBuilder {
        ToolBuilder::new(self, name.into())
    }

    /// Adds a resource.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{Server, client::Client, proto::{Resource, ResourceContents}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("notes", "1.0")
    ///     .resource(Resource::new("notes://today", "today"), |read| async move {
    ///         Ok(ResourceContents::text(read.uri, "text/plain", "Water the plants."))
    ///     })
    ///     .resource(Resource::new("notes://pixel", "pixel"), |read| async move {
    ///         Ok(ResourceContents::blob(read.uri, "image/gif", "R0lGODlhAQABAAAAACwAAAAAAQABAAA="))
    ///     })
    ///     .build()?;
    /// let client = Client::builder().in_process(Arc::new(server)).await?;
    /// assert_eq!(client.resources().await?.len(), 2);
    /// assert_eq!(client.read("notes://today").await?[0].text.as_deref(), Some("Water the plants."));
    /// # Ok(())
    /// # }
    /// ```
    pub fn resource<F, Fut>(mut self, resource: Resource, read: F) -> Self
    where
        F: Fn(Read) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ResourceContents, CallError>> + Send + 'static,
    {
        self.touched.resources = true;
        self.parts.resources.push((resource, resource::erase(read)));
        self
    }

    /// Adds a family of resources.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{Server, client::Client, proto::{ResourceContents, ResourceTemplate}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tables = ResourceTemplate::new("calc://tables/{number}", "tables");
    /// let server = Server::builder("calculator", "1.0")
    ///     .resource_template(tables, |read| async move {
    ///         let number: u64 = read.variables["number"].parse().map_err(|_| read.not_found())?;
    ///         let table: String = (1..=10).map(|n| format!("{n} × {number} = {}\n", n * number)).collect();
    ///         Ok(ResourceContents::text(read.uri, "text/plain", table))
    ///     })
    ///     .build()?;
    /// let client = Client::builder().in_process(Arc::new(server)).await?;
    /// assert!(client.read("calc://tables/7").await?[0].text.as_deref().is_some_and(|text| text.contains("6 × 7 = 42")));
    /// assert!(client.read("calc://tables/seven").await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn resource_template<F, Fut>(mut self, template: ResourceTemplate, read: F) -> Self
    where
        F: Fn(Read) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ResourceContents, CallError>> + Send + 'static,
    {
        self.touched.resources = true;
        match Template::parse(&template.uri_template) {
            Some(parsed) => {
                let uri_template = template.uri_template.clone();
                let entry = TemplateEntry { uri_template, template: parsed, read: resource::erase(read) };
                self.parts.templates.push((template, Arc::new(entry)));
            }
            None => {
                self.bad.get_or_insert(BuildError::Template(template.uri_template));
            }
        }
        self
    }

    /// Adds a prompt.
    ///
    /// ```
    /// # use std::{collections::BTreeMap, sync::Arc};
    /// # use micro_mcp::{Server, client::Client, proto::{Content, Prompt, PromptArgument, PromptMessage}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("reviewer", "1.0")
    ///     .prompt(Prompt::new("review", [PromptArgument::required("language")]), |get| async move {
    ///         Ok(vec![PromptMessage::user(Content::text(format!("Review this {}.", get.argument("language"))))])
    ///     })
    ///     .build()?;
    /// let client = Client::builder().in_process(Arc::new(server)).await?;
    /// let review = client.prompt("review", BTreeMap::from([("language".into(), "Rust".into())])).await?;
    /// assert_eq!(review.messages[0].content.as_text(), Some("Review this Rust."));
    /// # Ok(())
    /// # }
    /// ```
    pub fn prompt<F, Fut>(mut self, prompt: Prompt, get: F) -> Self
    where
        F: Fn(GetPrompt) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<PromptMessage>, CallError>> + Send + 'static,
    {
        self.touched.prompts = true;
        self.parts.prompts.push(Arc::new(PromptEntry { prompt, get: prompt::erase(get) }));
        self
    }

    /// Completes an argument of a prompt while it is typed; the first hundred values are sent.
    ///
    /// ```
    /// # use std::{collections::BTreeMap, sync::Arc};
    /// # use micro_mcp::{Server, client::Client, proto::{Content, Prompt, PromptArgument, PromptMessage, Reference}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("reviewer", "1.0")
    ///     .prompt(Prompt::new("review", [PromptArgument::required("language")]), |get| async move {
    ///         Ok(vec![PromptMessage::user(Content::text(format!("Review this {}.", get.argument("language"))))])
    ///     })
    ///     .complete_prompt("review", "language", |typed| async move {
    ///         ["rust", "ruby", "go"].into_iter().filter(move |language| language.starts_with(&typed.value))
    ///     })
    ///     .build()?;
    /// let client = Client::builder().in_process(Arc::new(server)).await?;
    /// let languages = client.complete(&Reference::prompt("review"), "language", "ru", &BTreeMap::new()).await?;
    /// assert_eq!(languages.values, ["rust", "ruby"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn complete_prompt<F, Fut, I>(self, prompt: impl Into<String>, argument: impl Into<String>, complete: F) -> Self
    where
        F: Fn(Complete) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = I> + Send + 'static,
        I: IntoIterator<Item: Into<String>>,
    {
        self.complete(Of::Prompt(prompt.into()), argument.into(), complete)
    }

    /// Completes a variable of a resource template while it is typed; the template is named by its text.
    ///
    /// ```
    /// # use std::{collections::BTreeMap, sync::Arc};
    /// # use micro_mcp::{Server, client::Client, proto::{Reference, ResourceContents, ResourceTemplate}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let template = "weather://{city}";
    /// let server = Server::builder("weather", "1.0")
    ///     .resource_template(ResourceTemplate::new(template, "weather"), |read| async move {
    ///         Ok(ResourceContents::text(read.uri, "text/plain", "sunny"))
    ///     })
    ///     .complete_template(template, "city", |typed| async move {
    ///         ["Paris", "Prague", "Rome"].into_iter().filter(move |city| city.starts_with(&typed.value))
    ///     })
    ///     .build()?;
    /// let client = Client::builder().in_process(Arc::new(server)).await?;
    /// let cities = client.complete(&Reference::template(template), "city", "P", &BTreeMap::new()).await?;
    /// assert_eq!(cities.values, ["Paris", "Prague"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn complete_template<F, Fut, I>(
        self,
        uri_template: impl Into<String>,
        variable: impl Into<String>,
        complete: F,
    ) -> Self
    where
        F: Fn(Complete) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = I> + Send + 'static,
        I: IntoIterator<Item: Into<String>>,
    {
        self.complete(Of::Template(uri_template.into()), variable.into(), complete)
    }

    fn complete<F, Fut, I>(mut self, of: Of, argument: String, complete: F) -> Self
    where
        F: Fn(Complete) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = I> + Send + 'static,
        I: IntoIterator<Item: Into<String>>,
    {
        self.parts.completions.insert((of, argument), completion::erase(complete));
        self
    }

    // === what it no longer offers; what is not there is no error ===

    /// Removes a tool.
    pub fn remove_tool(mut self, name: &str) -> Self {
        self.touched.tools |= retain(&mut self.parts.tools, |(tool, _)| tool.name != name);
        self
    }

    /// Removes a resource.
    pub fn remove_resource(mut self, uri: &str) -> Self {
        self.touched.resources |= retain(&mut self.parts.resources, |(resource, _)| resource.uri != uri);
        self
    }

    /// Removes a family of resources, with its completions.
    pub fn remove_resource_template(mut self, uri_template: &str) -> Self {
        self.touched.resources |= retain(&mut self.parts.templates, |(shown, _)| shown.uri_template != uri_template);
        self.parts.completions.retain(|(of, _), _| !matches!(of, Of::Template(uri) if uri == uri_template));
        self
    }

    /// Removes a prompt, with its completions.
    pub fn remove_prompt(mut self, name: &str) -> Self {
        self.touched.prompts |= retain(&mut self.parts.prompts, |entry| entry.prompt.name != name);
        self.parts.completions.retain(|(of, _), _| !matches!(of, Of::Prompt(other) if other == name));
        self
    }

    /// Checks everything and renders the lists.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn build(self) -> Result<Server, BuildError> {
        Server::of(self)
    }
}

/// Whether anything went.
fn retain<T>(all: &mut Vec<T>, keep: impl FnMut(&T) -> bool) -> bool {
    let before = all.len();
    all.retain(keep);
    all.len() != before
}
