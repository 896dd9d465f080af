//! Running programs with their output shown.

use std::{ffi::OsStr, os::unix::process::CommandExt, path::Path, process::Command};

use anyhow::{Context, Error, Result, bail};

/// Cargo, as it was called to start us, at the root of the workspace.
pub(crate) fn cargo_command<S: AsRef<OsStr>>(root: &Path, args: &[S]) -> Command {
    let mut command = micro_test::workspace::cargo();
    command.args(args).current_dir(root);
    command
}

/// Runs cargo and shows what it prints.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn cargo<S: AsRef<OsStr>>(root: &Path, args: &[S]) -> Result<()> {
    let mut command = cargo_command(root, args);
    let status = command.status().context("cannot start cargo")?;
    if !status.success() {
        let words: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
        bail!("`cargo {}` failed: {status}", words.join(" "));
    }
    Ok(())
}

/// Becomes this program; returns only when that is not possible.
pub(crate) fn become_program(mut command: Command) -> Error {
    Error::from(command.exec()).context(format!("cannot start {}", command.get_program().display()))
}
