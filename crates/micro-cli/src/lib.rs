//! The `micro` command: help that teaches, one file a command.
//!
//! Knows terminals, flags, folders and processes. Does not know anything that a user of the libraries
//! would want: what a command does beyond talking to people lives in the crates below.

mod arguments;
mod audit;
mod cli;
mod commands;
mod config;
mod cx;
mod error;
mod fleet;
mod input;
mod mcp;
mod near;
mod serving;
mod tools;
mod ui;
mod words;

use std::process::ExitCode;

use clap::Parser;
use micro_runtime::telemetry;

use self::{cli::Cli, cx::Cx, error::CommandError, ui::Ui};

/// Runs the command that the process's arguments ask for. The exit code tells the kind of failure.
pub fn main() -> ExitCode {
    let cli = Cli::parse(); // a usage error leaves with 2 from here
    let logs = if cli.verbose { "debug,hyper=info,notify=info" } else { cli.command.logs() };
    telemetry::init(logs, telemetry::Format::from_env());
    let mut ui = Ui::new(cli.color);
    let cx = Cx::new(cli.registry, &cli.command.configs());
    let done = cx.and_then(|cx| {
        let runtime = runtime()?;
        let done = runtime.block_on(cli.command.run(&mut ui, &cx));
        runtime.shutdown_background(); // a read of stdin that nobody waits for would hold it up
        done
    });
    match done.and_then(|()| ui.finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui.error(&error);
            ExitCode::from(error.kind.code())
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| CommandError::internal("cannot start the runtime").because(e))
}
