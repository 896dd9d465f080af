//! `micro audit search`: the records that somebody looks for.

use crate::{
    audit::{self, Filter, Place},
    error::CommandError,
    ui::Ui,
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro audit search --denied --since 1h
  micro audit search --account assistant --tool 'blog.*'
  micro audit search --trace 0af7651916cd43dd8448eb211c80319c --json
  micro audit search 'insufficient scopes'";

/// Find records by account, tool, trace, intent, time, verdict or text
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    place: Place,
    /// Print the lines of the log as they are
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(ui: &mut Ui, args: &Args) -> Result<(), CommandError> {
    let mut reader = args.place.open()?;
    while let Some(read) = audit::next(&mut reader)?.filter(|_| !ui.is_closed()) {
        if args.filter.takes(&read) {
            let words = audit::line(&read.entry).unwrap_or_default();
            ui.data(if args.json { read.text } else { words });
        }
    }
    Ok(())
}
