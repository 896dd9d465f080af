//! The SDK: one echo tool in every way it can be called, next to bare servers and to other SDKs.

use std::time::Instant;

use anyhow::{Context, Result};
use micro_mcp::proto::Era;

use crate::{
    Args,
    contestant::{Listening, Peer, Program},
    load::{Load, open_session},
    message::Shape,
    pipe::Pipe,
    process,
    report::{Round, Table},
    roles::Role,
};

/// Bytes of an ordinary text.
const TEXT: usize = 300;
/// Calls in one batch.
const BATCH: usize = 1000;
/// What other SDKs need several times as long for is done fewer times.
const SLOW: usize = 40;

/// Every table of this part.
pub(crate) async fn run(args: &Args) -> Result<()> {
    let contestants = contestants(args)?;
    for connections in [1, 64, 512] {
        let title = format!("SDK: tools/call echo over Streamable HTTP, {connections} at once");
        http(args, &title, &contestants, connections, TEXT, args.requests).await?;
    }
    for (size, name, requests) in [(9_000, "9 KB", args.requests / 2), (200_000, "200 KB", args.requests / 10)] {
        let title = format!("SDK: echo of {name} over Streamable HTTP, {} at once", args.connections);
        http(args, &title, &contestants, args.connections, size, requests).await?;
    }
    batch(args).await?;
    stdio(args).await
}

/// A server on a port, and how it is called.
struct Contestant {
    name: &'static str,
    server: Listening,
    calls: Calls,
    slow: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calls {
    Modern,
    /// In one session.
    Legacy,
}

fn contestants(args: &Args) -> Result<Vec<Contestant>> {
    let ours = |role| Listening::start(role, None);
    let mut all = vec![
        Contestant { name: "bare server", server: ours(Role::BareEcho)?, calls: Calls::Modern, slow: false },
        Contestant { name: "Micro, 1 tool", server: ours(Role::Sdk1)?, calls: Calls::Modern, slow: false },
        Contestant { name: "Micro, 50 tools", server: ours(Role::Sdk50)?, calls: Calls::Modern, slow: false },
        Contestant { name: "Micro, session", server: ours(Role::Sdk1)?, calls: Calls::Legacy, slow: false },
    ];
    for (peer, [modern, session]) in peers(args) {
        let slow = !matches!(peer, Peer::Rmcp(_));
        let program = Program::Theirs(peer);
        let start = |name, calls| anyhow::Ok(Contestant { name, server: Listening::program(&program)?, calls, slow });
        all.push(start(modern, Calls::Modern)?);
        all.push(start(session, Calls::Legacy)?);
    }
    Ok(all)
}

/// The other SDKs, and what they are called in either era.
fn peers(args: &Args) -> Vec<(Peer, [&'static str; 2])> {
    let scripts =
        [(Peer::TypeScript, ["TypeScript", "TypeScript, legacy"]), (Peer::Python, ["Python", "Python, legacy"])];
    let rmcp = args.rmcp.clone().map(|program| (Peer::Rmcp(program), ["rmcp", "rmcp, legacy"]));
    rmcp.into_iter().chain(scripts.into_iter().filter(|_| args.rmcp.is_some())).collect()
}

async fn http(
    args: &Args,
    title: &str,
    contestants: &[Contestant],
    connections: usize,
    size: usize,
    requests: usize,
) -> Result<()> {
    let mut table = Table::new(title, "bare server");
    let mut shapes = Vec::new();
    for contestant in contestants {
        let mut shape = match contestant.calls {
            Calls::Modern => Shape::echo(Era::Modern, size),
            Calls::Legacy => Shape::echo(Era::Legacy, size),
        };
        if contestant.calls == Calls::Legacy {
            let opened = open_session(&contestant.server.address, "2025-11-25", &mut shape).await;
            opened.with_context(|| format!("{}: no session", contestant.name))?;
        }
        shapes.push(shape);
    }
    for round in 0..=args.rounds {
        for (Contestant { name, server, slow, .. }, shape) in contestants.iter().zip(&shapes) {
            let requests = if *slow { requests.div_ceil(SLOW) } else { requests };
            let load = Load { requests, connections, pace: None };
            let measured = listening(server, name, load, std::slice::from_ref(shape), 1).await?;
            if round > 0 {
                table.add(name, measured); // the first round only warms up
            }
        }
    }
    table.print();
    Ok(())
}

/// One round of requests that hold so many calls each.
pub(crate) async fn listening(
    server: &Listening,
    name: &str,
    load: Load,
    shapes: &[Shape],
    calls: usize,
) -> Result<Round> {
    let (before, start) = (process::cpu(server.id())?, Instant::now());
    let latencies = load.run(&server.address, shapes).await.with_context(|| format!("{name}: the load failed"))?;
    let (wall, spent) = (start.elapsed(), process::cpu(server.id())? - before);
    let calls = u32::try_from(latencies.len() * calls)?;
    Ok(Round::new(calls, spent, wall, process::resident(server.id())?, latencies))
}

/// Batches, which only 2025-03-26 has.
async fn batch(args: &Args) -> Result<()> {
    let title = format!("SDK: batches of {BATCH} echo calls over Streamable HTTP, for each call");
    let mut table = Table::new(title, "bare server");
    let (bare, micro) = (Listening::start(Role::BareBatch, None)?, Listening::start(Role::Sdk1, None)?);
    let shape = Shape::batch(BATCH, TEXT);
    let mut session = shape.clone();
    open_session(&micro.address, "2025-03-26", &mut session).await?;
    let load = Load { requests: args.requests.div_ceil(200), connections: 2, pace: None };
    for round in 0..=args.rounds {
        for (name, server, shape) in [("bare server", &bare, &shape), ("Micro, session", &micro, &session)] {
            let measured = listening(server, name, load, std::slice::from_ref(shape), BATCH).await?;
            if round > 0 {
                table.add(name, measured);
            }
        }
    }
    table.print();
    Ok(())
}

async fn stdio(args: &Args) -> Result<()> {
    let mut programs = vec![
        ("bare lines", Program::Ours(Role::BareLines), Era::Modern),
        ("Micro", Program::Ours(Role::SdkStdio), Era::Modern),
        ("Micro, session", Program::Ours(Role::SdkStdio), Era::Legacy),
    ];
    for (peer, [modern, session]) in peers(args) {
        programs.push((modern, Program::Theirs(peer.clone()), Era::Modern));
        programs.push((session, Program::Theirs(peer), Era::Legacy));
    }
    let mut pipes = Vec::new();
    for (name, program, era) in programs {
        let slow = matches!(program, Program::Theirs(Peer::TypeScript | Peer::Python));
        pipes.push((name, slow, Pipe::start(&program, era, TEXT).await.with_context(|| name.to_owned())?));
    }
    for in_flight in [1, 64, 512] {
        let mut table = Table::new(format!("SDK: tools/call echo over stdio, {in_flight} at once"), "bare lines");
        for round in 0..=args.rounds {
            for (name, slow, pipe) in &mut pipes {
                let requests = if *slow { args.requests.div_ceil(SLOW) } else { args.requests };
                let (before, start) = (process::cpu(pipe.id()?)?, Instant::now());
                let latencies =
                    pipe.run(requests, in_flight).await.with_context(|| format!("{name}: the load failed"))?;
                let (wall, spent) = (start.elapsed(), process::cpu(pipe.id()?)? - before);
                let resident = process::resident(pipe.id()?)?;
                if round > 0 {
                    table.add(name, Round::new(u32::try_from(requests)?, spent, wall, resident, latencies));
                }
            }
        }
        table.print();
    }
    Ok(())
}
