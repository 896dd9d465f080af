//! `micro audit`: who called what, what became of it, and whether the log is as it was written.

mod export;
mod search;
mod tail;
mod trace;
mod verify;

use clap::Subcommand;

use crate::{error::CommandError, ui::Ui};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro audit verify                               Is the log as it was written?
  micro audit tail --follow                        See calls as they are made
  micro audit search --denied --since 1h           Who was refused, and why
  micro audit search --account assistant --tool 'blog.*'
  micro audit export --format csv > calls.csv
  micro audit trace INTENT                         From what a user asked to what was done";

/// Read and verify the audit log
///
/// A gateway writes one with `--audit WHERE`, or with `to` in the `[gateway.audit]` table of its micro.toml.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Verify(verify::Args),
    Tail(tail::Args),
    Search(search::Args),
    Export(export::Args),
    Trace(trace::Args),
}

pub(crate) async fn run(ui: &mut Ui, args: Args) -> Result<(), CommandError> {
    match args.command {
        Command::Verify(args) => verify::run(ui, &args),
        Command::Tail(args) => tail::run(ui, &args).await,
        Command::Search(args) => search::run(ui, &args),
        Command::Export(args) => export::run(ui, &args),
        Command::Trace(args) => trace::run(ui, &args),
    }
}
