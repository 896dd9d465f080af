//! The gateway: a call of a service next to a bare reverse proxy's, and lists of many tools.

use anyhow::Result;

use crate::{Args, contestant::Listening, load::Load, message::Shape, report::Table, roles::Role, sdk::listening};

/// A call of a Micro service against a bare reverse proxy to the same service.
pub(crate) async fn call(args: &Args) -> Result<()> {
    let service = Listening::start(Role::Service, None)?;
    let proxy = Listening::start(Role::BareProxy, Some(&service.address))?;
    let gateway = Listening::start(Role::Gateway, Some(&service.address))?;
    for (size, title) in [(300, "Gateway: tools/call, 300 B result"), (9000, "Gateway: tools/call, 9 KB result")] {
        let mut table = Table::new(title, "bare proxy");
        let (direct, through) = (Shape::proxied(size), Shape::tool(size));
        let contestants = [("bare proxy", &proxy, &direct), ("gateway", &gateway, &through)];
        rounds(args, args.load(), &mut table, &contestants).await?;
        table.print();
    }
    Ok(())
}

/// The first page of `tools/list` while the number of tools grows: flat out for the cost, at a pace
/// for the latency.
pub(crate) async fn list(args: &Args) -> Result<()> {
    let roles = [("10 tools", Role::List10), ("1,000 tools", Role::List1k), ("10,000 tools", Role::List10k)];
    let mut servers = Vec::new();
    for (name, role) in roles {
        servers.push((name, Listening::start(role, None)?));
    }
    let shape = Shape::list();
    let contestants: Vec<_> = servers.iter().map(|(name, server)| (*name, server, &shape)).collect();
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

async fn rounds(
    args: &Args,
    load: Load,
    table: &mut Table,
    contestants: &[(&'static str, &Listening, &Shape)],
) -> Result<()> {
    for round in 0..=args.rounds {
        for (name, server, shape) in contestants {
            let measured = listening(server, name, load, shape, 1).await?;
            if round > 0 {
                table.add(name, measured); // the first round only warms up
            }
        }
    }
    Ok(())
}
