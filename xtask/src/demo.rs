//! `cargo xtask demo`: the blog under `micro run`, and what to try with it.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use micro_test::{bins, http};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::Child,
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep},
};

/// Where the demo's gateway listens.
const GATEWAY: &str = "127.0.0.1:3000";
/// How long the services may take to build and start.
const PATIENCE: Duration = Duration::from_secs(600);

/// Run the blog example with its gateway and say what to try
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address of the gateway
    #[arg(long, default_value = GATEWAY)]
    address: String,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let micro = bins::build(&["micro"])?.path("micro").to_owned();
    let mut command = tokio::process::Command::new(&micro);
    // A group of its own: a Ctrl-C reaches it once, through us, and we see it leave.
    command
        .args(["run", "examples/blog", "--address", &args.address])
        .current_dir(root)
        .stdin(Stdio::null())
        .process_group(0);
    let shown = micro.strip_prefix(root).unwrap_or(&micro).display().to_string();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let mut child = command.spawn().context("cannot start micro")?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let pid =
            child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)).context("micro has no process number")?;
        let mut greeted = std::pin::pin!(greet(&args.address, &shown));
        let mut greeting = true;
        loop {
            tokio::select! {
                status = child.wait() => {
                    let status = status?;
                    if !status.success() {
                        bail!("micro run left with {status}");
                    }
                    return Ok(());
                }
                said = &mut greeted, if greeting => {
                    greeting = false;
                    said?;
                }
                _ = interrupt.recv() => forward(&child, pid, Signal::INT)?,
                _ = terminate.recv() => forward(&child, pid, Signal::TERM)?,
            }
        }
    })
}

/// Waits until the tools of all three services are there, then says what to try.
async fn greet(address: &str, micro: &str) -> Result<()> {
    let url = format!("http://{address}/mcp/tools");
    let end = Instant::now() + PATIENCE;
    loop {
        let url = url.clone();
        let tools = tokio::task::spawn_blocking(move || http::get(&url)).await?;
        let ready = |text: String| ["\"users", "\"posts", "\"comments"].iter().all(|name| text.contains(name));
        if tools.is_ok_and(|tools| tools.status() == 200 && ready(tools.text())) {
            break;
        }
        if Instant::now() > end {
            bail!("the blog's tools are not there after {PATIENCE:?}");
        }
        sleep(Duration::from_millis(300)).await;
    }
    println!(
        "\nTry, in another terminal:\n  \
         {micro} mcp list\n  \
         {micro} mcp test posts_List\n  \
         curl -s http://{address}/mcp/tools\n\n\
         MCP clients connect to http://{address}/mcp. Ctrl-C ends everything.\n"
    );
    Ok(())
}

/// Passes a signal on. Micro that has just left needs none.
fn forward(child: &Child, pid: Pid, signal: Signal) -> Result<()> {
    if child.id().is_some() {
        kill_process(pid, signal).context("cannot signal micro")?;
    }
    Ok(())
}
