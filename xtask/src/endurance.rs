//! `cargo xtask endurance`: the long form of the tests with many clients.

use std::path::Path;

use anyhow::{Result, bail};

use crate::run::cargo_command;

/// Let ten thousand clients come and go, and see that nothing is left of them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(root: &Path, Args {}: &Args) -> Result<()> {
    let words = ["test", "--release", "-p", "everything", "--test", "it", "--", "endurance"];
    let status = cargo_command(root, &words).env("MICRO_ENDURANCE", "long").status()?;
    if !status.success() {
        bail!("the endurance tests failed");
    }
    Ok(())
}
