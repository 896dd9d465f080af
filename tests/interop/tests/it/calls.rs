//! Their clients, at our server.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result};
use micro_test::Process;
use serde_json::Value;

use crate::{
    contract::{Report, differences},
    peers::{Cell, Peer, Side, Wire, example},
};

/// How long a client may take for the whole course.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn our_server_gets_on_with_clients_of_the_python_sdk_1() -> Result<()> {
    every_cell(Peer::Python1)
}

#[test]
fn our_server_gets_on_with_clients_of_the_python_sdk_2() -> Result<()> {
    every_cell(Peer::Python2)
}

#[test]
fn our_server_gets_on_with_clients_of_fastmcp() -> Result<()> {
    every_cell(Peer::FastMcp)
}

#[test]
fn our_server_gets_on_with_clients_of_the_typescript_sdk_1() -> Result<()> {
    every_cell(Peer::TypeScript1)
}

#[test]
fn our_server_gets_on_with_clients_of_the_typescript_sdk_2() -> Result<()> {
    every_cell(Peer::TypeScript2)
}

#[test]
fn our_server_gets_on_with_clients_of_rmcp() -> Result<()> {
    every_cell(Peer::Rmcp)
}

fn every_cell(peer: Peer) -> Result<()> {
    let server = example("micro-server")?;
    let mut command = Command::new(&server);
    command.args(["--address", "127.0.0.1:0"]);
    let process = Process::start("micro-server", command)?;
    let url = process.wait_for_url(Duration::from_secs(10))?;

    let mut wrong = Vec::new();
    for cell in Cell::all(peer, Side::Client) {
        let mut command = peer.program(Side::Client)?;
        command.args(["--mode", cell.mode.name()]);
        match cell.wire {
            Wire::Http => command.arg(&url),
            Wire::Sse => command.arg(url.replace("/mcp", "/sse")),
            Wire::WebSocket => command.arg(url.replace("/mcp", "/ws").replace("http://", "ws://")),
            Wire::Stdio => command.arg("--stdio").arg(&server).arg("--stdio"),
        };
        match report(&cell, command) {
            Ok(report) => wrong.extend(differences(&cell, &report)),
            Err(error) => wrong.push(format!("{cell}: {error:#}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// What a client says that it saw.
fn report(cell: &Cell, command: Command) -> Result<Report> {
    let mut process = Process::start(&format!("{:?}-{:?}-{}", cell.peer, cell.wire, cell.mode.name()), command)?;
    let status = process.wait(PATIENCE)?;
    let mut report = Report::new();
    for line in process.stdout().lines() {
        let mut line: Value = serde_json::from_str(line).with_context(|| format!("no JSON: {line}"))?;
        let sentence = line["sentence"].as_str().context("a line without its sentence")?.to_owned();
        report.insert(sentence, line["saw"].take());
    }
    anyhow::ensure!(status.success(), "{status} after {:?}\n{}", report.keys(), process.last_lines(20));
    Ok(report)
}
