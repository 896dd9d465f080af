//! `micro mcp`: the services as tools, and tools for people who build MCP servers.

mod inspect;
mod list;
mod record;
mod replay;
mod serve;
mod server;
mod test;
mod validate;

use clap::Subcommand;

use crate::{cx::Cx, error::CommandError, ui::Ui};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro mcp list                                   See the tools
  micro mcp test users_Get                         Call one with its own example
  claude mcp add micro -- micro mcp serve          Give them to an agent
  micro mcp inspect http://127.0.0.1:3000/mcp      See what any MCP server offers
  micro mcp validate http://127.0.0.1:3000/mcp     Check it against the specification
  micro mcp record calls.jsonl http://127.0.0.1:3000/mcp
                                                   Record a client's calls
  micro mcp replay calls.jsonl http://127.0.0.1:3000/mcp
                                                   Try whether they are still answered the same";

/// Serve the services as tools, list them, try them; look into any MCP server
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    List(list::Args),
    Test(test::Args),
    Inspect(inspect::Args),
    Validate(validate::Args),
    Record(record::Args),
    Replay(replay::Args),
}

pub(crate) async fn run(ui: &mut Ui, cx: &Cx, args: Args) -> Result<(), CommandError> {
    match args.command {
        Command::Serve(args) => serve::run(ui, cx, args).await,
        Command::List(args) => list::run(ui, cx, args).await,
        Command::Test(args) => test::run(ui, cx, args).await,
        Command::Inspect(args) => inspect::run(ui, cx, args).await,
        Command::Validate(args) => validate::run(ui, cx, args).await,
        Command::Record(args) => record::run(ui, cx, args).await,
        Command::Replay(args) => replay::run(ui, cx, args).await,
    }
}
