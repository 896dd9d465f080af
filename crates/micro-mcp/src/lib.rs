//! MCP servers and clients, for every revision from 2024-11-05 to 2026-07-28, over every transport there is.
//!
//! Knows the protocol's course: eras, sessions, streams, headers, what is checked in which order.
//! Does not know the registry, services, tenants or policies: a [`Handler`] answers, whoever that is.

mod ask;
#[cfg(feature = "oauth")]
pub mod auth;
#[cfg(feature = "client")]
pub mod client;
mod cx;
mod engine;
#[cfg(feature = "macros")]
mod glue;
pub mod http;
pub mod layer;
mod outlet;
mod port;
pub mod result;
mod running;
mod seal;
mod server;
mod session;
pub mod stdio;
pub mod task;
mod time;
mod trace;
pub mod transport;

pub use self::{
    ask::{Ask, AskError, InputRequired, InvalidState},
    cx::Cx,
    layer::Layer,
    port::{CallParams, Change, Failure, Handler, Peer, Principal, Refusal, Request, ServerInfo, Transport},
    seal::{InvalidKeys, Key, KeyRing},
    server::{
        BuildError, Builder, CallContext, CallError, Complete, GetPrompt, IntoContents, IntoMessages, IntoToolResult,
        Json, Live, NoArgs, Notifier, Read, Server, ToolBuilder, ToolFn, ToolSet,
    },
    trace::TraceContext,
};
#[cfg(feature = "macros")]
#[doc = include_str!("tools.md")]
pub use micro_macros::tools;
pub use micro_mcp_proto as proto;

/// For the output of the `#[tools]` macro only.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __private {
    pub use crate::glue::*;
}
