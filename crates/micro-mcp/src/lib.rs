//! MCP servers and clients, for every revision from 2024-11-05 to 2026-07-28, over every transport there is.
//!
//! ```no_run
//! use micro_mcp::{NoArgs, Server};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let server = Server::builder("greeter", "1.0");
//!     let server = server.tool("hi").description("Say hello.").handler(|_: NoArgs| async { "Hello!" }).build()?;
//!     Ok(server.serve_stdio().await?)
//! }
//! ```
//!
//! | to | begin at |
//! | --- | --- |
//! | offer tools, resources, prompts | [`Server::builder`], [`macro@tools`] |
//! | tell and ask the client during a call | [`CallContext`], [`Ask`] |
//! | go on after the answer | [`task`] |
//! | serve HTTP, stdio, WebSocket, or pipes of your own | [`http`], [`stdio`], [`transport`] |
//! | be one of several replicas | [`KeyRing`] |
//! | put something around a server or a client | [`layer`] |
//! | call servers | [`client::Client`], [`client::Many`] |
//! | sign in to them | [`auth`] |
//! | answer in raw JSON | [`Handler`], [`result`] |
//!
//! `docs/mcp-sdk.md` in the repository is a guide from these three lines to a transport of your own.
//!
//! Knows the protocol's course: eras, sessions, streams, headers, what is checked in which order.
//! Does not know the registry, services, tenants or policies: a [`Handler`] answers, whoever that is.
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `server` (default) | servers: closures as tools, resources and prompts; sessions, tasks; over pipes of any kind |
//! | `http` (default) | Streamable HTTP, for servers |
//! | `stdio` (default) | standard input and output, for servers |
//! | `legacy-sse` | HTTP+SSE, as before 2025-03-26, for servers |
//! | `client` | clients: over HTTP of any age, child processes, and pipes |
//! | `oauth` | authorization, for clients |
//! | `websocket` | WebSocket, for whichever of both is there |
//! | `macros` | the attribute `#[tools]` |
//! | `suite` | the tests that every task store passes |

#![cfg_attr(
    not(feature = "http"),
    allow(dead_code, unused_imports, reason = "what both sides have, but not every transport uses")
)]

#[cfg(feature = "server")]
mod ask;
#[cfg(feature = "oauth")]
pub mod auth;
#[cfg(feature = "client")]
pub mod client;
mod cx;
#[cfg(feature = "server")]
mod engine;
#[cfg(feature = "macros")]
mod glue;
#[cfg(feature = "http")]
pub mod http;
pub mod layer;
#[cfg(feature = "server")]
mod outgoing;
#[cfg(feature = "server")]
mod outlet;
mod port;
#[cfg(feature = "server")]
pub mod result;
#[cfg(feature = "server")]
mod running;
#[cfg(any(feature = "oauth", feature = "server"))]
mod seal;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod session;
#[cfg(feature = "stdio")]
pub mod stdio;
#[cfg(feature = "server")]
pub mod task;
#[cfg(feature = "server")]
mod time;
mod trace;
pub mod transport;

#[cfg(feature = "server")]
pub use micro_core::{InvalidSchema, Schema};
#[cfg(feature = "macros")]
#[doc = include_str!("tools.md")]
pub use micro_macros::tools;
pub use micro_mcp_proto as proto;
#[cfg(feature = "server")]
pub use micro_runtime::{Drain, http::Guard};

#[cfg(any(feature = "oauth", feature = "server"))]
pub use self::seal::{InvalidKeys, Key, KeyRing};
#[cfg(feature = "server")]
pub use self::{
    ask::{Ask, AskError, InputRequired, InvalidState},
    server::{
        BuildError, Builder, CallContext, CallError, Complete, GetPrompt, IntoContents, IntoMessages, IntoToolResult,
        Json, Live, NoArgs, Notifier, Read, Server, ToolBuilder, ToolFn, ToolSet,
    },
};
pub use self::{
    cx::Cx,
    layer::Layer,
    port::{CallParams, Change, Failure, Handler, Peer, Principal, Refusal, Request, ServerInfo, Transport},
    trace::TraceContext,
};

/// For the output of the `#[tools]` macro only.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __private {
    pub use crate::glue::*;
}

/// The guides' examples are compiled with the crate's.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../docs/mcp-sdk.md")]
    struct Sdk;
    #[doc = include_str!("../../../docs/guides/client-authorization.md")]
    struct Authorization;
    #[doc = include_str!("../../../docs/guides/from-rmcp.md")]
    struct FromRmcp;
}
