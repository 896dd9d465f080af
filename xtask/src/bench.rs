//! `cargo xtask bench`: our numbers next to bare servers' and other SDKs', from one run.

use std::{ffi::OsString, path::Path};

use anyhow::Result;
use micro_test::workspace::target_dir;

use crate::run::{become_program, cargo, cargo_command};

/// Build with optimisation and run the benchmarks
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave the other SDKs out, which are built and installed first
    #[arg(long)]
    alone: bool,
    /// Parts (sdk, gateway, list; all without one) and options of the benchmarks; `-- --help` shows them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let mut rest: Vec<OsString> = args.args.iter().map(OsString::from).collect();
    if !args.alone && args.wants_sdks() {
        cargo(root, &["build", "--release", "-p", "micro-interop-tests", "--example", "rmcp-echo"])?;
        rest.push("--rmcp".into());
        rest.push(target_dir()?.join("release/examples/rmcp-echo").into());
    }
    let mut command = cargo_command(root, &["run", "--release", "-p", "micro-benches", "--"]);
    command.args(rest);
    Err(become_program(command))
}

impl Args {
    fn wants_sdks(&self) -> bool {
        let named = |part: &str| self.args.iter().any(|word| word == part);
        !named("--help") && (named("sdk") || !(named("gateway") || named("list")))
    }
}
