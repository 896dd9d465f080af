//! `micro mcp serve`: an MCP server on stdio or HTTP.

use std::{
    env,
    io::{self, IsTerminal},
    net::{Ipv4Addr, SocketAddr},
};

use micro_gateway::{AuditLocation, Config};
use micro_runtime::{Drain, shutdown_signal};

use crate::{
    config::Reading,
    cx::Cx,
    error::CommandError,
    serving,
    tools::{self, Names},
    ui::Ui,
};

/// The variable that holds the credential of a client on stdio.
const TOKEN: &str = "MICRO_TOKEN";

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  claude mcp add micro -- micro mcp serve          Let an agent start it (stdio)
  micro mcp serve                                  On a terminal: HTTP, at http://127.0.0.1:3000/mcp
  micro mcp serve --address 127.0.0.1:4000         HTTP on another port
  micro mcp serve --stdio                          stdio, whatever stdin is";

/// Serve the tools of the services in the registry
///
/// On stdio there are messages on stdout and nothing else; everything said to people is on stderr. With
/// neither flag stdin decides: a terminal means HTTP, anything else an agent at the other end of a pipe.
/// The client on stdio calls as whom the token in the variable MICRO_TOKEN says.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Serve HTTP here; port 0 takes a free one
    #[arg(long, value_name = "IP:PORT", conflicts_with = "stdio")]
    address: Option<SocketAddr>,
    /// Serve one client on stdin and stdout
    #[arg(long)]
    stdio: bool,
    /// Which names models see
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Names::Safe)]
    tool_names: Names,
    /// Record every call there: in a folder, `sqlite:FILE` or `stdout`
    #[arg(long, value_name = "WHERE")]
    audit: Option<AuditLocation>,
}

pub(crate) async fn run(ui: &mut Ui, cx: &Cx, args: Args) -> Result<(), CommandError> {
    let address = args.address.unwrap_or((Ipv4Addr::LOCALHOST, 3000).into());
    let reading = Reading::of(None)
        .flag("--address", "gateway.address", Some(address))
        .flag("--tool-names", "gateway.tool_names", Some(args.tool_names.as_str()))
        .flag("--audit", "gateway.audit.to", args.audit.as_ref());
    let person = !args.stdio && args.address.is_none() && io::stdin().is_terminal();
    if person {
        ui.note("stdin is a terminal, so this serves HTTP; `--stdio` serves a client on a pipe");
    }
    if person || args.address.is_some() {
        serving::gateway(ui, cx, &reading).await
    } else {
        stdio(ui, cx, &reading.load()?.value.gateway).await
    }
}

async fn stdio(ui: &mut Ui, cx: &Cx, config: &Config) -> Result<(), CommandError> {
    if config.audit.to == Some(AuditLocation::Stdout) {
        return Err(CommandError::usage("stdout is for messages to the client; record the calls elsewhere"));
    }
    let core = config.core(cx.registry()?, false).map_err(tools::failed)?;
    // Clients list the tools at once and once. A registry that comes back later makes them list again.
    if let Err(error) = tools::settled(core.catalog()).await {
        ui.warn(error);
    }
    let drain = Drain::new();
    let (asked, signal) = (drain.clone(), shutdown_signal());
    tokio::spawn(async move {
        signal.await;
        asked.begin();
    });
    let (stdin, stdout) = micro_mcp::stdio::standard();
    let needed = config.auth.needed_on_a_pipe();
    let handler = match env::var(TOKEN) {
        Ok(token) => core.handler_for(&token, needed).await,
        Err(_) => core.handler(needed),
    };
    let served = micro_mcp::stdio::serve(handler, stdin, stdout, drain).await;
    core.close().await;
    served.map_err(|error| CommandError::unavailable("the client's pipe broke").because(error))
}
