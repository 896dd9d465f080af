//! What a service offers. The one source for registry entry, tool, OpenAPI and command-line docs.

use std::time::Duration;

use serde::Serialize;

use crate::Schema;

/// A whole service: its name and the endpoints of all its handlers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceDescriptor {
    /// Name in the registry, for example `users`.
    pub name: String,
    /// Version of the service, free text.
    pub version: String,
    /// What the service is for; becomes instructions for the model.
    pub description: String,
    /// Everything that can be called.
    pub endpoints: Vec<EndpointDescriptor>,
}

/// One handler type, as the `#[service]` macro sees it: it does not know yet in which service it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HandlerDescriptor {
    /// The type's name, for example `Users`.
    pub name: String,
    /// The doc comment of the impl or trait.
    pub description: String,
    /// Its endpoints, in the order of the source.
    pub endpoints: Vec<EndpointDescriptor>,
}

/// One endpoint: a name, a text, two schemas and the rules around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndpointDescriptor {
    /// `Type.Method`, for example `Users.Get`.
    pub name: String,
    /// A title for people.
    pub title: Option<String>,
    /// The doc comment without its tags: the tool description.
    pub description: String,
    /// Example arguments, each a JSON object that matches `input`.
    pub examples: Vec<String>,
    /// Any one of these scopes lets a caller in; none means everyone.
    pub scopes: Vec<String>,
    /// What a caller may assume about effects.
    pub hints: Hints,
    /// How long a call may take, when the service says so.
    pub timeout: Option<Duration>,
    /// What a call costs, in the units of the gateway's quotas.
    pub cost: Option<u32>,
    /// How long a result may be reused.
    pub cache: Option<Duration>,
    /// The arguments: always an object.
    pub input: Schema,
    /// The result, or one item of it when the endpoint streams. None when the method returns nothing.
    pub output: Option<Schema>,
    /// The endpoint answers with a stream of items.
    pub streaming: bool,
}

/// What a caller may assume about an endpoint's effects (MCP tool annotations). Unset means unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Hints {
    /// Changes nothing.
    pub read_only: bool,
    /// Calling twice is the same as calling once. Only such endpoints are retried.
    pub idempotent: bool,
    /// May destroy something.
    pub destructive: Option<bool>,
    /// Touches the world outside the service.
    pub open_world: Option<bool>,
}
