//! Lists: cursors followed, answers kept as long as the server says, tools that break the rules dropped.

use std::{collections::HashMap, sync::Arc};

use micro_mcp_proto::{
    Prompt, Resource, ResourceContents, ResourceTemplate, RpcError, Tool, code,
    headers::{self, ParamHeader},
};
use parking_lot::Mutex;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    Changed, Client, Error,
    cache::{Cache, Hints},
    message::Members,
};

/// Pages of one list; a server that has more goes round in circles.
const MAX_PAGES: usize = 10_000;

/// A tool of the server that this client does not offer, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedTool {
    /// Its name, as far as it has one.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What the server said of itself and what it holds, while it is fresh.
#[derive(Default)]
pub(crate) struct Known {
    tools: Cache<(), [Tool]>,
    prompts: Cache<(), [Prompt]>,
    resources: Cache<(), [Resource]>,
    templates: Cache<(), [ResourceTemplate]>,
    /// What resources hold, by URI.
    pub(super) contents: Cache<String, [ResourceContents]>,
    /// Mirrored arguments by tool; known beyond the life of the list.
    mirrored: Mutex<HashMap<String, Arc<[ParamHeader]>>>,
    dropped: Mutex<Arc<[DroppedTool]>>,
}

impl Known {
    /// Forgets what is not so any more.
    pub(super) fn forget(&self, what: &Changed) {
        match what {
            Changed::Tools => self.tools.forget(|()| true),
            Changed::Prompts => self.prompts.forget(|()| true),
            Changed::Resources => {
                self.resources.forget(|()| true);
                self.templates.forget(|()| true);
                self.contents.forget(|_| true);
            }
            // What holds it has changed with it, and what is told may be what holds the one that changed.
            Changed::Resource(uri) => self.contents.forget(|kept| kept.starts_with(uri) || uri.starts_with(kept)),
        }
    }

    /// The mirrored arguments of a tool, as far as they are known.
    pub(super) fn mirrored(&self, tool: &str) -> Arc<[ParamHeader]> {
        self.mirrored.lock().get(tool).cloned().unwrap_or_default()
    }
}

/// One page of any list; its items are still raw.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    #[serde(borrow, alias = "prompts", alias = "resources", alias = "resourceTemplates")]
    tools: Vec<&'a RawValue>,
    #[serde(default)]
    next_cursor: Option<String>,
    #[serde(flatten)]
    hints: Hints,
}

impl Client {
    /// The server's tools, all pages. Those that break the rules are left out; see [`Client::dropped_tools`].
    ///
    /// # Errors
    /// When the server cannot be asked, or has no tools.
    pub async fn tools(&self) -> Result<Arc<[Tool]>, Error> {
        match self.fresh(&self.known().tools, &()).await? {
            Some(tools) => Ok(tools),
            None => self.refresh_tools().await,
        }
    }

    /// Tools that the last list left out.
    ///
    /// ```
    /// # use micro_mcp::client::{Client, Error};
    /// async fn list(client: &Client) -> Result<(), Error> {
    ///     for tool in client.tools().await?.iter() {
    ///         println!("{}", tool.name);
    ///     }
    ///     for tool in client.dropped_tools().iter() {
    ///         println!("{} is left out: {}", tool.name, tool.reason);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn dropped_tools(&self) -> Arc<[DroppedTool]> {
        self.known().dropped.lock().clone()
    }

    /// The server's prompts, all pages.
    ///
    /// # Errors
    /// When the server cannot be asked, or has no prompts.
    pub async fn prompts(&self) -> Result<Arc<[Prompt]>, Error> {
        self.list("prompts/list", &self.known().prompts).await
    }

    /// The server's resources, all pages.
    ///
    /// # Errors
    /// When the server cannot be asked, or has no resources.
    pub async fn resources(&self) -> Result<Arc<[Resource]>, Error> {
        self.list("resources/list", &self.known().resources).await
    }

    /// The server's resource templates, all pages.
    ///
    /// # Errors
    /// When the server cannot be asked, or has no resources.
    pub async fn resource_templates(&self) -> Result<Arc<[ResourceTemplate]>, Error> {
        self.list("resources/templates/list", &self.known().templates).await
    }

    pub(super) async fn refresh_tools(&self) -> Result<Arc<[Tool]>, Error> {
        let link = self.0.core.link().await?;
        // Elsewhere nothing is mirrored, and a wrong annotation does no harm.
        let strict = link.mirrors;
        let asked = self.asked(&self.known().tools).await?;
        let List { items: raw, bytes, hints } = self.pages("tools/list").await?;
        let (mut tools, mut dropped, mut mirrored) = (Vec::new(), Vec::new(), HashMap::new());
        for raw in raw {
            match read_tool(&raw, strict) {
                Ok((tool, specs)) => {
                    if !specs.is_empty() {
                        mirrored.insert(tool.name.clone(), specs.into());
                    }
                    tools.push(tool);
                }
                Err(tool) => {
                    tracing::warn!(name = tool.name, reason = tool.reason, "a tool is left out");
                    dropped.push(tool);
                }
            }
        }
        let tools: Arc<[Tool]> = tools.into();
        *self.known().mirrored.lock() = mirrored;
        *self.known().dropped.lock() = dropped.into();
        self.keep(&self.known().tools, asked, (), &tools, bytes, hints).await?;
        Ok(tools)
    }

    async fn list<T: DeserializeOwned>(&self, method: &'static str, cache: &Cache<(), [T]>) -> Result<Arc<[T]>, Error> {
        if let Some(list) = self.fresh(cache, &()).await? {
            return Ok(list);
        }
        let asked = self.asked(cache).await?;
        let List { items, bytes, hints } = self.pages(method).await?;
        let items: Result<Vec<T>, _> = items.iter().map(|raw| serde_json::from_str(raw.get())).collect();
        let list: Arc<[T]> = items?.into();
        self.keep(cache, asked, (), &list, bytes, hints).await?;
        Ok(list)
    }

    /// Every page's items. A cursor that became invalid on the way begins the list anew, once.
    async fn pages(&self, method: &'static str) -> Result<List, Error> {
        let mut list = List::default();
        let (mut cursor, mut anew) = (None, true);
        for _ in 0..MAX_PAGES {
            let members = Members::default();
            let members = cursor.as_deref().map_or(members.clone(), |cursor| members.text("cursor", cursor));
            let page = match self.plain(method, members).await {
                Err(Error::Rpc(RpcError { code: code::INVALID_PARAMS, .. })) if cursor.is_some() && anew => {
                    (list, cursor, anew) = (List::default(), None, false);
                    continue;
                }
                page => page?,
            };
            list.bytes += page.get().len();
            let page: Page<'_> = serde_json::from_str(page.get())?;
            list.items.extend(page.tools.into_iter().map(ToOwned::to_owned));
            list.hints = list.hints.and(page.hints);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(list);
            }
        }
        Err(Error::protocol(format!("a list of more than {MAX_PAGES} pages")))
    }
}

/// The items of all pages, still raw, and how long they are fresh.
struct List {
    items: Vec<Box<RawValue>>,
    /// Of all pages.
    bytes: usize,
    hints: Hints,
}

impl Default for List {
    fn default() -> Self {
        Self { items: Vec::new(), bytes: 0, hints: Hints::LOOSEST }
    }
}

/// A tool and its mirrored arguments, or why it is left out.
fn read_tool(raw: &RawValue, strict: bool) -> Result<(Tool, Vec<ParamHeader>), DroppedTool> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    let tool: Tool = serde_json::from_str(raw.get()).map_err(|error| DroppedTool {
        name: serde_json::from_str::<Named>(raw.get()).map(|named| named.name).unwrap_or_default(),
        reason: error.to_string(),
    })?;
    match headers::collect(&tool.input_schema) {
        Ok(specs) => Ok((tool, specs)),
        Err(_) if !strict => Ok((tool, Vec::new())),
        Err(invalid) => Err(DroppedTool { name: tool.name, reason: invalid.to_string() }),
    }
}
