//! Who takes part: our servers and bare ones, each this program again with a role, and servers made with
//! SDKs that nobody here wrote.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context, Result};
use clap::ValueEnum;
use micro_test::{Process, Tool, workspace};

use crate::{policies::Policy, roles::Role};

/// Longest time a started server may take to say where it listens.
const START: Duration = Duration::from_secs(30);

/// An SDK to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Peer {
    /// crates.io `rmcp`; the program of `tests/interop`, built with optimisation.
    Rmcp(PathBuf),
    /// npm `@modelcontextprotocol/server` 2.x.
    TypeScript,
    /// PyPI `mcp` 2.x.
    Python,
}

/// How a contestant is started.
#[derive(Debug, Clone)]
pub(crate) enum Program {
    /// This program with a role.
    Ours(Role),
    /// One that only echoes, without sessions where the SDK can do without.
    Theirs(Peer),
}

/// A running server that listens; killed when dropped.
pub(crate) struct Listening {
    process: Process,
    /// `host:port`.
    pub(crate) address: String,
}

impl Listening {
    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Starts a server with a role, next to the peer it needs.
    pub(crate) fn start(role: Role, peer: Option<&str>) -> Result<Self> {
        let mut command = Program::Ours(role).command()?;
        if let Some(peer) = peer {
            command.args(["--peer", peer]);
        }
        Self::of(command, &format!("{role:?}"))
    }

    /// Starts a gateway with these policies in front of a service; gives the credential that it takes, too.
    pub(crate) fn gateway(service: &str, policies: &[Policy]) -> Result<(Self, String)> {
        let mut command = Program::Ours(Role::Gateway).command()?;
        command.args(["--peer", service]);
        for policy in policies {
            command.arg("--with").arg(policy.to_possible_value().context("every policy has a name")?.get_name());
        }
        let listening = Self::of(command, &format!("{policies:?}"))?;
        let line = listening.process.wait_for_line("credential ", START)?;
        Ok((listening, line.trim_start_matches("credential ").to_owned()))
    }

    /// Starts a program that listens.
    pub(crate) fn program(program: &Program) -> Result<Self> {
        let mut command = program.command()?;
        if let Program::Theirs(_) = program {
            command.args(["--address", "127.0.0.1:0"]);
        }
        Self::of(command, &format!("{program:?}"))
    }

    fn of(command: Command, name: &str) -> Result<Self> {
        let process = Process::start(name, command)?;
        let url = process.wait_for_url(START)?;
        let address = url.trim_start_matches("http://").split('/').next().context("a URL has a host")?.to_owned();
        Ok(Self { process, address })
    }
}

impl Program {
    /// The command that speaks on its streams.
    pub(crate) fn on_streams(&self) -> Result<Command> {
        let mut command = self.command()?;
        if let Self::Theirs(_) = self {
            command.arg("--stdio");
        }
        Ok(command)
    }

    fn command(&self) -> Result<Command> {
        let here = || Ok::<_, anyhow::Error>(workspace::root()?.join("tests/interop"));
        Ok(match self {
            Self::Ours(role) => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("--role").arg(role.to_possible_value().context("every role has a name")?.get_name());
                command
            }
            Self::Theirs(Peer::Rmcp(program)) => Command::new(program),
            Self::Theirs(Peer::TypeScript) => {
                let mut command = Command::new(Tool::Node.install()?);
                command.arg(here()?.join("node/echo-server.mjs")).env("MCP_SDK", Tool::Sdk2.install()?);
                command
            }
            Self::Theirs(Peer::Python) => {
                let mut command = Tool::Mcp2.command()?;
                command.arg(here()?.join("python/echo_server.py"));
                command
            }
        })
    }
}
