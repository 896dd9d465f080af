//! `micro audit tail`: the last records, and those that come.

use std::collections::VecDeque;

use crate::{
    audit::{self, Place, Read},
    error::CommandError,
    ui::Ui,
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro audit tail
  micro audit tail --follow
  micro audit tail --follow --json | jq 'select(.allowed == false)'";

/// Show the last records, and with `--follow` those that come
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// How many of the last records
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10)]
    lines: usize,
    /// Go on until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// Print the lines of the log as they are
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(ui: &mut Ui, args: &Args) -> Result<(), CommandError> {
    let mut reader = args.place.open()?;
    reader.skip_old().map_err(audit::unreadable)?;
    let mut last = VecDeque::new();
    while let Some(read) = audit::next(&mut reader)? {
        last.extend(args.line(&read));
        if last.len() > args.lines {
            last.pop_front();
        }
    }
    last.into_iter().for_each(|line| ui.data(line));
    while args.follow && !ui.is_closed() {
        if let Some(line) = args.line(&audit::follow(&mut reader).await?) {
            ui.data(line);
        }
    }
    Ok(())
}

impl Args {
    fn line(&self, read: &Read) -> Option<String> {
        let words = audit::line(&read.entry)?;
        Some(if self.json { read.text.clone() } else { words })
    }
}
