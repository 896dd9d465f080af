//! Descriptors, built from what the macro read.

use std::time::Duration;

use futures_core::future::BoxFuture;
use micro_core::{EndpointDescriptor, Error, HandlerDescriptor, Hints, Result, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Contract, schema, text::flow};
use crate::Reply;

/// The arguments of an endpoint that takes none.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub struct NoArguments {}

/// An endpoint that is being described: what is not said keeps its default.
#[derive(Debug, Clone)]
#[must_use]
pub struct Endpoint(EndpointDescriptor);

/// Describes a handler.
pub fn handler<const N: usize>(name: &str, description: &str, endpoints: [Endpoint; N]) -> HandlerDescriptor {
    HandlerDescriptor {
        name: name.to_owned(),
        description: flow(description),
        endpoints: endpoints.into_iter().map(|endpoint| endpoint.0).collect(),
    }
}

/// Describes an endpoint that takes an object and returns nothing.
pub fn endpoint(name: &str, description: &str) -> Endpoint {
    Endpoint(EndpointDescriptor {
        name: name.to_owned(),
        title: None,
        description: flow(description),
        examples: Vec::new(),
        scopes: Vec::new(),
        hints: Hints::default(),
        timeout: None,
        cost: None,
        cache: None,
        input: Schema::of(&serde_json::json!({"type": "object"})),
        output: None,
        streaming: false,
    })
}

impl Endpoint {
    pub fn title(mut self, title: &str) -> Self {
        self.0.title = Some(title.to_owned());
        self
    }

    pub fn examples(mut self, examples: &[&str]) -> Self {
        self.0.examples = owned(examples);
        self
    }

    pub fn scopes(mut self, scopes: &[&str]) -> Self {
        self.0.scopes = owned(scopes);
        self
    }

    pub fn read_only(mut self) -> Self {
        self.0.hints.read_only = true;
        self
    }

    pub fn idempotent(mut self) -> Self {
        self.0.hints.idempotent = true;
        self
    }

    pub fn destructive(mut self, destructive: bool) -> Self {
        self.0.hints.destructive = Some(destructive);
        self
    }

    pub fn open_world(mut self, open_world: bool) -> Self {
        self.0.hints.open_world = Some(open_world);
        self
    }

    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = Some(timeout);
        self
    }

    pub fn cost(mut self, cost: u32) -> Self {
        self.0.cost = Some(cost);
        self
    }

    pub fn cache(mut self, cache: Duration) -> Self {
        self.0.cache = Some(cache);
        self
    }

    pub fn input<T: JsonSchema>(mut self) -> Self {
        self.0.input = schema::<T>(Contract::Input, None);
        self
    }

    pub fn output<T: JsonSchema>(mut self) -> Self {
        self.0.output = Some(schema::<T>(Contract::Output, None));
        self
    }

    /// As [`Endpoint::output`], with a text about the result.
    pub fn output_with<T: JsonSchema>(mut self, description: &str) -> Self {
        self.0.output = Some(schema::<T>(Contract::Output, Some(description)));
        self
    }

    pub fn streaming(mut self) -> Self {
        self.0.streaming = true;
        self
    }
}

/// A number that no endpoint has: the caller of `dispatch` counted wrong.
pub fn unknown_endpoint(number: usize) -> BoxFuture<'static, Result<Reply>> {
    Box::pin(async move { Err(Error::internal(format!("there is no endpoint {number}"))) })
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
