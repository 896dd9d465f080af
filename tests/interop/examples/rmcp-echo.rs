//! A server made with rmcp that echoes, for the benchmarks: without sessions and with plain JSON answers.
//!
//! `rmcp-echo --address 127.0.0.1:0` says on stderr where it listens (the endpoint is `/mcp`); `rmcp-echo --stdio` speaks on
//! its streams. `cargo build --release -p micro-interop-tests --example rmcp-echo` builds it.

#![allow(clippy::print_stderr, reason = "says where it listens")]

use std::{net::SocketAddr, sync::Arc};

use clap::{ArgGroup, Parser};
use rmcp::{
    ServiceExt,
    handler::server::wrapper::Parameters,
    tool, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::net::TcpListener;

#[derive(Parser)]
#[command(group = ArgGroup::new("front").required(true))]
struct Args {
    /// Serve Streamable HTTP here; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", group = "front")]
    address: Option<SocketAddr>,
    /// Serve standard input and output.
    #[arg(long, group = "front")]
    stdio: bool,
}

#[derive(Clone)]
struct Echo;

#[derive(Deserialize, JsonSchema)]
struct EchoArgs {
    /// What is returned.
    message: String,
}

#[tool_router(server_handler)]
impl Echo {
    /// Returns the message.
    #[tool]
    async fn echo(&self, Parameters(EchoArgs { message }): Parameters<EchoArgs>) -> String {
        message
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Some(address) = Args::parse().address else {
        Echo.serve(rmcp::transport::stdio()).await?.waiting().await?;
        return Ok(());
    };
    let listener = TcpListener::bind(address).await?;
    eprintln!("listening on http://{}/mcp", listener.local_addr()?);
    let config = StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
    let service = StreamableHttpService::new(|| Ok(Echo), Arc::new(NeverSessionManager::default()), config);
    axum::serve(listener, axum::Router::new().nest_service("/mcp", service)).await?;
    Ok(())
}
