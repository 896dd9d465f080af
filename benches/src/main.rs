//! Benchmarks: what a call costs next to a bare server doing the same bytes, from one run.
//!
//! Every server under test is a process of its own (this program, started again with a role), so that
//! its CPU time is the kernel's count of that process and of nothing else. Rounds are interleaved:
//! whatever else the machine does falls on all alike.
#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]

mod cpu;
mod load;
mod report;
mod roles;
mod servers;

use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

use crate::{
    cpu::Process,
    load::{Load, Shape},
    report::Table,
    roles::Role,
};

/// The allocator of our binaries; the bare servers have it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures CPU per request and list latency
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
    /// Be one of the servers (used by the program itself)
    #[arg(long, hide = true)]
    role: Option<Role>,
    /// Where that server's peer is
    #[arg(long, hide = true)]
    peer: Option<String>,
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The SDK's echo tool
    Sdk,
    /// The gateway's call of a service
    Gateway,
    /// The first page of tools/list
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
        Some(role) => runtime.block_on(servers::serve(role, args.peer.as_deref())),
        None => runtime.block_on(measure(&args)),
    }
}

async fn measure(args: &Args) -> Result<()> {
    let wanted = |part| args.parts.is_empty() || args.parts.contains(&part);
    if wanted(Part::Sdk) {
        sdk(args).await?;
    }
    if wanted(Part::Gateway) {
        gateway(args).await?;
    }
    if wanted(Part::List) {
        list(args).await?;
    }
    Ok(())
}

/// (a) The SDK's echo tool against a bare hyper server that parses the same body and writes the same
/// bytes.
async fn sdk(args: &Args) -> Result<()> {
    let mut table = Table::new("SDK: tools/call echo over Streamable HTTP", "bare server");
    let bare = Process::start(Role::BareEcho, None)?;
    let one = Process::start(Role::Sdk1, None)?;
    let fifty = Process::start(Role::Sdk50, None)?;
    let shape = Shape::call("echo", 300);
    let contestants = [("bare server", &bare), ("echo, 1 tool", &one), ("echo, 50 tools", &fifty)];
    rounds(args, args.load(), &mut table, &contestants.map(|(name, process)| (name, process, &shape))).await?;
    table.print();
    Ok(())
}

/// (b) The gateway's call of a Micro service against a bare reverse proxy to the same service.
async fn gateway(args: &Args) -> Result<()> {
    let service = Process::start(Role::Service, None)?;
    let proxy = Process::start(Role::BareProxy, Some(&service.address))?;
    let gateway = Process::start(Role::Gateway, Some(&service.address))?;
    for (size, title) in [(300, "Gateway: tools/call, 300 B result"), (9000, "Gateway: tools/call, 9 KB result")] {
        let mut table = Table::new(title, "bare proxy");
        let (direct, through) = (Shape::proxied(size), Shape::tool(size));
        rounds(args, args.load(), &mut table, &[("bare proxy", &proxy, &direct), ("gateway", &gateway, &through)])
            .await?;
        table.print();
    }
    Ok(())
}

async fn rounds(
    args: &Args,
    load: Load,
    table: &mut Table,
    contestants: &[(&'static str, &Process, &Shape)],
) -> Result<()> {
    for round in 0..=args.rounds {
        for (name, process, shape) in contestants {
            let before = process.cpu()?;
            let latencies =
                load.run(&process.address, shape).await.with_context(|| format!("{name}: the load failed"))?;
            let spent = process.cpu()? - before;
            if round > 0 {
                // The first round only warms up.
                table.add(name, spent / u32::try_from(load.requests)?, &latencies);
            }
        }
    }
    Ok(())
}

/// (c) The first page of `tools/list` while the number of tools grows: flat out for the cost, at a pace
/// for the latency.
async fn list(args: &Args) -> Result<()> {
    let roles = [("10 tools", Role::List10), ("1,000 tools", Role::List1k), ("10,000 tools", Role::List10k)];
    let mut processes = Vec::new();
    for (name, role) in roles {
        processes.push((name, Process::start(role, None)?));
    }
    let shape = Shape::list();
    let contestants: Vec<_> = processes.iter().map(|(name, process)| (*name, process, &shape)).collect();
    let loads = [
        ("Gateway: tools/list, first page, 64 connections, flat out", None),
        ("Gateway: tools/list, first page, 64 connections, 2,000 requests a second", Some(2000)),
    ];
    for (title, pace) in loads {
        let mut table = Table::new(title, "10 tools");
        rounds(args, Load { connections: 64, pace, ..args.load() }, &mut table, &contestants).await?;
        table.print();
    }
    Ok(())
}

impl Args {
    fn load(&self) -> Load {
        Load { requests: self.requests, connections: self.connections, pace: None }
    }
}

/// Longest time a started server may take to say where it listens.
const START: Duration = Duration::from_secs(30);
