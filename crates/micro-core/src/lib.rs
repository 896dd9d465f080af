//! Words that two or more crates of Micro share.
//!
//! Knows names, descriptors, JSON Schemas, call metadata, trace identifiers and errors.
//! Does not know sockets, tokio, clocks, registries or MCP, and holds no type with one user.

mod context;
mod descriptor;
mod error;
mod metadata;
mod name;
mod schema;
mod trace;

pub use self::{
    context::Context,
    descriptor::{EndpointDescriptor, HandlerDescriptor, Hints, ServiceDescriptor},
    error::{Error, Result},
    metadata::{Metadata, header},
    name::{InvalidName, ToolName, check_service_name},
    schema::{InvalidSchema, Schema, Validator, Violation},
    trace::{TraceContext, TraceId},
};
