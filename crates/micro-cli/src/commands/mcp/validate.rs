//! `micro mcp validate`: whether an MCP server keeps what the specification says.

use std::path::PathBuf;

use micro_mcp::proto::Revision;
use serde_json::{Value, json};

use super::{inspect::Revisions, server::Server};
use crate::{
    cx::Cx,
    error::{CommandError, Kind},
    mcp::{
        junit::{self, Verdict},
        target::Target,
        validate::{self, Checked, Level, Options, Refused},
    },
    ui::Ui,
    words,
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro mcp validate http://127.0.0.1:3000/mcp
  micro mcp validate -- python server.py           A server on stdio
  micro mcp validate URL --era modern --strict     2026-07-28 only; SHOULD counts too
  micro mcp validate URL --only header --only http Checks whose ids begin so
  micro mcp validate URL --junit validate.xml      For a test dashboard

Exit codes:
  1 a MUST is not kept   3 no such program   4 the server cannot be reached   5 it wants credentials   6 it speaks no revision that was asked for";

/// Check an MCP server against the specification, in every revision it speaks
///
/// Sends what clients send, right and wrong, and looks at what comes back: messages, HTTP statuses and
/// headers. Each check names its section of the specification. Nothing is changed at the server: only tools
/// that say they only read are called, unless `--call-tools` allows the others.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    revisions: Revisions,
    /// Make only checks whose ids begin with this; may be given again
    #[arg(long, value_name = "ID", value_parser = known)]
    only: Vec<String>,
    /// Fail for a SHOULD, too
    #[arg(long)]
    strict: bool,
    /// Call tools that do not say they only read, with made-up arguments
    #[arg(long)]
    call_tools: bool,
    /// Print JSON, with every check
    #[arg(long)]
    json: bool,
    /// Write the results to this file as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// A beginning that some check's id has: a check that is not made must not look like one that was passed.
fn known(begin: &str) -> Result<String, &'static str> {
    let some = validate::CHECKS.iter().any(|check| check.id.starts_with(begin));
    if some {
        Ok(begin.to_owned())
    } else {
        Err("no check has an id that begins so; without --only the table names all")
    }
}

pub(crate) async fn run(ui: &mut Ui, _cx: &Cx, args: Args) -> Result<(), CommandError> {
    let target = args.server.target()?;
    let refused = |refused: Refused| refusal(&target, refused);
    ui.progress(format_args!("finding out what {} speaks", target.place));
    let spoken = validate::spoken(&target).await.map_err(refused)?;
    let wanted: Vec<_> = args.revisions.list().into_iter().filter(|revision| spoken.contains(revision)).collect();
    if wanted.is_empty() {
        let none = format!("{} speaks no revision that was asked for", target.place);
        return Err(target.explained(CommandError::invalid(none)));
    }
    let options = Options { call_tools: args.call_tools, only: args.only };
    let mut results = Vec::new();
    for revision in &wanted {
        let tell = |check: &'static validate::Check| ui.progress(format_args!("{} {}", revision.as_str(), check.id));
        results.extend(validate::validate(&target, *revision, &spoken, &options, tell).await.map_err(refused)?);
    }
    if let Some(path) = &args.junit {
        let cases: Vec<_> = results.iter().map(Checked::case).collect();
        let written = std::fs::write(path, junit::render(&format!("micro mcp validate {}", target.place), &cases));
        written.map_err(|e| CommandError::invalid(format!("cannot write {}", path.display())).because(e))?;
    }
    let summary = Summary::of(&results);
    if args.json {
        ui.json(&in_json(&target, &wanted, &results, &summary));
    } else {
        show(ui, &wanted, &results);
    }
    ui.note(&summary);
    match (summary.must, summary.should) {
        (0, 0) => Ok(()),
        (0, _) if !args.strict => Ok(()),
        _ => Err(CommandError::internal("the server does not keep what the specification says")),
    }
}

/// Why there is nothing to validate.
fn refusal(target: &Target, refused: Refused) -> CommandError {
    let cannot = |kind| CommandError::new(kind, format!("cannot speak to {}", target.place));
    target.explained(match refused {
        Refused::Denied(status) => cannot(Kind::Denied).because(std::io::Error::other(format!("HTTP {status}"))),
        Refused::Unreachable(error) if error.kind() == std::io::ErrorKind::NotFound => {
            cannot(Kind::NotFound).because(error)
        }
        Refused::Unreachable(error) => cannot(Kind::Unavailable).because(error),
        Refused::Revision => cannot(Kind::Unavailable).hint("it spoke this revision a moment ago"),
    })
}

/// How many checks came to what.
struct Summary {
    made: usize,
    must: usize,
    should: usize,
    skipped: usize,
}

impl Summary {
    fn of(results: &[Checked]) -> Self {
        let failed = |level| results.iter().filter(|result| result.failed() && result.check.level == level).count();
        let skipped = results.iter().filter(|result| matches!(result.verdict, Verdict::Skip(_))).count();
        Self { made: results.len() - skipped, must: failed(Level::Must), should: failed(Level::Should), skipped }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { made, must, should, skipped } = self;
        write!(f, "{}: {must} MUST and {should} SHOULD failed; {skipped} skipped", words::count(*made, "check"))
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Must => "MUST",
        Level::Should => "SHOULD",
    }
}

/// One row for all revisions in which a check came to the same.
fn show(ui: &mut Ui, wanted: &[Revision], results: &[Checked]) {
    let mut rows: Vec<(&Checked, Vec<Revision>)> = Vec::new();
    for result in results {
        let same =
            |(known, _): &&mut (&Checked, _)| known.check.id == result.check.id && known.verdict == result.verdict;
        match rows.iter_mut().find(same) {
            Some((_, revisions)) => revisions.push(result.revision),
            None => rows.push((result, vec![result.revision])),
        }
    }
    let order = |id: &str| validate::CHECKS.iter().position(|check| check.id == id);
    rows.sort_by_key(|(result, _)| order(result.check.id));
    let row = |(result, revisions): (&Checked, Vec<Revision>)| {
        let (verdict, why) = match &result.verdict {
            Verdict::Pass => ("pass", result.check.rule.to_owned()),
            Verdict::Fail(why) => ("FAIL", format!("{}: {why}", result.check.rule)),
            Verdict::Skip(why) => ("skip", why.clone()),
        };
        let all = revisions.len() == wanted.len() && wanted.len() > 1;
        let names: Vec<_> = revisions.iter().map(|revision| revision.as_str()).collect();
        let names = if all { "all".to_owned() } else { names.join(", ") };
        let section = result.check.section(result.revision).to_owned();
        [
            verdict.to_owned(),
            level(result.check.level).to_owned(),
            result.check.id.to_owned(),
            names,
            section,
            words::plain(&why),
        ]
    };
    ui.table(["result", "level", "check", "revisions", "section", "what"], rows.into_iter().map(row));
}

fn in_json(target: &Target, wanted: &[Revision], results: &[Checked], summary: &Summary) -> Value {
    let result = |result: &Checked| {
        let (verdict, why) = match &result.verdict {
            Verdict::Pass => ("pass", None),
            Verdict::Fail(why) => ("fail", Some(why)),
            Verdict::Skip(why) => ("skip", Some(why)),
        };
        json!({
            "id": result.check.id,
            "level": level(result.check.level),
            "revision": result.revision.as_str(),
            "section": result.check.section(result.revision),
            "page": result.page(),
            "rule": result.check.rule,
            "result": verdict,
            "why": why,
        })
    };
    json!({
        "target": target.place.to_string(),
        "revisions": wanted.iter().map(|revision| revision.as_str()).collect::<Vec<_>>(),
        "checks": results.iter().map(result).collect::<Vec<_>>(),
        "failed": { "must": summary.must, "should": summary.should },
        "made": summary.made,
        "skipped": summary.skipped,
    })
}
