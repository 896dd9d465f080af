//! `micro mcp replay`: a capture as a test of a server, or of a client.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use micro_mcp::transport::Pipe;
use micro_runtime::{Drain, shutdown_signal};
use owo_colors::OwoColorize;
use serde_json::json;
use tokio::net::TcpListener;

use super::server::Access;
use crate::{
    cx::Cx,
    error::CommandError,
    mcp::{
        capture::{Capture, Transport, Unreadable},
        junit,
        replay::{self, Answers, Outcome, Rules, Step},
        target::Place,
    },
    ui::Ui,
    words,
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro mcp replay calls.jsonl http://127.0.0.1:3000/mcp
  micro mcp replay calls.jsonl --junit replay.xml -- python server.py
  micro mcp replay calls.jsonl URL --ignore /result/structuredContent/id
                                                   What differs there is no difference
  micro mcp replay calls.jsonl --serve             Be the recorded server, for a client on stdio
  micro mcp replay calls.jsonl --serve --address 127.0.0.1:4000
                                                   The same over HTTP

Exit codes:
  1 an answer is not the recorded one   3 no such file or program   4 the server cannot be reached   6 the file is no capture";

/// Play a capture against a server and compare its answers, or be the recorded server
///
/// The client's half is sent in its order, each message once what had been answered before it is answered.
/// Answers are compared as JSON. What differs by nature is no difference: cursors, sealed states, task and
/// session ids, which are sent back as they are now; times and UUIDs; the version of the server; how many
/// notifications come and when. A recording over HTTP is played to an address, another one to a command or a ws: address.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A file that `micro mcp record` wrote
    file: PathBuf,
    /// The server: an address (`http:`, `https:`, `ws:`, `wss:`), or a command that starts it
    #[arg(value_name = "URL|COMMAND", required_unless_present = "serve", conflicts_with = "serve")]
    server: Vec<OsString>,
    /// Answer a client as the recorded server did, on standard input and output or at `--address`
    #[arg(long)]
    serve: bool,
    /// Where to serve HTTP; port 0 takes a free one
    #[arg(long, value_name = "IP:PORT", requires = "serve")]
    address: Option<SocketAddr>,
    /// Do not compare members of this name, or at this JSON pointer into a message; may be given again
    #[arg(long, value_name = "NAME|POINTER")]
    ignore: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write the results to this file as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    access: Access,
}

pub(crate) async fn run(ui: &mut Ui, _cx: &Cx, args: Args) -> Result<(), CommandError> {
    let file = args.file.display().to_string();
    let capture = Capture::read(&args.file).map_err(|error| match error {
        Unreadable::Io(e) => CommandError::not_found(format!("cannot read {file}")).because(e),
        error => CommandError::invalid(format!("cannot replay {file}")).because(error),
    })?;
    if args.serve {
        return serve(ui, &capture, args.address).await;
    }
    let target = args.access.target(Place::parse(&args.server)?)?;
    let over_http = matches!(&target.place, Place::Address(url) if url.scheme().starts_with("http"));
    if over_http != (capture.head.transport == Transport::Http) {
        let way = if over_http { "on a pipe" } else { "over HTTP" };
        return Err(CommandError::usage(format!("{file} was recorded {way}, and {} is not there", target.place))
            .hint("record over HTTP for addresses, and behind a command for commands"));
    }
    let steps = replay::replay(&capture, &target, Rules::new(args.ignore)).await;
    let failed =
        |e| target.explained(CommandError::unavailable(format!("cannot speak to {}", target.place)).because(e));
    let steps = steps.map_err(failed)?;
    if let Some(path) = &args.junit {
        let cases: Vec<_> = steps.iter().map(Step::case).collect();
        let written = std::fs::write(path, junit::render(&format!("micro mcp replay {file}"), &cases));
        written.map_err(|e| CommandError::invalid(format!("cannot write {}", path.display())).because(e))?;
    }
    if args.json {
        ui.json(&steps.iter().map(in_json).collect::<Vec<_>>());
    } else {
        steps.iter().for_each(|step| show(ui, step));
    }
    let different = steps.iter().filter(|step| matches!(step.outcome, Outcome::Different(_))).count();
    let same = steps.iter().filter(|step| step.outcome == Outcome::Same).count();
    match different {
        0 => {
            ui.note(format_args!("{} as recorded", words::count(same, "answer")));
            Ok(())
        }
        _ => Err(CommandError::internal(format!(
            "{different} of {} are not as recorded",
            words::count(steps.len(), "step")
        ))),
    }
}

fn show(ui: &mut Ui, step: &Step) {
    let name = words::plain(&step.name);
    match &step.outcome {
        Outcome::Same => ui.data(format_args!("{}  {name}", "same".green())),
        Outcome::Open => ui.data(format_args!("{}  {name}: the recording ends before the answer", "skip".yellow())),
        Outcome::Skipped(why) => ui.data(format_args!("{}  {name}: {why}", "skip".yellow())),
        Outcome::Different(differences) => {
            ui.data(format_args!("{}  {name}", "DIFF".red()));
            for difference in differences {
                ui.data(format_args!("      {}", words::plain(difference)));
            }
        }
    }
}

fn in_json(step: &Step) -> serde_json::Value {
    let (outcome, differences) = match &step.outcome {
        Outcome::Same => ("same", Vec::new()),
        Outcome::Open => ("skipped", vec!["the recording ends before the answer".to_owned()]),
        Outcome::Skipped(why) => ("skipped", vec![why.clone()]),
        Outcome::Different(differences) => ("different", differences.clone()),
    };
    json!({ "name": step.name, "outcome": outcome, "differences": differences })
}

async fn serve(ui: &mut Ui, capture: &Capture, address: Option<SocketAddr>) -> Result<(), CommandError> {
    let answers = Answers::of(capture);
    let Some(address) = address else {
        let client = Pipe::lines(tokio::io::stdin(), tokio::io::stdout());
        let broke = |e| CommandError::unavailable("the client's pipe broke").because(e);
        return replay::serve_pipe(&answers, client).await.map_err(broke);
    };
    if !address.ip().is_loopback() {
        return Err(CommandError::usage("a capture is served on loopback only: it has no credentials to ask for"));
    }
    let cannot = |e| CommandError::unavailable(format!("cannot listen on {address}")).because(e);
    let listener = TcpListener::bind(address).await.map_err(cannot)?;
    ui.note(format_args!("replaying at http://{}/mcp; Ctrl-C ends it", listener.local_addr().map_err(cannot)?));
    let drain = Drain::new();
    let (asked, signal) = (drain.clone(), shutdown_signal());
    tokio::spawn(async move {
        signal.await;
        asked.begin();
    });
    replay::serve_http(answers, listener, drain).await.map_err(cannot)
}
