//! Lists: cursors followed, answers kept as long as the server says, tools that break the rules dropped.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use micro_mcp_proto::{
    Prompt, Resource, ResourceTemplate, RpcError, Tool, code,
    headers::{self, ParamHeader},
};
use parking_lot::Mutex;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{Changed, Client, Error, message::Members};

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

/// What is known of the server's lists.
#[derive(Default)]
pub(crate) struct Lists {
    tools: Kept<Tool>,
    prompts: Kept<Prompt>,
    resources: Kept<Resource>,
    templates: Kept<ResourceTemplate>,
    /// Mirrored arguments by tool; known beyond the life of the list.
    mirrored: Mutex<HashMap<String, Arc<[ParamHeader]>>>,
    dropped: Mutex<Arc<[DroppedTool]>>,
}

/// A list, while it is fresh.
struct Kept<T>(Mutex<Option<(Arc<[T]>, Instant)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Kept<T> {
    fn get(&self) -> Option<Arc<[T]>> {
        let kept = self.0.lock();
        kept.as_ref().filter(|(_, until)| Instant::now() < *until).map(|(list, _)| list.clone())
    }

    fn keep(&self, list: &Arc<[T]>, ttl: Duration) {
        let until = Instant::now().checked_add(ttl).filter(|_| !ttl.is_zero());
        *self.0.lock() = until.map(|until| (list.clone(), until));
    }
}

impl Lists {
    /// Forgets what is not so any more.
    pub(super) fn forget(&self, what: &Changed) {
        match what {
            Changed::Tools => *self.tools.0.lock() = None,
            Changed::Prompts => *self.prompts.0.lock() = None,
            Changed::Resources => {
                *self.resources.0.lock() = None;
                *self.templates.0.lock() = None;
            }
            Changed::Resource(_) => {}
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
    /// Milliseconds; absent and negative mean none.
    #[serde(default)]
    ttl_ms: i64,
}

impl Client {
    /// The server's tools, all pages. Those that break the rules are left out; see [`Client::dropped_tools`].
    ///
    /// # Errors
    /// When the server cannot be asked, or has no tools.
    pub async fn tools(&self) -> Result<Arc<[Tool]>, Error> {
        match self.lists().tools.get() {
            Some(tools) => Ok(tools),
            None => self.refresh_tools().await,
        }
    }

    /// Tools that the last list left out.
    pub fn dropped_tools(&self) -> Arc<[DroppedTool]> {
        self.lists().dropped.lock().clone()
    }

    /// The server's prompts, all pages.
    ///
    /// # Errors
    /// When the server cannot be asked, or has no prompts.
    pub async fn prompts(&self) -> Result<Arc<[Prompt]>, Error> {
        self.list("prompts/list", &self.lists().prompts).await
    }

    /// The server's resources, all pages.
    ///
    /// # Errors
    /// When the server cannot be asked, or has no resources.
    pub async fn resources(&self) -> Result<Arc<[Resource]>, Error> {
        self.list("resources/list", &self.lists().resources).await
    }

    /// The server's resource templates, all pages.
    ///
    /// # Errors
    /// When the server cannot be asked, or has no resources.
    pub async fn resource_templates(&self) -> Result<Arc<[ResourceTemplate]>, Error> {
        self.list("resources/templates/list", &self.lists().templates).await
    }

    pub(super) async fn refresh_tools(&self) -> Result<Arc<[Tool]>, Error> {
        let link = self.0.core.link().await?;
        // Elsewhere nothing is mirrored, and a wrong annotation does no harm.
        let strict = link.mirrors;
        let (raw, ttl) = self.pages("tools/list").await?;
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
        *self.lists().mirrored.lock() = mirrored;
        *self.lists().dropped.lock() = dropped.into();
        self.lists().tools.keep(&tools, ttl);
        Ok(tools)
    }

    async fn list<T: DeserializeOwned>(&self, method: &'static str, kept: &Kept<T>) -> Result<Arc<[T]>, Error> {
        if let Some(list) = kept.get() {
            return Ok(list);
        }
        let (raw, ttl) = self.pages(method).await?;
        let items: Result<Vec<T>, _> = raw.iter().map(|raw| serde_json::from_str(raw.get())).collect();
        let list: Arc<[T]> = items?.into();
        kept.keep(&list, ttl);
        Ok(list)
    }

    /// Every page's items, and how long all of them are fresh. A cursor that became invalid on the way
    /// begins the list anew, once.
    async fn pages(&self, method: &'static str) -> Result<(Vec<Box<RawValue>>, Duration), Error> {
        let (mut items, mut ttl, mut cursor, mut anew) = (Vec::new(), i64::MAX, None, true);
        for _ in 0..MAX_PAGES {
            let members = Members::default();
            let members = cursor.as_deref().map_or(members.clone(), |cursor| members.text("cursor", cursor));
            let page = match self.0.core.plain(method, members).await {
                Err(Error::Rpc(RpcError { code: code::INVALID_PARAMS, .. })) if cursor.is_some() && anew => {
                    (anew, cursor) = (false, None);
                    items.clear();
                    continue;
                }
                page => page?,
            };
            let page: Page<'_> = serde_json::from_str(page.get())?;
            items.extend(page.tools.into_iter().map(ToOwned::to_owned));
            ttl = ttl.min(page.ttl_ms);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok((items, Duration::from_millis(ttl.try_into().unwrap_or(0))));
            }
        }
        Err(Error::protocol(format!("a list of more than {MAX_PAGES} pages")))
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
