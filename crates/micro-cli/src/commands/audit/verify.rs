//! `micro audit verify`: whether the log is as it was written, and where not.

use std::path::PathBuf;

use micro_gateway::AuditText;
use micro_policy::audit::{Head, Kept, Report, Verifier};
use serde_json::json;

use crate::{
    audit::{Place, unreadable},
    error::CommandError,
    ui::Ui,
    words::{count, plain},
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro audit verify
  micro audit verify --log /var/log/micro --key checkpoint.pub
  micro audit verify --expect 1200:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                                                   Against what was noted down before

Exit code 6 means that something is wrong.";

/// Find every edit, deletion, reordering and cut in the log, and name the place
///
/// Each record holds a hash of the one before it, checkpoints sign them, and the newest checkpoint is kept beside the
/// log. Who can write to the folder can put all of it back to an earlier checkpoint; so note down elsewhere what this
/// prints of the last record, and give it to `--expect` later.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// The public key of the checkpoints [default: `checkpoint.pub` beside the log]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// A record's number and hash, which the log must have; may be given again
    #[arg(long, value_name = "SEQ:HASH", value_parser = head)]
    expect: Vec<Head>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(ui: &mut Ui, args: &Args) -> Result<(), CommandError> {
    let mut reader = args.place.open()?;
    let key = reader
        .key(args.key.as_deref())
        .map_err(|error| CommandError::invalid("cannot read the key of the checkpoints").because(error))?;
    let has_key = key.is_some();
    let kept = reader.kept().map_err(unreadable)?;
    let kept = match &kept {
        None => Kept::Nothing,
        Some(None) => Kept::Missing,
        Some(Some(line)) => Kept::Checkpoint(line),
    };
    let mut verifier = Verifier::new(key, kept);
    args.expect.iter().for_each(|head| verifier.expect(*head));
    while let Some(text) = reader.read().map_err(unreadable)? {
        match text {
            AuditText::Segment(name) => verifier.segment(&name),
            AuditText::Line(line) => verifier.line(&line),
        }
    }
    verifier.torn(reader.torn());
    let report = verifier.end();
    if args.json {
        ui.json(&json!({"good": report.is_good(), "key": has_key, "report": report}));
    } else {
        tell(ui, &report, has_key);
    }
    match report.found.len() as u64 + report.more {
        0 => Ok(()),
        found => Err(CommandError::invalid(format!(
            "the audit log is not as it was written: {} found",
            count(usize::try_from(found).unwrap_or(usize::MAX), "thing")
        ))),
    }
}

fn tell(ui: &mut Ui, report: &Report, has_key: bool) {
    for found in &report.found {
        ui.data(format_args!("{}:{}  {}", plain(&found.segment), found.line, found.fault));
    }
    if report.more > 0 {
        ui.data(format_args!("and {} more", report.more));
    }
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let segments = count(number(report.segments), "segment");
    ui.data(format_args!(
        "{} in {segments}, {}",
        count(number(report.lines), "record"),
        count(number(report.calls), "call")
    ));
    if report.lost > 0 {
        ui.data(format_args!("{} could not be written, and the log says so", count(number(report.lost), "record")));
    }
    if report.torn > 0 {
        ui.data(format_args!("the last {} bytes are no whole record: nobody was answered for it", report.torn));
    }
    match report.lines.saturating_sub(report.signed) {
        _ if !has_key => ui.warn("there is no key, so the signatures were not checked"),
        // A checkpoint signs what is above it, and is the last itself.
        0 | 1 => ui.data("signed to the end"),
        _ => ui.data(format_args!("records after {} are not signed yet", report.signed)),
    }
    if report.is_good() {
        ui.data(format_args!("nothing is wrong; the last record is {}:{}", report.lines, report.hash));
    }
}

fn head(text: &str) -> Result<Head, String> {
    let (seq, hash) = text.split_once(':').ok_or("say it as `verify` prints it: SEQ:HASH")?;
    let seq = seq.parse().map_err(|_| "before the colon stands a number")?;
    Ok(Head { seq, hash: hash.parse().map_err(|error: micro_policy::InvalidDigest| error.to_string())? })
}
