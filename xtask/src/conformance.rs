//! `cargo xtask conformance`: the official suite against `examples/everything`, and the gateway's authorization server.

mod authorization;

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, bail};
use micro_test::{
    Balancer, Process, bins,
    conformance::{self, Subjects, Verdict},
};

/// Run the official MCP conformance suite against examples/everything and the gateway
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Test the server at this URL instead
    #[arg(long)]
    url: Option<String>,
    /// Test this many replicas behind a balancer, which share nothing but their key; 2026-07-28 only, for
    /// what legacy sessions ask and are told belongs to one replica
    #[arg(long, conflicts_with_all = ["url", "version"])]
    replicas: Option<usize>,
    /// Run everything this many times
    #[arg(long)]
    repeat: Option<usize>,
    /// Only this side of the protocol
    #[arg(long)]
    side: Option<Side>,
    /// Only this revision of the protocol
    #[arg(long)]
    version: Option<String>,
    /// Only scenarios whose name contains one of these
    #[arg(last = true)]
    filter: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let wanted = |case: &conformance::Case| {
        let version = args.replicas.map_or(args.version.as_deref(), |_| Some("2026-07-28"));
        let server = args.replicas.is_some() || args.url.is_some();
        let side = if server { Some(conformance::Side::Server) } else { args.side.map(Side::of) };
        side.is_none_or(|side| case.side == side)
            && version.is_none_or(|version| case.version == version)
            && (args.filter.is_empty() || args.filter.iter().any(|part| case.scenario.contains(part)))
    };
    let cases: Vec<_> = conformance::required().into_iter().filter(wanted).collect();
    if cases.is_empty() {
        bail!("no scenario of that name at that revision");
    }
    let (of_authorization, cases): (Vec<_>, Vec<_>) =
        cases.into_iter().partition(|case| case.side == conformance::Side::Authorization);
    let rounds = args.repeat.unwrap_or(1);
    if !of_authorization.is_empty() {
        for _ in 0..rounds {
            authorization::run(&of_authorization)?;
        }
    }
    if cases.is_empty() {
        return Ok(());
    }
    let binaries = bins::build(&["everything-client"])?;
    let client = binaries.path("everything-client");
    let (mut _server, mut _replicas) = (None, None);
    let url = match (&args.url, args.replicas) {
        (Some(url), _) => url.clone(),
        (None, Some(count)) => _replicas.insert(Replicas::start(count)?).balancer.url("/mcp"),
        (None, None) => {
            let (server, url) = everything(None)?;
            _server = Some(server);
            url
        }
    };
    let client = client.to_str().context("the path of the client is text")?;
    let subjects = Subjects { server: &url, client };
    for round in 1..=rounds {
        let outcomes = conformance::run(subjects, &cases, |outcome| println!("{outcome}"))?;
        let passed = outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Passed { .. })).count();
        let of = if rounds > 1 { format!(", round {round} of {rounds}") } else { String::new() };
        println!("{passed} of {} scenarios passed{of}", outcomes.len());
        if passed != outcomes.len() {
            bail!("{} scenarios failed", outcomes.len() - passed);
        }
    }
    Ok(())
}

/// The sides, as they are named on the command line.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Side {
    Server,
    Client,
    Authorization,
}

impl Side {
    fn of(self) -> conformance::Side {
        match self {
            Self::Server => conformance::Side::Server,
            Self::Client => conformance::Side::Client,
            Self::Authorization => conformance::Side::Authorization,
        }
    }
}

/// Builds and starts the example on a free port; the server and its URL.
fn everything(keys: Option<&Path>) -> Result<(Process, String)> {
    let mut command = Command::new(bins::build(&["everything-server"])?.path("everything-server"));
    command.args(["--address", "127.0.0.1:0"]);
    if let Some(keys) = keys {
        command.arg("--key-file").arg(keys);
    }
    let server = Process::start("everything-server", command)?;
    let url = server.wait_for_url(Duration::from_secs(20))?;
    Ok((server, url))
}

/// Servers that share a key file and nothing else, and what hands out requests to them.
struct Replicas {
    balancer: Balancer,
    _servers: Vec<Process>,
    _folder: tempfile::TempDir,
}

impl Replicas {
    fn start(count: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let keys = folder.path().join("keys");
        fs::write(&keys, "5e".repeat(32))?;
        let servers = (0..count).map(|_| everything(Some(&keys))).collect::<Result<Vec<_>>>()?;
        let urls: Vec<_> = servers.iter().map(|(_, url)| url.as_str()).collect();
        let balancer = Balancer::start(&urls)?;
        Ok(Self { balancer, _servers: servers.into_iter().map(|(server, _)| server).collect(), _folder: folder })
    }
}
