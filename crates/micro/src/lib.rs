//! Micro: every microservice is AI-native by default.
//!
//! An ordinary Rust service becomes, through its doc comments and types, a set of tools that every
//! MCP client can call:
//!
//! ```no_run
//! use micro::prelude::*;
//!
//! /// Greets people.
//! struct Greeter;
//!
//! #[micro::service]
//! impl Greeter {
//!     /// Say hello to someone by name.
//!     ///
//!     /// @example {"name": "Ada"}
//!     #[endpoint(read_only)]
//!     async fn hello(&self, /** Whom to greet. */ name: String) -> Result<String> {
//!         Ok(format!("Hello, {name}!"))
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> micro::Result<()> {
//!     micro::service("greeter").handle(Greeter).mcp("127.0.0.1:3000").run().await
//! }
//! ```
//!
//! This crate is the facade: it names what the crates below offer and holds no logic of its own.

mod app;
#[cfg(feature = "gateway")]
mod embedded;

pub use micro_core::{
    Context, EndpointDescriptor, Error, HandlerDescriptor, Hints, Metadata, Result, Schema, ServiceDescriptor,
};
/// Everything of a gateway that can be named: settings, the catalog, audit logs. [`gateway()`] begins one.
#[cfg(feature = "gateway")]
pub use micro_gateway as gateway;
#[doc = include_str!("service.md")]
pub use micro_macros::service;
pub use micro_registry as registry;
pub use micro_rpc::{Caller, Client, InvalidService, Outgoing, Reply, Router, Service};
pub use micro_runtime::Drain;

pub use self::app::{App, client, serve, service};
#[cfg(feature = "gateway")]
pub use self::embedded::{GatewayApp, gateway};

/// What a service's source usually needs.
pub mod prelude {
    pub use futures_core::Stream;
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};

    pub use crate::{Context, Error, Result};
}

/// For the output of the `#[service]` macro only.
#[doc(hidden)]
pub mod __private {
    pub use micro_core::{Context, Error};
    pub use micro_rpc::{Caller, Reply, Service, glue::*};
}

/// The guide, whose services must compile.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/writing-a-service.md")]
struct WritingAService;
