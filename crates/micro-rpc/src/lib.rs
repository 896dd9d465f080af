//! Services and the calls between them.
//!
//! Knows how endpoints are dispatched, the wire (go-micro's, over HTTP/1.1 and h2c), how a node is
//! chosen and when a call is tried again. Does not know MCP, the gateway or its policies.

mod call;
mod client;
#[cfg_attr(not(feature = "assertions"), path = "no_gateway_keys.rs")]
mod gateway_keys;
#[doc(hidden)]
pub mod glue;
mod ndjson;
mod router;
mod selector;
mod server;
mod service;
mod wire;

pub use self::{
    call::{Caller, Outgoing},
    client::Client,
    gateway_keys::GatewayKeys,
    router::{InvalidService, Router},
    server::{Config, Server},
    service::{Items, Reply, Service},
};
