//! `micro auth`: who may come in.

mod user;

use clap::Subcommand;

use crate::{cx::Cx, error::CommandError, ui::Ui};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro auth user add alice --scope blog:read --scope blog:write
  micro auth user list
  micro auth user remove alice";

/// Manage who may come in
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    User(user::Args),
}

pub(crate) async fn run(ui: &mut Ui, cx: &Cx, args: Args) -> Result<(), CommandError> {
    match args.command {
        Command::User(args) => user::run(ui, cx, args).await,
    }
}
