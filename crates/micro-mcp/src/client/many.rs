//! Several servers as one: names prefixed, replicas balanced, and none that fails takes the others with it.

mod replica;

use std::{collections::HashMap, future::IntoFuture, sync::Arc, time::Duration};

use futures_core::future::BoxFuture;
use futures_util::future::join_all;
use micro_mcp_proto::{CallToolResult, Prompt, Tool};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio_util::task::AbortOnDropHandle;

pub use self::replica::Balance;
use self::replica::{Group, Question, Replica};
use super::{Client, Error};

/// Between a server's name and that of its tool.
const SEPARATOR: &str = "__";
/// How often replicas that failed are looked at again.
const CHECK: Duration = Duration::from_secs(5);

/// Several servers as one. Cheap to clone.
///
/// A tool `find` of the server `search` is called `search__find`. A server that cannot be reached is left out of
/// lists; its calls fail at once while its breaker is open, and it is looked at in the background until it is back.
///
/// ```
/// # use std::sync::Arc;
/// # use micro_mcp::{NoArgs, Server, client::{Balance, Client, Many}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = |says: &'static str| -> Result<Arc<Server>, micro_mcp::BuildError> {
///     Server::builder("s", "1").tool("say").handler(move |_: NoArgs| async move { says }).build().map(Arc::new)
/// };
/// let (files, search, other) = (server("files")?, server("found")?, server("found")?);
/// let many = Many::builder()
///     .server("files", move || Client::builder().in_process(files.clone()))?
///     .replica("search", Balance::LeastInFlight, move || Client::builder().in_process(search.clone()))?
///     .replica("search", Balance::LeastInFlight, move || Client::builder().in_process(other.clone()))?
///     .server("gone", || Client::connect("http://127.0.0.1:1/mcp"))?
///     .build();
/// let listing = many.tools().await;
/// let names: Vec<_> = listing.items.iter().map(|tool| tool.name.as_str()).collect();
/// assert_eq!(names, ["files__say", "search__say"]);
/// assert_eq!(listing.failed[0].0, "gone");
/// assert_eq!(many.call("search__say").await?.content[0].as_text(), Some("found"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Many(Arc<Shared>);

struct Shared {
    groups: Arc<Vec<Group>>,
    /// Tools that may be called twice, as far as their lists said so.
    repeatable: Mutex<HashMap<String, bool>>,
    _checking: AbortOnDropHandle<()>,
}

/// Servers to be.
#[derive(Default)]
#[must_use = "nothing is connected to until it is built"]
pub struct ManyBuilder(Vec<Group>);

/// What all servers have, and which of them could not be asked.
#[derive(Debug)]
pub struct Listing<T> {
    /// What the others have, with prefixed names.
    pub items: Vec<T>,
    /// Servers that could not be asked, and why.
    pub failed: Vec<(String, Error)>,
}

impl Many {
    /// Begins with no server.
    pub fn builder() -> ManyBuilder {
        ManyBuilder::default()
    }

    /// The tools of all servers that can be reached.
    pub async fn tools(&self) -> Listing<Tool> {
        let tools = |client: Client| -> BoxFuture<'static, _> { Box::pin(async move { client.tools().await }) };
        let listing = self.list(&tools, |tool: &mut Tool| &mut tool.name).await;
        let hints = listing.items.iter().map(|tool| {
            let hint = tool.annotations.as_ref();
            let yes = |hint: Option<bool>| hint == Some(true);
            (tool.name.clone(), hint.is_some_and(|h| yes(h.read_only_hint) || yes(h.idempotent_hint)))
        });
        self.0.repeatable.lock().extend(hints);
        listing
    }

    /// The prompts of all servers that have any and can be reached.
    pub async fn prompts(&self) -> Listing<Prompt> {
        let prompts = |client: Client| -> BoxFuture<'static, _> {
            Box::pin(async move {
                match client.server().await?.capabilities.prompts {
                    Some(_) => client.prompts().await,
                    None => Ok(Arc::default()),
                }
            })
        };
        self.list(&prompts, |prompt: &mut Prompt| &mut prompt.name).await
    }

    /// Calls a tool by its prefixed name.
    pub fn call(&self, name: impl Into<String>) -> ManyCall<'_> {
        ManyCall { many: self, name: name.into(), arguments: Ok(None), key: None, repeatable: None }
    }

    /// A client of this server, for everything else; of replicas, the one whose turn it is.
    ///
    /// # Errors
    /// When there is no such server, or it cannot be reached.
    pub async fn server(&self, name: &str) -> Result<Client, Error> {
        let group = self.group(name)?;
        let replica = group.pick(None, &[]).ok_or_else(unavailable)?;
        group.replicas[replica].client().await
    }

    fn group(&self, name: &str) -> Result<&Group, Error> {
        let group = self.0.groups.iter().find(|group| group.name == name);
        group.ok_or_else(|| Error::Address(format!("no server is called {name:.100}")))
    }

    async fn list<T: Clone>(&self, ask: &Question<'_, Arc<[T]>>, name: impl Fn(&mut T) -> &mut String) -> Listing<T> {
        let asked = self.0.groups.iter().map(async |group| (&group.name, group.run(None, true, ask).await));
        let mut listing = Listing { items: Vec::new(), failed: Vec::new() };
        for (server, outcome) in join_all(asked).await {
            match outcome {
                Err(error) => listing.failed.push((server.clone(), error)),
                Ok(items) => listing.items.extend(items.iter().cloned().map(|mut item| {
                    let prefixed = format!("{server}{SEPARATOR}{}", name(&mut item));
                    *name(&mut item) = prefixed;
                    item
                })),
            }
        }
        listing
    }
}

impl ManyBuilder {
    /// Adds a server of this name. The function connects to it, when it is first needed and whenever it was lost.
    ///
    /// # Errors
    /// When the name is taken, empty, or holds two underscores in a row.
    pub fn server<Fut>(self, name: &str, connect: impl Fn() -> Fut + Send + Sync + 'static) -> Result<Self, Error>
    where
        Fut: Future<Output = Result<Client, Error>> + Send + 'static,
    {
        match self.0.iter().any(|group| group.name == name) {
            true => Err(Error::Address(format!("two servers are called {name:.100}"))),
            false => self.replica(name, Balance::RoundRobin, connect),
        }
    }

    /// Adds one more replica of the server of this name. Calls are spread as its first replica said.
    ///
    /// # Errors
    /// When the name is empty, or holds two underscores in a row.
    pub fn replica<Fut>(
        mut self,
        name: &str,
        balance: Balance,
        connect: impl Fn() -> Fut + Send + Sync + 'static,
    ) -> Result<Self, Error>
    where
        Fut: Future<Output = Result<Client, Error>> + Send + 'static,
    {
        if name.is_empty() || name.contains(SEPARATOR) {
            return Err(Error::Address(format!("{name:.100} cannot be the name of a server")));
        }
        let replica = Arc::new(Replica::new(Box::new(move || Box::pin(connect()))));
        match self.0.iter_mut().find(|group| group.name == name) {
            Some(group) => group.replicas.push(replica),
            None => self.0.push(Group::new(name, balance, replica)),
        }
        Ok(self)
    }

    /// All of them as one. Nothing is connected to yet; must be called within a tokio runtime.
    pub fn build(self) -> Many {
        let groups = Arc::new(self.0);
        let checked = groups.clone();
        let checking = tokio::spawn(async move {
            loop {
                tokio::time::sleep(CHECK).await;
                let ill = checked.iter().flat_map(|group| &group.replicas).filter(|replica| replica.is_ill());
                join_all(ill.map(|replica| replica.check())).await;
            }
        });
        let _checking = AbortOnDropHandle::new(checking);
        Many(Arc::new(Shared { groups, repeatable: Mutex::default(), _checking }))
    }
}

/// A call of one tool of one of the servers. Awaiting it makes the call; dropping the future cancels it.
#[must_use = "a call does nothing until it is awaited"]
pub struct ManyCall<'m> {
    many: &'m Many,
    name: String,
    arguments: Result<Option<Box<RawValue>>, serde_json::Error>,
    key: Option<String>,
    repeatable: Option<bool>,
}

impl ManyCall<'_> {
    /// The arguments: anything that is a JSON object.
    pub fn args(mut self, arguments: &(impl Serialize + ?Sized)) -> Self {
        self.arguments = to_raw_value(arguments).map(Some);
        self
    }

    /// Calls with the same key go to the same replica while it is well ([`Balance::Sticky`]).
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Whether another replica may be asked when one was lost during the call. Without this, what the tool's
    /// hints said when it was last listed; without those, no.
    pub fn idempotent(mut self, yes: bool) -> Self {
        self.repeatable = Some(yes);
        self
    }

    async fn run(self) -> Result<CallToolResult, Error> {
        let unknown = || Error::Address(format!("{:.100} names no server", self.name));
        let (server, tool) = self.name.split_once(SEPARATOR).ok_or_else(unknown)?;
        let group = self.many.group(server)?;
        let listed = || self.many.0.repeatable.lock().get(&self.name).copied().unwrap_or(false);
        let repeatable = self.repeatable.unwrap_or_else(listed);
        let arguments = self.arguments?;
        let call = |client: Client| -> BoxFuture<'static, _> {
            let (tool, arguments) = (tool.to_owned(), arguments.clone());
            Box::pin(async move {
                match &arguments {
                    Some(arguments) => client.call(tool).args(arguments).await,
                    None => client.call(tool).await,
                }
            })
        };
        group.run(self.key.as_deref(), repeatable, &call).await
    }
}

impl<'m> IntoFuture for ManyCall<'m> {
    type Output = Result<CallToolResult, Error>;
    type IntoFuture = BoxFuture<'m, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// No replica may be asked just now.
fn unavailable() -> Error {
    Error::Unreachable("every replica has failed lately".into())
}
