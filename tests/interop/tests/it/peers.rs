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
    /// Streamable HTTP.
    Http,
    Stdio,
    /// The first HTTP transport, HTTP+SSE.
    Sse,
    WebSocket,
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
        let modes = [Mode::Legacy, Mode::Auto, Mode::Modern];
        let wires =
            [Wire::Http, Wire::Stdio, Wire::Sse, Wire::WebSocket].into_iter().filter(|wire| peer.has(*wire, side));
        let pairs = wires.flat_map(|wire| modes.map(|mode| (wire, mode)));
        let cell = |(wire, mode)| {
            let modern = mode != Mode::Legacy && peer.modern() && matches!(wire, Wire::Http | Wire::Stdio);
            Self { peer, side, wire, mode, era: if modern { Era::Modern } else { Era::Legacy } }
        };
        // Our client can ask whatever it is; theirs have modes where they have eras.
        let fits = |cell: &Self| match cell.mode {
            Mode::Legacy => true,
            Mode::Auto => side == Side::Server || cell.era == Era::Modern,
            Mode::Modern => cell.era == Era::Modern,
        };
        pairs.map(cell).filter(fits).collect()
    }
}

impl Peer {
    pub(crate) const ALL: [Self; 6] =
        [Self::Python1, Self::Python2, Self::FastMcp, Self::TypeScript1, Self::TypeScript2, Self::Rmcp];

    /// Whether it speaks 2026-07-28.
    fn modern(self) -> bool {
        !matches!(self, Self::Python1 | Self::TypeScript1)
    }

    /// Whether it has this transport on this side.
    fn has(self, wire: Wire, side: Side) -> bool {
        match wire {
            Wire::Http | Wire::Stdio => true,
            Wire::Sse if side == Side::Server => !matches!(self, Self::TypeScript2 | Self::Rmcp),
            Wire::Sse => self != Self::Rmcp,
            // The Python SDK 1.x has one too, with a package that is not installed with it.
            Wire::WebSocket => self == Self::TypeScript1 && side == Side::Client,
        }
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
            Self::Rmcp => return Ok(Command::new(example(&format!("rmcp-{}", side.name()))?)),
        };
        match self {
            Self::TypeScript1 | Self::TypeScript2 => node(tool, &format!("{name}-{}.mjs", side.name())),
            _ => python(tool, &format!("{name}_{}.py", side.name())),
        }
    }
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// A script of the folder `node`, with an SDK.
pub(crate) fn node(sdk: Tool, script: &str) -> Result<Command> {
    let mut command = Command::new(Tool::Node.install()?);
    command.arg(workspace::root()?.join("tests/interop/node").join(script)).env("MCP_SDK", sdk.install()?);
    Ok(command)
}

/// A script of the folder `python`, with an SDK.
pub(crate) fn python(sdk: Tool, script: &str) -> Result<Command> {
    let mut command = sdk.command()?;
    command.arg(workspace::root()?.join("tests/interop/python").join(script));
    Ok(command)
}

/// A program of `examples/`, which cargo builds with the tests.
pub(crate) fn example(name: &str) -> Result<PathBuf> {
    let this = env::current_exe()?;
    let target = this.parent().and_then(|deps| deps.parent()).context("the test runs outside of a target folder")?;
    Ok(target.join("examples").join(name))
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
