//! `cargo xtask conformance`: the official suite against `examples/everything`.

use std::{process::Command, time::Duration};

use anyhow::{Result, bail};
use micro_test::{
    Process, bins,
    conformance::{self, Verdict},
};

/// Run the official MCP conformance suite against examples/everything
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Test the server at this URL instead
    #[arg(long)]
    url: Option<String>,
    /// Only this revision of the protocol
    #[arg(long)]
    version: Option<String>,
    /// Only scenarios whose name contains one of these
    #[arg(last = true)]
    filter: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let wanted = |case: &conformance::Case| {
        args.version.as_deref().is_none_or(|version| case.version == version)
            && (args.filter.is_empty() || args.filter.iter().any(|part| case.scenario.contains(part)))
    };
    let cases: Vec<_> = conformance::required().into_iter().filter(wanted).collect();
    if cases.is_empty() {
        bail!("no scenario of that name at that revision");
    }
    let (_server, url) = match &args.url {
        Some(url) => (None, url.clone()),
        None => {
            let (server, url) = everything()?;
            (Some(server), url)
        }
    };
    let outcomes = conformance::run(&url, &cases, |outcome| println!("{outcome}"))?;
    let passed = outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Passed { .. })).count();
    println!("{passed} of {} scenarios passed", outcomes.len());
    if passed != outcomes.len() {
        bail!("{} scenarios failed", outcomes.len() - passed);
    }
    Ok(())
}

/// Builds and starts the example on a free port; the server and its URL.
fn everything() -> Result<(Process, String)> {
    let mut command = Command::new(bins::build(&["everything-server"])?.path("everything-server"));
    command.args(["--address", "127.0.0.1:0"]);
    let server = Process::start("everything-server", command)?;
    let url = server.wait_for_url(Duration::from_secs(20))?;
    Ok((server, url))
}
