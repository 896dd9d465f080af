//! What a server offers at one time: entries to look up, and lists rendered.

use std::{collections::HashMap, sync::Arc};

use micro_core::{Schema, Validator};
use micro_mcp_proto::{
    ListChanged, Prompt, Resource, ResourceTemplate, Revision, ServerCapabilities, TASKS_EXTENSION, Tool, headers,
};
use serde_json::{Map, Value, value::RawValue};

use super::{
    BuildError,
    builder::Parts,
    completion::{Completions, Of},
    pages::{Layout, Pages},
    prompt::PromptEntry,
    resource::{ReadFn, TemplateEntry},
    tasks::Plan,
    tool::{self, ToolEntry},
};
use crate::{
    ServerInfo,
    ask::Rounds,
    result::{Cache, Identity},
    task::Tasks,
};

/// A snapshot; a change of the server makes a new one.
pub(super) struct Offer {
    pub(super) info: Arc<ServerInfo>,
    pub(super) identity: Identity,
    pub(super) cache: Cache,
    pub(super) rounds: Rounds,
    /// None when no tool runs as a task.
    pub(super) tasks: Option<Arc<Tasks>>,
    pub(super) tools: HashMap<Box<str>, Arc<ToolEntry>>,
    pub(super) tool_pages: Pages,
    pub(super) resources: HashMap<Box<str>, ReadFn>,
    pub(super) resource_pages: Pages,
    pub(super) templates: Vec<Arc<TemplateEntry>>,
    pub(super) template_pages: Pages,
    pub(super) prompts: HashMap<Box<str>, Arc<PromptEntry>>,
    pub(super) prompt_pages: Pages,
    pub(super) completions: Completions,
}

impl Offer {
    /// Checks everything and renders the lists.
    pub(super) fn of(parts: &Parts) -> Result<Self, BuildError> {
        let mut info = parts.info.clone();
        info.capabilities = capabilities(parts);
        let identity = Identity::of(&info);
        let layout =
            Layout { size: parts.page_size, cache: parts.cache, identity: &identity, keys: &parts.rounds.keys };

        let shown: Vec<&Tool> = parts.tools.iter().map(|(tool, _)| tool).collect();
        // Older revisions skip what they do not know.
        let legacy: Vec<Tool> = shown.iter().map(|&tool| tool.clone().for_revision(Revision::LATEST_LEGACY)).collect();
        let tool_pages = layout.pages("tools", &shown, &legacy);
        let tools = unique(parts.tools.iter().map(|(tool, entry)| (&tool.name, entry.clone())))?;

        let shown: Vec<&Resource> = parts.resources.iter().map(|(resource, _)| resource).collect();
        let resource_pages = layout.pages("resources", &shown, &shown);
        let resources = unique(parts.resources.iter().map(|(resource, read)| (&resource.uri, read.clone())))?;

        let shown: Vec<&ResourceTemplate> = parts.templates.iter().map(|(template, _)| template).collect();
        let template_pages = layout.pages("resourceTemplates", &shown, &shown);
        unique(shown.iter().map(|template| (&template.uri_template, ())))?;

        let shown: Vec<&Prompt> = parts.prompts.iter().map(|entry| &entry.prompt).collect();
        let prompt_pages = layout.pages("prompts", &shown, &shown);
        let prompts = unique(parts.prompts.iter().map(|entry| (&entry.prompt.name, entry.clone())))?;

        if let Some((of, argument)) = parts.completions.keys().find(|(of, argument)| !completes(parts, of, argument)) {
            return Err(BuildError::Completion(format!("{argument} of {}", of.name())));
        }
        Ok(Self {
            info: Arc::new(info),
            cache: parts.cache,
            rounds: parts.rounds.clone(),
            tasks: runs_tasks(parts).then(|| Tasks::new(parts.tasks.clone(), parts.rounds.keys.clone())),
            templates: parts.templates.iter().map(|(_, entry)| entry.clone()).collect(),
            completions: parts.completions.clone(),
            identity,
            tools,
            tool_pages,
            resources,
            resource_pages,
            template_pages,
            prompts,
            prompt_pages,
        })
    }

    /// Whether there is such a prompt or template.
    pub(super) fn knows(&self, of: &Of) -> bool {
        match of {
            Of::Prompt(name) => self.prompts.contains_key(&**name),
            Of::Template(uri) => self.templates.iter().any(|entry| entry.uri_template == *uri),
        }
    }
}

fn capabilities(parts: &Parts) -> ServerCapabilities {
    let told = ListChanged { list_changed: parts.list_changes, ..ListChanged::default() };
    let offer = |any: bool| any.then_some(told);
    let resources = offer(!parts.resources.is_empty() || !parts.templates.is_empty());
    let mut extensions = Map::new();
    if runs_tasks(parts) {
        extensions.insert(TASKS_EXTENSION.to_owned(), Value::Object(Map::new()));
    }
    ServerCapabilities {
        tools: offer(!parts.tools.is_empty()),
        resources: resources.map(|list| ListChanged { subscribe: parts.subscriptions, ..list }),
        prompts: offer(!parts.prompts.is_empty()),
        completions: (!parts.completions.is_empty()).then(Map::new),
        logging: parts.logging.then(Map::new),
        extensions,
        ..ServerCapabilities::default()
    }
}

fn runs_tasks(parts: &Parts) -> bool {
    parts.tools.iter().any(|(_, entry)| entry.task.is_some())
}

/// Whether there is anything this completes.
fn completes(parts: &Parts, of: &Of, argument: &str) -> bool {
    match of {
        Of::Prompt(name) => {
            let prompt = parts.prompts.iter().find(|entry| entry.prompt.name == *name);
            prompt.is_some_and(|entry| entry.prompt.arguments.iter().any(|known| known.name == argument))
        }
        Of::Template(uri) => {
            let entry = parts.templates.iter().find(|(template, _)| template.uri_template == *uri);
            entry.is_some_and(|(_, entry)| entry.template.has(argument))
        }
    }
}

/// Compiles what calls of a tool need.
pub(super) fn ready(tool: &Tool, call: tool::Call, task: Option<Plan>) -> Result<ToolEntry, BuildError> {
    let wrong = |source| BuildError::Schema { tool: tool.name.clone(), source };
    let schema = Schema::parse(tool.input_schema.get()).map_err(wrong)?;
    let validator = Validator::compile(&schema).map_err(wrong)?;
    if !is_object_schema(&tool.input_schema) {
        return Err(BuildError::NoObject(tool.name.clone()));
    }
    let mirrored = headers::collect(&tool.input_schema);
    let mirrored = mirrored.map_err(|source| BuildError::Header { tool: tool.name.clone(), source })?;
    Ok(ToolEntry { call, validator, mirrored, task })
}

fn is_object_schema(schema: &RawValue) -> bool {
    let value: Value = serde_json::from_str(schema.get()).unwrap_or_default();
    value.get("type").and_then(Value::as_str) == Some("object")
}

fn unique<'a, T>(named: impl IntoIterator<Item = (&'a String, T)>) -> Result<HashMap<Box<str>, T>, BuildError> {
    let mut all = HashMap::new();
    for (name, item) in named {
        if all.insert(Box::from(name.as_str()), item).is_some() {
            return Err(BuildError::Twice(name.clone()));
        }
    }
    Ok(all)
}
