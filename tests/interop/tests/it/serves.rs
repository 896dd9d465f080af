//! Their servers, under our client.

use std::{process::Command, time::Duration};

use anyhow::Result;
use micro_mcp::{
    client::{Builder, Client, Error},
    proto::Revision,
};
use micro_test::Process;

use crate::{
    contract::differences,
    ours,
    peers::{Cell, Mode, Peer, Side, Wire},
};

#[test]
fn our_client_gets_on_with_servers_of_the_python_sdk_1() -> Result<()> {
    every_cell(Peer::Python1)
}

#[test]
fn our_client_gets_on_with_servers_of_the_python_sdk_2() -> Result<()> {
    every_cell(Peer::Python2)
}

#[test]
fn our_client_gets_on_with_servers_of_fastmcp() -> Result<()> {
    every_cell(Peer::FastMcp)
}

#[test]
fn our_client_gets_on_with_servers_of_the_typescript_sdk_1() -> Result<()> {
    every_cell(Peer::TypeScript1)
}

#[test]
fn our_client_gets_on_with_servers_of_the_typescript_sdk_2() -> Result<()> {
    every_cell(Peer::TypeScript2)
}

#[test]
fn our_client_gets_on_with_servers_of_rmcp() -> Result<()> {
    every_cell(Peer::Rmcp)
}

/// Each mode over stdio is a process of its own; over HTTP all of them are guests of one.
fn every_cell(peer: Peer) -> Result<()> {
    let mut command = peer.program(Side::Server)?;
    command.args(["--address", "127.0.0.1:0"]);
    let process = Process::start(&format!("{peer:?}-server"), command)?;
    let url = process.wait_for_url(Duration::from_secs(60))?;

    let runtime = tokio::runtime::Runtime::new()?;
    let mut wrong = Vec::new();
    for cell in Cell::all(peer, Side::Server) {
        let report = runtime.block_on(ours::report(async |builder| connect(builder, &cell, &url).await));
        match report {
            Ok(report) => wrong.extend(differences(&cell, &report)),
            Err(error) => wrong.push(format!("{cell}: {error:#}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

async fn connect(builder: Builder, cell: &Cell, url: &str) -> Result<Client, Error> {
    let builder = match cell.mode {
        Mode::Legacy => builder.revision(Revision::V2025_11_25),
        Mode::Auto => builder,
        Mode::Modern => builder.revision(Revision::V2026_07_28),
    };
    if cell.wire == Wire::Http {
        return builder.connect(url).await;
    }
    let mut command = cell.peer.program(Side::Server).map_err(|error| Error::Address(format!("{error:#}")))?;
    command.arg("--stdio");
    let again = move || {
        let mut again = Command::new(command.get_program());
        again.args(command.get_args());
        again.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        again.into()
    };
    builder.spawn(again).await
}
