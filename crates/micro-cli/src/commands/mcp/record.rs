//! `micro mcp record`: what passes between a client and a server, into a file.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, sync::Arc};

use micro_mcp::transport::Pipe;
use micro_runtime::{Drain, shutdown_signal};

use super::server::Access;
use crate::{
    cx::Cx,
    error::CommandError,
    mcp::{
        capture::{Recorder, Transport},
        record::{self, Proxy},
        target::Place,
    },
    ui::Ui,
    words,
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro mcp record calls.jsonl http://127.0.0.1:3000/mcp
                                                   Prints the address to give to the client
  micro mcp record calls.jsonl -- python server.py In place of the command in a client's configuration
  micro mcp record calls.jsonl ws://127.0.0.1:3000/mcp/ws
                                                   A WebSocket server, for a client on stdio
  micro mcp replay calls.jsonl -- python server.py Try whether the server still answers the same";

/// Record what passes between a client and a server, into a file that replays as a test
///
/// For a server at an http: or https: address this is a proxy on loopback: give its address to the client.
/// Events pass as they come. For a command, or a ws: address, the client is at the other end of standard
/// input and output, as if this were the server. Ends when either side does, or with Ctrl-C.
///
/// The file has one JSON object a line. Credentials never get into it: of the headers only those of the
/// protocol are kept, and session ids are numbered. What is in the messages is kept; `--redact` names
/// members whose values are not.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The file to write; what was in it is lost
    file: PathBuf,
    /// The server: an address (`http:`, `https:`, `ws:`, `wss:`), or a command that starts it
    #[arg(value_name = "URL|COMMAND", required = true)]
    server: Vec<OsString>,
    /// Where the proxy listens; port 0 takes a free one
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:0")]
    address: SocketAddr,
    /// Keep no value of members of this name, wherever they are in a message; may be given again
    #[arg(long, value_name = "NAME")]
    redact: Vec<String>,
    #[command(flatten)]
    access: Access,
}

pub(crate) async fn run(ui: &mut Ui, _cx: &Cx, args: Args) -> Result<(), CommandError> {
    let target = args.access.target(Place::parse(&args.server)?)?;
    let file = args.file.display().to_string();
    let create = |transport| {
        let cannot = |e| CommandError::invalid(format!("cannot write {file}")).because(e);
        Recorder::create(&args.file, transport, args.redact.clone()).map_err(cannot)
    };
    let unwritten = |e| CommandError::internal(format!("{file} is not complete")).because(e);
    let entries = match (target.pipe(true).await, &target.place) {
        (None, Place::Address(url)) => {
            let recorder = create(Transport::Http)?;
            let proxy = Proxy::bind(args.address, url.clone(), target.headers.clone(), recorder).await;
            let proxy = proxy
                .map_err(|e| CommandError::unavailable(format!("cannot listen on {}", args.address)).because(e))?;
            let local = proxy.url().map_err(|e| CommandError::internal("no address").because(e))?;
            ui.note(format_args!("recording {local} -> {} to {file}; Ctrl-C ends it", target.place));
            let drain = Drain::new();
            let (asked, signal) = (drain.clone(), shutdown_signal());
            tokio::spawn(async move {
                signal.await;
                asked.begin();
            });
            proxy.run(drain).await.map_err(unwritten)?
        }
        (pipe, _) => {
            let started = pipe.unwrap_or_else(|| Err(std::io::ErrorKind::Unsupported.into()));
            let failed = |e| CommandError::unavailable(format!("cannot speak to {}", target.place)).because(e);
            let server = started.map_err(failed)?;
            let recorder = Arc::new(create(Transport::Pipe)?);
            let client = Pipe::lines(tokio::io::stdin(), tokio::io::stdout());
            let passed = tokio::select! {
                passed = record::pipes(client, server, recorder.clone()) => passed,
                () = shutdown_signal() => Ok(()),
            };
            let entries = recorder.finish().map_err(unwritten)?;
            passed.map_err(|e| CommandError::unavailable("a pipe broke").because(e))?;
            entries
        }
    };
    ui.note(format_args!("{} in {file}", words::count(entries, "line")));
    Ok(())
}
