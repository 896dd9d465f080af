//! `micro auth`: who may come in.

mod explain;
mod grant;
mod key;
mod place;
mod user;

use clap::Subcommand;

use crate::{cx::Cx, error::CommandError, ui::Ui};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro auth key create assistant --scope blog:read --expires 90d
  micro auth key list
  micro auth key revoke 7hJ2kQmZx0Pf
  micro auth user add alice --scope blog:read --scope blog:write
  micro auth user list
  micro auth user remove alice
  micro auth explain assistant posts_Create         May it, and which rule says so?";

/// Manage who may come in, and explain what they may call
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Explain(explain::Args),
    Key(key::Args),
    User(user::Args),
}

pub(crate) async fn run(ui: &mut Ui, cx: &Cx, args: Args) -> Result<(), CommandError> {
    match args.command {
        Command::Explain(args) => explain::run(ui, cx, args).await,
        Command::Key(args) => key::run(ui, cx, args).await,
        Command::User(args) => user::run(ui, cx, args).await,
    }
}
