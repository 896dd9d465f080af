//! `cargo xtask crash`: the long form of the tests that kill gateways.

use std::path::Path;

use anyhow::{Result, bail};

use crate::run::cargo_command;

/// Kill a gateway under load again and again; each time verify its audit log and compare it with what clients saw
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often
    #[arg(long, default_value_t = 200)]
    kills: u32,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let words =
        ["test", "--workspace", "--exclude", "micro-interop-tests", "--test", "system", "--", "crash::", "--nocapture"];
    let status = cargo_command(root, &words).env("MICRO_CRASH_KILLS", args.kills.to_string()).status()?;
    if !status.success() {
        bail!("a killed gateway left a log that is not right");
    }
    Ok(())
}
