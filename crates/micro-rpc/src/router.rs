//! A service with its handlers, callable without any transport.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::{FutureExt, TryStreamExt};
use micro_core::{Context, Error, Result, Schema, ServiceDescriptor, Validator, check_service_name};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Caller, Outgoing, Reply, Service};

/// A named service: handlers and the endpoints they bring. Cheap to clone.
#[derive(Clone)]
pub struct Router(Arc<Routes>);

struct Routes {
    descriptor: ServiceDescriptor,
    endpoints: HashMap<String, (Arc<dyn Service>, usize)>,
}

/// A service that cannot be offered as it is written. All its faults at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("service `{service}` cannot be offered:\n{}", faults.iter().map(|f| format!("  - {f}\n")).collect::<String>())]
pub struct InvalidService {
    /// The service's name.
    pub service: String,
    /// What is wrong with it.
    pub faults: Vec<String>,
}

impl Router {
    /// A service without endpoints; see [`Router::handle`].
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self(Arc::new(Routes {
            descriptor: ServiceDescriptor {
                name: name.into(),
                version: version.into(),
                description: String::new(),
                endpoints: Vec::new(),
            },
            endpoints: HashMap::new(),
        }))
    }

    /// The same service with another version.
    #[must_use]
    pub fn version(self, version: impl Into<String>) -> Self {
        let mut routes = self.into_routes();
        routes.descriptor.version = version.into();
        Self(Arc::new(routes))
    }

    /// Adds a handler's endpoints. The first handler's text becomes the service's.
    #[must_use]
    pub fn handle<S: Service>(self, handler: S) -> Self {
        let mut routes = self.into_routes();
        let (handler, offered) = (Arc::new(handler), S::descriptor());
        if routes.descriptor.description.is_empty() {
            routes.descriptor.description = offered.description;
        }
        for (index, endpoint) in offered.endpoints.into_iter().enumerate() {
            routes.endpoints.insert(endpoint.name.clone(), (handler.clone(), index));
            routes.descriptor.endpoints.push(endpoint);
        }
        Self(Arc::new(routes))
    }

    fn into_routes(self) -> Routes {
        Arc::try_unwrap(self.0).unwrap_or_else(|shared| Routes {
            descriptor: shared.descriptor.clone(),
            endpoints: shared.endpoints.clone(),
        })
    }

    /// What the service offers.
    pub fn descriptor(&self) -> &ServiceDescriptor {
        &self.0.descriptor
    }

    /// Checks names, schemas and examples, so that nothing broken is ever offered to a model.
    pub fn check(&self) -> Result<(), InvalidService> {
        let descriptor = self.descriptor();
        let mut faults = Vec::new();
        if let Err(error) = check_service_name(&descriptor.name) {
            faults.push(error.to_string());
        }
        if descriptor.endpoints.is_empty() {
            faults.push("it has no endpoints; add a handler with `.handle(…)`".to_owned());
        }
        for (i, endpoint) in descriptor.endpoints.iter().enumerate() {
            let name = &endpoint.name;
            if descriptor.endpoints[..i].iter().any(|e| e.name == *name) {
                faults.push(format!("two handlers offer `{name}`"));
            }
            if !takes_object(&endpoint.input) {
                faults.push(format!("`{name}`: its arguments are not an object; take a struct, or plain parameters"));
            }
            if let Some(Err(error)) = endpoint.output.as_ref().map(Validator::compile) {
                faults.push(format!("`{name}`: the answer's schema is {error}"));
            }
            match Validator::compile(&endpoint.input) {
                Err(error) => faults.push(format!("`{name}`: the arguments' schema is {error}")),
                Ok(validator) => {
                    for violation in endpoint.examples.iter().filter_map(|e| validator.check(e).err()).flatten() {
                        faults.push(format!("`{name}`: the @example does not match the arguments: {violation}"));
                    }
                }
            }
        }
        let service = descriptor.name.clone();
        if faults.is_empty() { Ok(()) } else { Err(InvalidService { service, faults }) }
    }

    /// Whether there is such an endpoint, for those who want to know before they read its arguments.
    pub(crate) fn offers(&self, endpoint: &str) -> Result<()> {
        if self.0.endpoints.contains_key(endpoint) { Ok(()) } else { Err(self.unknown(endpoint)) }
    }

    fn unknown(&self, endpoint: &str) -> Error {
        let service = &self.descriptor().name;
        Error::not_found(format!("service `{service}` has no endpoint `{endpoint}`")).with_id(service)
    }

    /// Runs one endpoint. A handler that panics answers with an internal error.
    pub async fn dispatch(&self, endpoint: &str, cx: Context, body: Bytes) -> Result<Reply> {
        let service = &self.descriptor().name;
        let (handler, index) = self.0.endpoints.get(endpoint).ok_or_else(|| self.unknown(endpoint))?;
        let running = AssertUnwindSafe(handler.clone().dispatch(*index, cx, body));
        let reply = match running.catch_unwind().await {
            Ok(reply) => reply,
            Err(_) => Err(Error::internal("internal error: the handler panicked")),
        };
        reply.map_err(|e| e.with_id(service))
    }

    /// Calls an endpoint in this process, for unit tests: `router.call("Users.Get", json!({"id": "7"}))`.
    /// A streaming endpoint's items come back as a list.
    ///
    /// # Errors
    /// The endpoint's own, and a code 500 when what it answers does not match its output schema. On the
    /// network that is not looked at: what the schema says is what these tests have shown.
    pub async fn call<T: DeserializeOwned>(&self, endpoint: &str, arguments: impl Serialize) -> Result<T> {
        let body = serde_json::to_vec(&arguments)?;
        match self.dispatch(endpoint, Context::default(), body.into()).await? {
            Reply::Value(json) => {
                self.check_output(endpoint, std::slice::from_ref(&json))?;
                Ok(serde_json::from_slice(&json)?)
            }
            Reply::Stream(items) => {
                let items: Vec<Bytes> = items.try_collect().await?;
                self.check_output(endpoint, &items)?;
                let list = [b"[".as_slice(), &items.join(&b","[..]), b"]"].concat();
                Ok(serde_json::from_slice(&list)?)
            }
        }
    }

    fn check_output(&self, endpoint: &str, answers: &[Bytes]) -> Result<()> {
        let described = self.descriptor().endpoints.iter().find(|e| e.name == endpoint);
        let Some(schema) = described.and_then(|e| e.output.as_ref()) else { return Ok(()) };
        let validator = Validator::compile(schema)
            .map_err(|e| Error::internal(format!("the output schema of `{endpoint}` is {e}")))?;
        for answer in answers {
            validator.check(&String::from_utf8_lossy(answer)).map_err(|violations| {
                let violations: String = violations.iter().map(|v| format!("\n  - {v}")).collect();
                Error::internal(format!("the answer of `{endpoint}` does not match its output schema:{violations}"))
            })?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Router {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Router").field(&self.0.descriptor).finish()
    }
}

/// MCP wants `"type": "object"` at the root, said outright.
fn takes_object(schema: &Schema) -> bool {
    #[derive(serde::Deserialize)]
    struct Root {
        r#type: Option<serde_json::Value>,
    }
    serde_json::from_str::<Root>(schema.as_str()).is_ok_and(|root| root.r#type.is_some_and(|t| t == "object"))
}

/// In the same process; the service name is not looked at, so one router can stand in for a peer.
impl Caller for Router {
    fn call(&self, call: Outgoing) -> BoxFuture<'_, Result<Reply>> {
        Box::pin(async move { self.dispatch(&call.endpoint, call.cx, call.body).await })
    }
}
