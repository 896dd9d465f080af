//! `micro leash`: becomes another program that does not outlive whoever started it.
//!
//! `micro run` starts services through this. A process can only ask for itself to be told of its parent's
//! death, and asking between fork and exec would need unsafe code; the request survives exec.

use std::{ffi::OsString, os::unix::process::CommandExt, process::Command};

use crate::{cx::Cx, error::CommandError, ui::Ui};

/// Become another program, which is asked to leave when its parent dies
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct Args {
    /// The process that is to be the parent
    parent: u32,
    /// The program to become, and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<OsString>,
}

pub(crate) async fn run(_ui: &mut Ui, _cx: &Cx, args: Args) -> Result<(), CommandError> {
    let Args { parent, program } = args;
    #[cfg(target_os = "linux")] // elsewhere nobody tells; the service lives on
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))
        .map_err(|e| CommandError::internal("cannot ask to be told of the parent's death").because(e))?;
    if std::os::unix::process::parent_id() != parent {
        return Err(CommandError::unavailable("the parent is gone already")); // it died before we asked
    }
    let error = Command::new(&program[0]).args(&program[1..]).exec();
    Err(CommandError::not_found(format!("cannot start {}", program[0].display())).because(error))
}
