//! `micro config`: the settings, checked and explained.

use std::path::PathBuf;

use clap::Subcommand;

use crate::{
    config::{self, Reading, Setting, Settings},
    cx::Cx,
    error::CommandError,
    ui::Ui,
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro config check                        Is the micro.toml here good?
  micro config check deploy/micro.toml      Or another one
  micro config show                         What file, variables and flags say together
  micro config reference                    Every key, with its default and its variable
  micro config schema > micro.schema.json   For editors: `#:schema ./micro.schema.json` as the file's first line";

/// Check the settings, show them, explain every key
///
/// Settings come from micro.toml, from variables (MICRO_GATEWAY_AUTH_MODE is the key gateway.auth.mode) and from flags;
/// what is nearer to the command wins.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(From),
    Show(From),
    /// Print every key in Markdown
    Reference,
    /// Print the JSON Schema of micro.toml
    Schema,
}

/// Say what is wrong with the settings, or that nothing is
#[derive(Debug, clap::Args)]
struct From {
    /// The file [default: the micro.toml here]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Set a key, for example gateway.auth.mode=on; may be given again
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<Setting>,
}

impl From {
    fn reading(&self) -> Reading {
        Reading::of(self.file.as_deref()).set(&self.set)
    }
}

pub(crate) async fn run(ui: &mut Ui, _: &Cx, args: Args) -> Result<(), CommandError> {
    match args.command {
        Command::Check(from) => {
            let reading = from.reading();
            reading.load()?.value.gateway.check().map_err(|error| CommandError::invalid(error.to_string()))?;
            ui.note(format_args!("{} can be used", reading.name()));
        }
        Command::Show(from) => ui.data(from.reading().load()?.shown().trim_end()),
        Command::Reference => ui.data(config::reference().trim_end()),
        Command::Schema => ui.json(&micro_runtime::config::schema::<Settings>()),
    }
    Ok(())
}
