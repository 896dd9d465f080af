//! `micro audit export`: records for other programs.

use micro_policy::audit::{CallEntry, Entry};

use crate::{
    audit::{self, Filter, Place},
    error::CommandError,
    ui::Ui,
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro audit export --since 30d > month.json
  micro audit export --format csv --denied > refused.csv";

/// Print calls and intents as one JSON array, or calls as CSV
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    place: Place,
    /// The form
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Json)]
    format: Format,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One array of the records as they are
    Json,
    /// A row for each call, RFC 4180
    Csv,
}

/// The columns, in their order.
const COLUMNS: &str = "timestamp,trace_id,account_id,tenant,actors,intent,front,tool,allowed,denied_reason,rule,duration,arguments_digest,result_digest,error";

pub(crate) fn run(ui: &mut Ui, args: &Args) -> Result<(), CommandError> {
    let mut reader = args.place.open()?;
    let mut first = true;
    if args.format == Format::Csv {
        ui.data(COLUMNS);
    }
    while let Some(read) = audit::next(&mut reader)?.filter(|_| !ui.is_closed()) {
        if !args.filter.takes(&read) {
            continue;
        }
        match (args.format, &read.entry) {
            (Format::Csv, Entry::Call(call)) => ui.data(row(call)),
            (Format::Csv, _) => {}
            (Format::Json, _) => {
                ui.data(format_args!("{}{}", if first { '[' } else { ',' }, read.text));
                first = false;
            }
        }
    }
    if args.format == Format::Json {
        ui.data(if first { "[]" } else { "]" });
    }
    Ok(())
}

fn row(call: &CallEntry) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let digest = |digest: &Option<micro_policy::Digest>| digest.map(|digest| digest.to_string()).unwrap_or_default();
    let cells = [
        call.timestamp.to_string(),
        call.trace_id.clone(),
        text(&call.account_id),
        text(&call.tenant),
        call.actors.join(" "),
        text(&call.intent),
        call.front.clone(),
        call.tool.clone(),
        call.allowed.to_string(),
        text(&call.denied_reason),
        text(&call.rule),
        call.duration.to_string(),
        digest(&call.arguments_digest),
        digest(&call.result_digest),
        text(&call.error),
    ];
    cells.map(|cell| quoted(&cell)).join(",")
}

/// A cell that a spreadsheet takes for text, whatever a caller had put in it.
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !cell.contains(['"', ',', '\n', '\r']) {
        return cell.to_owned();
    }
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_to_every_spreadsheet() {
        for (cell, text) in [
            ("users.Users.Get", "users.Users.Get"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"a\"\nb", "\"say \"\"a\"\"\nb\""),
            ("=HYPERLINK(1)", "\"'=HYPERLINK(1)\""),
            ("-1", "\"'-1\""),
        ] {
            assert_eq!(quoted(cell), text);
        }
    }
}
