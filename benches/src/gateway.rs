//! The gateway: a call of a service next to a bare reverse proxy's, and lists of many tools.

use anyhow::Result;

use crate::{
    Args,
    contestant::Listening,
    load::Load,
    message::Shape,
    policies::{ROWS, USUAL},
    report::Table,
    roles::Role,
    sdk::listening,
    servers::{SETS, token},
};

/// A server under test, and the requests it gets.
struct Contestant {
    name: &'static str,
    server: Listening,
    shapes: Vec<Shape>,
}

/// A call of a Micro service against a bare reverse proxy to the same service: with every policy, and with a long
/// result.
pub(crate) async fn call(args: &Args) -> Result<()> {
    let service = Listening::start(Role::Service, None)?;
    for (size, title, rows) in
        [(300, "Gateway: tools/call, 300 B result", ROWS), (9000, "Gateway: tools/call, 9 KB result", &[USUAL])]
    {
        let server = Listening::start(Role::BareProxy, Some(&service.address))?;
        let mut contestants = vec![Contestant { name: "bare proxy", server, shapes: vec![Shape::proxied(size)] }];
        for (name, policies) in rows {
            let (server, credential) = Listening::gateway(&service.address, policies)?;
            contestants.push(Contestant { name, server, shapes: vec![Shape::tool(size, &credential)] });
        }
        let mut table = Table::new(title, "bare proxy");
        rounds(args, args.load(), &mut table, &contestants).await?;
        table.print();
    }
    Ok(())
}

/// The first page of `tools/list` while the number of tools grows, and for many callers of whom none sees what another
/// does: flat out for the cost, at a pace for the latency.
pub(crate) async fn list(args: &Args) -> Result<()> {
    let mut contestants = Vec::new();
    for (name, role) in [("10 tools", Role::List10), ("1,000 tools", Role::List1k), ("10,000 tools", Role::List10k)] {
        contestants.push(Contestant { name, server: Listening::start(role, None)?, shapes: vec![Shape::list()] });
    }
    let shapes = (0..SETS).map(|n| Shape::list().showing(&token(n))).collect();
    let server = Listening::start(Role::List50Sets, None)?;
    contestants.push(Contestant { name: "10,000 in 50 sets", server, shapes });
    for (title, pace) in [
        ("Gateway: tools/list, first page, 64 connections, flat out", None),
        ("Gateway: tools/list, first page, 64 connections, 2,000 requests a second", Some(2000)),
    ] {
        let mut table = Table::new(title, "10 tools");
        rounds(args, Load { connections: 64, pace, ..args.load() }, &mut table, &contestants).await?;
        table.print();
    }
    Ok(())
}

async fn rounds(args: &Args, load: Load, table: &mut Table, contestants: &[Contestant]) -> Result<()> {
    for round in 0..=args.rounds {
        for Contestant { name, server, shapes } in contestants {
            let measured = listening(server, name, load, shapes, 1).await?;
            if round > 0 {
                table.add(name, measured); // the first round only warms up
            }
        }
    }
    Ok(())
}
