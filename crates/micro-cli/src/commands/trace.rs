//! `micro trace`: the decisions on calls, as they are made.

use micro_policy::audit::{CallEntry, Entry};

use crate::{
    audit::{self, Place, step},
    error::CommandError,
    ui::Ui,
    words::plain,
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro trace users.Users.Get                      Every call of a tool from now on
  micro trace 0af7651916cd43dd8448eb211c80319c     Every call of a trace, past and to come";

/// Follow the decisions on calls of a tool, or of a trace, as they are made
///
/// Shows for each call which policies were asked, in order, what they said and how long they took. It reads the audit log
/// of the gateway, wherever that is.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A tool, by its canonical name (a `*` at the end stands for every end), or a trace id
    #[arg(value_name = "TOOL|TRACE")]
    what: String,
    #[command(flatten)]
    place: Place,
    /// End after so many calls
    #[arg(long, short = 'n', value_name = "N")]
    count: Option<usize>,
}

pub(crate) async fn run(ui: &mut Ui, args: Args) -> Result<(), CommandError> {
    let mut reader = args.place.open()?;
    let trace = args.what.len() == 32 && args.what.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !trace {
        reader.skip_old().map_err(audit::unreadable)?;
    }
    let mut left = args.count.unwrap_or(usize::MAX);
    while let Some(read) = audit::next(&mut reader)? {
        // Of a tool only what comes; of a trace everything.
        if trace && left > 0 {
            left -= args.show(ui, &read.entry);
        }
    }
    if left > 0 {
        ui.note(format_args!("waiting for calls of {}; Ctrl-C ends", plain(&args.what)));
    }
    while left > 0 && !ui.is_closed() {
        let read = audit::follow(&mut reader).await?;
        left -= args.show(ui, &read.entry);
    }
    Ok(())
}

impl Args {
    /// Shows a call that is looked for; gives how many it showed.
    fn show(&self, ui: &mut Ui, entry: &Entry) -> usize {
        let Entry::Call(call) = entry else { return 0 };
        let named = self.what.strip_suffix('*').map_or(call.tool == self.what, |start| call.tool.starts_with(start));
        if !named && call.trace_id != self.what {
            return 0;
        }
        print(ui, entry, call);
        1
    }
}

fn print(ui: &mut Ui, entry: &Entry, call: &CallEntry) {
    ui.data(audit::line(entry).unwrap_or_default());
    let last = call.decisions.len();
    for (n, (policy, nanos)) in call.decisions.iter().enumerate() {
        ui.data(format_args!("    {}", step(policy, nanos, !call.allowed && n + 1 == last)));
    }
    if let Some(rule) = &call.rule {
        ui.data(format_args!("    by the rule {}", plain(rule)));
    }
}
