//! An MCP client that does everything once, for servers and the official conformance suite.

mod auth;
mod scenario;

use clap::Parser;

/// Use everything that a server offers, once.
///
/// The official conformance suite says in MCP_CONFORMANCE_SCENARIO what it wants to see.
#[derive(Parser)]
#[command(name = "everything-client", version)]
struct Args {
    /// Where the server is, for example http://127.0.0.1:3000/mcp.
    url: String,
    /// What to do; without it, list everything and call each tool that needs no arguments.
    #[arg(long, env = "MCP_CONFORMANCE_SCENARIO", hide_env_values = true)]
    scenario: Option<String>,
    /// What the scenario needs to know, as JSON.
    #[arg(long, env = "MCP_CONFORMANCE_CONTEXT", hide_env_values = true)]
    context: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let context = args.context.as_deref().map(serde_json::from_str).transpose()?.unwrap_or_default();
    let run = scenario::run(&args.url, args.scenario.as_deref().unwrap_or_default(), context);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run)
}
