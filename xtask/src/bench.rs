//! `cargo xtask bench`: our numbers next to a bare server's, from one run.

use std::path::Path;

use anyhow::Result;

use crate::run::{become_program, cargo_command};

/// Build with optimisation and run the benchmarks
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Passed on to the benchmarks; `-- --help` shows what they take
    #[arg(last = true)]
    args: Vec<String>,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let mut command = cargo_command(root, &["run", "--release", "-p", "micro-benches", "--"]);
    command.args(&args.args);
    Err(become_program(command))
}
