//! Putting a server together; everything that can be wrong with it is found here.

use std::{collections::HashMap, future::Future, sync::Arc};

use micro_core::{InvalidSchema, Schema, Validator};
use micro_mcp_proto::{
    Implementation, ListChanged, Prompt, PromptMessage, Resource, ResourceContents, ResourceTemplate, Revision,
    RpcError, ServerCapabilities, Tool, ToolAnnotations,
    headers::{self, InvalidAnnotation},
};
use schemars::JsonSchema;
use serde_json::{Map, Value, value::RawValue};
use tokio::sync::broadcast;

use super::{
    GetPrompt, PromptEntry, Read, ResourceEntry, Server, TemplateEntry, ToolEntry, ToolFn,
    pages::Layout,
    prompt,
    resource::{self, Template},
    tool,
};
use crate::{
    KeyRing, ServerInfo,
    result::{Cache, Identity},
};

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
    /// Only simple variables between literal text are understood.
    #[error("`{0}` is no URI template this server understands")]
    Template(String),
}

/// A server being put together. See [`Server::builder`].
#[must_use]
pub struct Builder {
    info: ServerInfo,
    keys: KeyRing,
    page_size: usize,
    cache: Cache,
    logging: bool,
    tools: Vec<(Tool, tool::Call)>,
    resources: Vec<(Resource, ResourceEntry)>,
    templates: Vec<(ResourceTemplate, resource::ReadFn)>,
    prompts: Vec<PromptEntry>,
    bad: Option<BuildError>,
}

/// A tool being described; [`ToolBuilder::handler`] puts it into its server.
#[must_use]
pub struct ToolBuilder {
    server: Builder,
    name: String,
    title: Option<String>,
    description: Option<String>,
    input: Option<Schema>,
    output: Option<Schema>,
    annotations: Option<ToolAnnotations>,
}

impl Builder {
    pub(super) fn new(name: String, version: String) -> Self {
        let implementation = Implementation { name, version, ..Implementation::default() };
        Self {
            info: ServerInfo { implementation, ..ServerInfo::default() },
            keys: KeyRing::random(),
            page_size: 100,
            cache: Cache::NONE,
            logging: false,
            tools: Vec::new(),
            resources: Vec::new(),
            templates: Vec::new(),
            prompts: Vec::new(),
            bad: None,
        }
    }

    /// How to use the server, for the model.
    pub fn instructions(mut self, text: impl Into<String>) -> Self {
        self.info.instructions = Some(text.into());
        self
    }

    /// How long and by whom lists and resources may be kept. Default: not at all.
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = cache;
        self
    }

    /// Declares that tools, resources and prompts may log ([`super::CallContext::log`]).
    pub fn logging(mut self) -> Self {
        self.logging = true;
        self
    }

    /// Entries on a page of a list. Default: 100.
    pub fn page_size(mut self, size: usize) -> Self {
        self.page_size = size.max(1);
        self
    }

    /// The keys of cursors, to share with other replicas. Default: one of this process's own.
    pub fn keys(mut self, keys: impl Into<KeyRing>) -> Self {
        self.keys = keys.into();
        self
    }

    /// Begins a tool.
    pub fn tool(self, name: impl Into<String>) -> ToolBuilder {
        ToolBuilder {
            server: self,
            name: name.into(),
            title: None,
            description: None,
            input: None,
            output: None,
            annotations: None,
        }
    }

    /// Adds a resource.
    pub fn resource<F, Fut>(mut self, resource: Resource, read: F) -> Self
    where
        F: Fn(Read) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ResourceContents, RpcError>> + Send + 'static,
    {
        self.resources.push((resource, ResourceEntry(resource::erase(read))));
        self
    }

    /// Adds a family of resources.
    pub fn resource_template<F, Fut>(mut self, template: ResourceTemplate, read: F) -> Self
    where
        F: Fn(Read) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ResourceContents, RpcError>> + Send + 'static,
    {
        self.templates.push((template, resource::erase(read)));
        self
    }

    /// Adds a prompt.
    pub fn prompt<F, Fut>(mut self, prompt: Prompt, get: F) -> Self
    where
        F: Fn(GetPrompt) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<PromptMessage>, RpcError>> + Send + 'static,
    {
        self.prompts.push(PromptEntry { prompt, get: prompt::erase(get) });
        self
    }

    /// Checks everything and renders the lists.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn build(mut self) -> Result<Server, BuildError> {
        if let Some(bad) = self.bad {
            return Err(bad);
        }
        let offer = |any: bool| any.then_some(ListChanged::YES);
        self.info.capabilities = ServerCapabilities {
            tools: offer(!self.tools.is_empty()),
            resources: offer(!self.resources.is_empty() || !self.templates.is_empty()),
            prompts: offer(!self.prompts.is_empty()),
            logging: self.logging.then(Map::new),
            ..ServerCapabilities::default()
        };
        let identity = Identity::of(&self.info);
        let layout = Layout { size: self.page_size, cache: self.cache, identity: &identity, keys: &self.keys };

        let (shown, calls): (Vec<Tool>, Vec<tool::Call>) = self.tools.into_iter().unzip();
        // Older revisions skip what they do not know.
        let legacy: Vec<_> = shown.iter().map(|tool| tool.clone().for_revision(Revision::LATEST_LEGACY)).collect();
        let tool_pages = layout.pages("tools", &shown, &legacy);
        let entries = shown.into_iter().zip(calls).map(|(tool, call)| ready(tool, call));
        let tools = entries.collect::<Result<Vec<_>, _>>()?;

        let (shown, entries): (Vec<Resource>, Vec<ResourceEntry>) = self.resources.into_iter().unzip();
        let resource_pages = layout.pages("resources", &shown, &shown);
        let resources = shown.into_iter().map(|resource| resource.uri).zip(entries);

        let (shown, reads): (Vec<ResourceTemplate>, Vec<_>) = self.templates.into_iter().unzip();
        let template_pages = layout.pages("resourceTemplates", &shown, &shown);
        let templates = shown.into_iter().zip(reads).map(|(shown, read)| match Template::parse(&shown.uri_template) {
            Some(template) => Ok(TemplateEntry { template, read }),
            None => Err(BuildError::Template(shown.uri_template)),
        });

        let shown: Vec<&Prompt> = self.prompts.iter().map(|entry| &entry.prompt).collect();
        let prompt_pages = layout.pages("prompts", &shown, &shown);
        let prompts = self.prompts.into_iter().map(|entry| (entry.prompt.name.clone(), entry));

        Ok(Server {
            tools: unique(tools)?,
            resources: unique(resources)?,
            templates: templates.collect::<Result<_, _>>()?,
            prompts: unique(prompts)?,
            cache: self.cache,
            info: Arc::new(self.info),
            changes: broadcast::channel(64).0,
            tool_pages,
            resource_pages,
            template_pages,
            prompt_pages,
            identity,
        })
    }
}

impl ToolBuilder {
    /// What it does, for the model.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Its name for people.
    pub fn title(mut self, text: impl Into<String>) -> Self {
        self.title = Some(text.into());
        self
    }

    /// Shows the schema of this type instead of the closure's argument type.
    pub fn input_schema<T: JsonSchema>(self) -> Self {
        self.input_schema_raw(tool::schema_of::<T>())
    }

    /// Shows this schema, word for word.
    pub fn input_schema_raw(mut self, schema: Schema) -> Self {
        self.input = Some(schema);
        self
    }

    /// The schema of `structuredContent`. Results are not checked against it.
    pub fn output_schema<T: JsonSchema>(mut self) -> Self {
        self.output = Some(tool::schema_of::<T>());
        self
    }

    /// Hints on its behaviour.
    pub fn annotations(mut self, annotations: ToolAnnotations) -> Self {
        self.annotations = Some(annotations);
        self
    }

    /// What runs when it is called; ends the description.
    pub fn handler<M: 'static, F: ToolFn<M>>(self, handler: F) -> Builder {
        let mut server = self.server;
        let input = self.input.unwrap_or_else(tool::schema_of::<F::Args>);
        let shown = Tool {
            title: self.title,
            description: self.description,
            output_schema: self.output.map(|schema| schema.as_raw().to_owned()),
            annotations: self.annotations,
            ..Tool::new(self.name, input.as_raw().to_owned())
        };
        let valid = (1..=128).contains(&shown.name.len())
            && shown.name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if !valid {
            server.bad.get_or_insert(BuildError::Name(shown.name.clone()));
        }
        server.tools.push((shown, tool::erase(handler)));
        server
    }
}

/// Compiles what a call needs.
fn ready(tool: Tool, call: tool::Call) -> Result<(String, ToolEntry), BuildError> {
    let Tool { name, input_schema, .. } = tool;
    let wrong = |source| BuildError::Schema { tool: name.clone(), source };
    let schema = Schema::parse(input_schema.get()).map_err(wrong)?;
    let validator = Validator::compile(&schema).map_err(wrong)?;
    if !is_object_schema(&input_schema) {
        return Err(BuildError::NoObject(name));
    }
    let mirrored = headers::collect(&input_schema);
    let mirrored = mirrored.map_err(|source| BuildError::Header { tool: name.clone(), source })?;
    Ok((name, ToolEntry { call, validator, mirrored }))
}

fn is_object_schema(schema: &RawValue) -> bool {
    let value: Value = serde_json::from_str(schema.get()).unwrap_or_default();
    value.get("type").and_then(Value::as_str) == Some("object")
}

fn unique<T>(named: impl IntoIterator<Item = (String, T)>) -> Result<HashMap<Box<str>, T>, BuildError> {
    let mut all = HashMap::new();
    for (name, item) in named {
        if all.insert(Box::from(name.as_str()), item).is_some() {
            return Err(BuildError::Twice(name));
        }
    }
    Ok(all)
}
