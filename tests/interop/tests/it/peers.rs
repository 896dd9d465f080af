//! The SDKs that nobody here wrote, and how a program made with each is started.

use std::{env, fmt, path::PathBuf, process::Command};

use anyhow::{Context, Result};
use micro_mcp::proto::Era;
use micro_test::{Tool, workspace};

/// An SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// PyPI `mcp` 1.x.
    Python1,
    /// PyPI `mcp` 2.x.
    Python2,
    /// PyPI `fastmcp`.
    FastMcp,
    /// npm `@modelcontextprotocol/sdk`.
    TypeScript1,
    /// npm `@modelcontextprotocol/client` and `server`.
    TypeScript2,
    /// crates.io `rmcp`.
    Rmcp,
}

/// Which side of the protocol the peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

/// What carries the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Http,
    Stdio,
}

/// How the client finds out the era.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `initialize`.
    Legacy,
    /// Asks, and takes the newest that both know.
    Auto,
    /// 2026-07-28 and nothing else.
    Modern,
}

/// One pair under test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) peer: Peer,
    pub(crate) side: Side,
    pub(crate) wire: Wire,
    pub(crate) mode: Mode,
    /// What they must agree on.
    pub(crate) era: Era,
}

impl Cell {
    /// Every pair of a peer that is this side, over every transport and in every mode that it has.
    pub(crate) fn all(peer: Peer, side: Side) -> Vec<Self> {
        let modes: &[Mode] = match side {
            Side::Server => &[Mode::Legacy, Mode::Auto, Mode::Modern],
            Side::Client => peer.modes(),
        };
        let pairs = [Wire::Http, Wire::Stdio].into_iter().flat_map(|wire| modes.iter().map(move |mode| (wire, *mode)));
        let cell = |(wire, mode)| {
            let modern = mode != Mode::Legacy && (side == Side::Client || peer.modern());
            Self { peer, side, wire, mode, era: if modern { Era::Modern } else { Era::Legacy } }
        };
        let fits = |cell: &Self| (cell.mode == Mode::Modern) <= (cell.era == Era::Modern);
        pairs.map(cell).filter(fits).collect()
    }
}

impl Peer {
    /// Whether it speaks 2026-07-28.
    fn modern(self) -> bool {
        !matches!(self, Self::Python1 | Self::TypeScript1)
    }

    /// The modes of its client.
    fn modes(self) -> &'static [Mode] {
        if self.modern() { &[Mode::Legacy, Mode::Auto, Mode::Modern] } else { &[Mode::Legacy] }
    }

    /// The program made with it that is this side.
    ///
    /// # Errors
    /// When the SDK cannot be installed.
    pub(crate) fn program(self, side: Side) -> Result<Command> {
        let (tool, name) = match self {
            Self::Python1 => (Tool::Mcp1, "mcp1"),
            Self::Python2 => (Tool::Mcp2, "mcp2"),
            Self::FastMcp => (Tool::FastMcp, "fastmcp"),
            Self::TypeScript1 => (Tool::Sdk1, "sdk1"),
            Self::TypeScript2 => (Tool::Sdk2, "sdk2"),
            Self::Rmcp => return Ok(Command::new(example("rmcp", side)?)),
        };
        let here = workspace::root()?.join("tests/interop");
        let suffix = if side == Side::Server { "server" } else { "client" };
        if matches!(self, Self::TypeScript1 | Self::TypeScript2) {
            let mut command = Command::new(Tool::Node.install()?);
            command.arg(here.join(format!("node/{name}-{suffix}.mjs"))).env("MCP_SDK", tool.install()?);
            return Ok(command);
        }
        let mut command = tool.command()?;
        command.arg(here.join(format!("python/{name}_{suffix}.py")));
        Ok(command)
    }
}

/// A program of `examples/`, which cargo builds with the tests.
pub(crate) fn example(name: &str, side: Side) -> Result<PathBuf> {
    let suffix = if side == Side::Server { "server" } else { "client" };
    let this = env::current_exe()?;
    let target = this.parent().and_then(|deps| deps.parent()).context("the test runs outside of a target folder")?;
    Ok(target.join(format!("examples/{name}-{suffix}")))
}

impl Mode {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Auto => "auto",
            Self::Modern => "modern",
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} over {:?}, {}", self.peer, self.side, self.wire, self.mode.name())
    }
}
