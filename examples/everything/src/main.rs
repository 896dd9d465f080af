//! An MCP server with one of everything, for clients and the official conformance suite.

mod prompts;
mod resources;
mod tools;

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use clap::{ArgGroup, Parser};
use micro_mcp::{
    Change, Notifier, Server,
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
}

/// Tools that announce changes need what only the finished server can give.
type Changes = Arc<OnceLock<Notifier>>;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tokio::runtime::Runtime::new()?.block_on(run(args.address))
}

async fn run(address: Option<SocketAddr>) -> anyhow::Result<()> {
    let server = Arc::new(everything()?);
    let drain = Drain::new();
    let (asked, signal) = (drain.clone(), shutdown_signal());
    tokio::spawn(async move {
        signal.await;
        asked.begin();
    });
    let Some(address) = address else {
        stdio::serve(server, tokio::io::stdin(), tokio::io::stdout(), drain).await?;
        // A thread may still wait for input that nobody will read.
        std::process::exit(0);
    };
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    say(&format!("listening on http://{address}/mcp"));
    let config = http::Config { guard: Guard::of(address), drain: drain.clone(), ..http::Config::default() };
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

/// The whole server. The first tool and the first resource work without anything: suites try those.
fn everything() -> anyhow::Result<Server> {
    let changes = Changes::default();
    let builder = Server::builder("everything-server", env!("CARGO_PKG_VERSION"))
        .instructions("One of everything that MCP servers can offer, to try a client on.")
        .logging();
    let builder = tools::add(builder, &changes);
    let builder = resources::add(builder);
    let server = prompts::add(builder).build()?;
    changes.get_or_init(|| server.notifier());
    Ok(server)
}

/// Tells listening clients, once the server is there.
fn announce(changes: &Changes, change: Change) {
    if let Some(notifier) = changes.get() {
        notifier.changed(change);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn everything_fits_together() {
        super::everything().unwrap();
    }
}
