//! Benchmarks: what a call costs next to a bare server doing the same bytes, from one run.
//!
//! Every server under test is a process of its own (this program, started again with a role), so that
//! its CPU time is the kernel's count of that process and of nothing else. Rounds are interleaved:
//! whatever else the machine does falls on all alike.
#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]

mod contestant;
mod gateway;
mod load;
mod message;
mod pipe;
mod policies;
mod process;
mod report;
mod roles;
mod sdk;
mod servers;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, ValueEnum};

use crate::{load::Load, policies::Policy, roles::Role};

/// The allocator of our binaries; the bare servers have it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures what calls cost next to bare servers and other SDKs
#[derive(Parser)]
struct Args {
    /// Only these; all without one
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Requests of one round
    #[arg(long, default_value_t = 4000)]
    requests: usize,
    /// Rounds; the median counts
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Connections
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// A tenth of the work, to see that everything runs
    #[arg(long)]
    quick: bool,
    /// The program of the interoperability tests made with rmcp; with it, rmcp, the TypeScript and the
    /// Python SDK take part
    #[arg(long, value_name = "PROGRAM")]
    rmcp: Option<PathBuf>,
    /// Be one of the servers (used by the program itself)
    #[arg(long, hide = true)]
    role: Option<Role>,
    /// Where that server's peer is
    #[arg(long, hide = true)]
    peer: Option<String>,
    /// What calls have to pass there
    #[arg(long, hide = true)]
    with: Vec<Policy>,
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The SDK's echo tool over HTTP and stdio, alone, large and in batches
    Sdk,
    /// The gateway's call of a service, with each policy alone and with all of them
    Gateway,
    /// The first page of tools/list, with up to ten thousand tools and fifty visible sets
    List,
}

fn main() -> Result<()> {
    let mut args = Args::parse();
    if args.quick {
        args.requests /= 10;
        args.rounds = 3;
    }
    // Two threads each: the machines this is meant for have two cores.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match args.role {
        Some(role) => runtime.block_on(servers::serve(role, args.peer.as_deref(), &args.with)),
        None => runtime.block_on(measure(&args)),
    }
}

async fn measure(args: &Args) -> Result<()> {
    let wanted = |part| args.parts.is_empty() || args.parts.contains(&part);
    if wanted(Part::Sdk) {
        sdk::run(args).await?;
    }
    if wanted(Part::Gateway) {
        gateway::call(args).await?;
    }
    if wanted(Part::List) {
        gateway::list(args).await?;
    }
    Ok(())
}

impl Args {
    fn load(&self) -> Load {
        Load { requests: self.requests, connections: self.connections, pace: None }
    }
}
