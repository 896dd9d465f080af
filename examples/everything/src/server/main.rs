//! An MCP server with one of everything: a tour of the SDK, and what the official conformance suite tries.
//!
//! | file | what it shows |
//! | --- | --- |
//! | `content.rs` | what a tool can return |
//! | `calls.rs` | progress, log messages, failures, schemas, mirrored headers |
//! | `asks.rs` | asking the user, the model and the roots of a client |
//! | `rounds.rs` | the same in several rounds, and with a state of one's own |
//! | `changes.rs` | changing the server while it runs |
//! | `resources.rs` | resources, templates, subscriptions |
//! | `tasks.rs` | calls that go on as tasks |
//! | `prompts.rs` | prompts, and completing their arguments |

mod asks;
mod calls;
mod changes;
mod content;
mod prompts;
mod resources;
mod rounds;
mod tasks;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use clap::{ArgGroup, Parser};
use micro_mcp::{
    KeyRing, Server,
    http::{self, StreamableHttp},
    stdio,
};
use micro_runtime::{
    Drain,
    http::{Guard, Limits, serve},
    shutdown_signal,
};
use tokio::net::TcpListener;

/// Serve one of everything over MCP.
///
/// Listens on the given address (the endpoint is `/mcp`), or speaks on standard input and output.
#[derive(Parser)]
#[command(name = "everything-server", version, group = ArgGroup::new("front").required(true))]
struct Args {
    /// Serve Streamable HTTP here, for example 127.0.0.1:3000; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", group = "front")]
    address: Option<SocketAddr>,
    /// Serve standard input and output.
    #[arg(long, group = "front")]
    stdio: bool,
    /// Be one of several replicas, which share these keys of session ids, cursors, states and task ids: 64
    /// hexadecimal digits a line, newest first. Without it, a key of this process's own.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// The whole server. The first tool and the first resource work without anything: suites try those. A
/// replica does not hear what changes at the others, and so must not promise to tell of it.
fn everything(keys: &KeyRing, replica: bool) -> anyhow::Result<Server> {
    let server = Server::builder("everything-server", env!("CARGO_PKG_VERSION"))
        .title("Everything")
        .keys(keys.clone())
        .list_changes(!replica)
        .instructions("One of everything that MCP servers can offer, to try a client on.")
        .logging()
        .subscriptions();
    let server = content::add(server);
    let server = calls::add(server);
    let server = asks::add(server);
    let server = rounds::add(server);
    let server = changes::add(server);
    let server = resources::add(server);
    let server = tasks::add(server);
    Ok(prompts::add(server).build()?)
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let keys = match &args.key_file {
        Some(path) => KeyRing::parse(&std::fs::read_to_string(path).context("cannot read the key file")?)?,
        None => KeyRing::random(),
    };
    let replica = args.key_file.is_some();
    tokio::runtime::Runtime::new()?.block_on(run(args.address, keys, replica))
}

async fn run(address: Option<SocketAddr>, keys: KeyRing, replica: bool) -> anyhow::Result<()> {
    let server = Arc::new(everything(&keys, replica)?);
    let drain = Drain::new();
    let (asked, signal) = (drain.clone(), shutdown_signal());
    tokio::spawn(async move {
        signal.await;
        asked.begin();
    });
    let Some(address) = address else {
        let (input, output) = stdio::standard();
        stdio::serve(server, input, output, drain).await?;
        // A thread may still wait for input that nobody will read.
        std::process::exit(0);
    };
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    say(&format!("listening on http://{address}/mcp"));
    // Streams throughout, because clients come here to try whether they can read them.
    let config = http::Config {
        guard: Guard::of(address),
        keys,
        drain: drain.clone(),
        always_stream: true,
        ..http::Config::default()
    };
    let endpoint = StreamableHttp::new(server, config);
    let serving = serve(listener, Limits::default(), drain.clone(), move |request| {
        let endpoint = endpoint.clone();
        async move { endpoint.handle(request).await }
    });
    tokio::select! {
        () = serving => {}
        () = async { drain.begun().await; tokio::time::sleep(Duration::from_secs(10)).await } => {}
    }
    Ok(())
}

fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}"); // nobody there to read it is no reason to stop
}

#[cfg(test)]
mod tests {
    #[test]
    fn everything_fits_together() {
        super::everything(&micro_mcp::KeyRing::random(), false).unwrap();
    }
}
