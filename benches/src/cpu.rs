//! A server process and the CPU time it has used.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::roles::Role;

/// A running server; killed when dropped.
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) address: String,
    _stdout: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(role: Role, peer: Option<&str>) -> Result<Self> {
        let name = role.to_possible_value().context("every role has a name")?.get_name().to_owned();
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--role", &name]).stdout(Stdio::piped());
        if let Some(peer) = peer {
            command.args(["--peer", peer]);
        }
        let began = Instant::now();
        let mut child = command.spawn()?;
        let mut stdout = BufReader::new(child.stdout.take().context("stdout is a pipe")?);
        let mut address = String::new();
        stdout.read_line(&mut address)?;
        if address.trim().is_empty() || began.elapsed() > crate::START {
            bail!("the server {name} did not start");
        }
        Ok(Self { child, address: address.trim().to_owned(), _stdout: stdout })
    }

    /// User and system time of all its threads, in nanoseconds precision (`schedstat`, proc(5)).
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let stat = std::fs::read_to_string(task?.path().join("schedstat"))?;
            nanos += stat.split_whitespace().next().context("schedstat has numbers")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
