//! Their servers, under our client.

use std::{process::Command, time::Duration};

use anyhow::Result;
use micro_mcp::{
    client::{Builder, Client, Error},
    proto::{Content, Revision},
};
use micro_test::{Process, Tool};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{
    contract::differences,
    ours,
    peers::{Cell, Mode, Peer, Side, Wire, example, node, python},
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

/// What the benchmarks compare with.
#[test]
fn the_servers_of_the_benchmarks_echo() -> Result<()> {
    echoes("rmcp", || Ok(Command::new(example("rmcp-echo")?)))?;
    echoes("python", || python(Tool::Mcp2, "echo_server.py"))?;
    echoes("node", || node(Tool::Sdk2, "echo-server.mjs"))
}

/// Over both transports, in both eras.
fn echoes(name: &str, command: impl Fn() -> Result<Command>) -> Result<()> {
    let (_process, url) = listen(name, command()?, &[])?;
    runtime()?.block_on(async {
        for revision in [Revision::V2025_11_25, Revision::V2026_07_28] {
            let builder = || Client::builder().revision(revision);
            for client in [builder().connect(&url).await?, spawn(builder(), command()?).await?] {
                let echoed = client.call("echo").args(&json!({ "message": "hello" })).await?;
                assert_eq!(echoed.content, [Content::text("hello")], "{name} {revision}");
                client.close().await;
            }
        }
        Ok(())
    })
}

/// Each mode over stdio is a process of its own; over HTTP all of them are guests of one.
fn every_cell(peer: Peer) -> Result<()> {
    let name = format!("{peer:?}-server");
    let (_http, url) = listen(&name, peer.program(Side::Server)?, &[])?;
    let mut sse = None;
    let mut wrong = Vec::new();
    for cell in Cell::all(peer, Side::Server) {
        if cell.wire == Wire::Sse && sse.is_none() {
            sse = Some(listen(&format!("{name}-sse"), peer.program(Side::Server)?, &["--sse"])?);
        }
        let url = sse.as_ref().map_or(&url, |(_, url)| url);
        let report = runtime()?.block_on(ours::report(async |builder| connect(builder, &cell, url).await));
        match report {
            Ok(report) => wrong.extend(differences(&cell, &report)),
            Err(error) => wrong.push(format!("{cell}: {error:#}")),
        }
    }
    wrong.extend(runtime()?.block_on(older(peer, &url)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Whether the revisions of the session era before the last one are spoken too.
async fn older(peer: Peer, url: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for revision in [Revision::V2024_11_05, Revision::V2025_03_26, Revision::V2025_06_18] {
        let spoken = async {
            let client = Client::builder().revision(revision).connect(url).await?;
            assert_eq!(client.revision().await?, revision);
            client.call("echo").args(&json!({ "message": "hello" })).await
        };
        match spoken.await {
            Ok(result) if result.content == [Content::text("hello")] => {}
            outcome => wrong.push(format!("{peer:?} in {revision}: {outcome:?}")),
        }
    }
    wrong
}

/// Starts a server, and says where it listens.
fn listen(name: &str, mut command: Command, flags: &[&str]) -> Result<(Process, String)> {
    command.args(["--address", "127.0.0.1:0"]).args(flags);
    let process = Process::start(name, command)?;
    let url = process.wait_for_url(Duration::from_secs(60))?;
    Ok((process, url))
}

async fn connect(builder: Builder, cell: &Cell, url: &str) -> Result<Client, Error> {
    let builder = match cell.mode {
        Mode::Legacy => builder.revision(Revision::V2025_11_25),
        Mode::Auto => builder,
        Mode::Modern => builder.revision(Revision::V2026_07_28),
    };
    if cell.wire != Wire::Stdio {
        return builder.connect(url).await;
    }
    let command = cell.peer.program(Side::Server).map_err(|error| Error::Address(format!("{error:#}")))?;
    spawn(builder, command).await
}

async fn spawn(builder: Builder, mut command: Command) -> Result<Client, Error> {
    command.arg("--stdio");
    let again = move || {
        let mut again = Command::new(command.get_program());
        again.args(command.get_args());
        again.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        again.into()
    };
    builder.spawn(again).await
}

fn runtime() -> Result<Runtime> {
    Ok(Runtime::new()?)
}
