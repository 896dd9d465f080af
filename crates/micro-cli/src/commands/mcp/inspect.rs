//! `micro mcp inspect`: what an MCP server offers.

use clap::ValueEnum;
use micro_core::Schema;
use micro_mcp::proto::{Era, Revision};
use serde_json::{Value, json};

use super::server::Server;
use crate::{
    arguments,
    cx::Cx,
    error::CommandError,
    mcp::inspect::{self, Offer},
    ui::Ui,
    words,
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro mcp inspect http://127.0.0.1:3000/mcp
  micro mcp inspect -- python server.py --verbose  A server on stdio
  micro mcp inspect ws://127.0.0.1:3000/mcp/ws     Over WebSocket
  micro mcp inspect URL --era legacy               Only what `initialize` leads to
  micro mcp inspect URL --json | jq '.revisions[0].tools[].name'

Exit codes:
  3 no such program   4 the server cannot be reached   5 it wants credentials   6 it speaks no revision that was asked for";

/// Show what an MCP server offers, in every revision it speaks
///
/// Connects once in each revision, from 2026-07-28 back to 2024-11-05, and asks for everything that the
/// server lists; it calls no tool. Tables show the newest revision, then what is different in the others.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    revisions: Revisions,
    /// Print JSON: each revision with its lists as the server sent them
    #[arg(long)]
    json: bool,
}

/// Which revisions are tried.
#[derive(Debug, clap::Args)]
pub(super) struct Revisions {
    /// Only revisions of this era
    #[arg(long, value_enum, value_name = "ERA")]
    era: Option<EraName>,
    /// Only this revision; may be given again
    #[arg(long = "revision", value_name = "DATE", value_parser = revision)]
    revisions: Vec<Revision>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EraName {
    /// 2026-07-28: every request stands alone
    Modern,
    /// 2025-11-25 and before: `initialize` comes first
    Legacy,
}

fn revision(text: &str) -> Result<Revision, String> {
    Revision::parse(text).ok_or_else(|| format!("one of {}", Revision::ALL.map(Revision::as_str).join(", ")))
}

impl Revisions {
    /// Those to try, newest first.
    pub(super) fn list(&self) -> Vec<Revision> {
        let era = self.era.map(|era| if era == EraName::Modern { Era::Modern } else { Era::Legacy });
        let wanted = |revision: &Revision| {
            era.is_none_or(|era| era == revision.era())
                && (self.revisions.is_empty() || self.revisions.contains(revision))
        };
        Revision::ALL.into_iter().filter(wanted).collect()
    }
}

pub(crate) async fn run(ui: &mut Ui, _cx: &Cx, args: Args) -> Result<(), CommandError> {
    let target = args.server.target()?;
    let mut offers = Vec::new();
    for revision in args.revisions.list() {
        ui.progress(format_args!("asking {} in {}", target.place, revision.as_str()));
        offers.extend(inspect::inspect(&target, revision).await?);
    }
    if offers.is_empty() {
        let none = format!("{} speaks no revision that was asked for", target.place);
        return Err(target.explained(CommandError::invalid(none)));
    }
    if args.json {
        ui.json(&in_json(&target.place.to_string(), &offers));
    } else {
        show(ui, &offers);
    }
    Ok(())
}

fn in_json(server: &str, offers: &[Offer]) -> Value {
    let differences: Vec<_> = inspect::differences(offers)
        .into_iter()
        .map(|d| json!({ "revisions": d.revisions.iter().map(|r| r.as_str()).collect::<Vec<_>>(), "what": d.what }))
        .collect();
    let revisions: Vec<_> = offers.iter().map(Offer::json).collect();
    json!({ "target": server, "revisions": revisions, "differences": differences })
}

fn show(ui: &mut Ui, offers: &[Offer]) {
    let newest = &offers[0];
    let named = &newest.server;
    let title = named.title.as_ref().map(|title| format!(" ({title})")).unwrap_or_default();
    ui.heading(words::plain(&format!("{} {}{title}", named.name, named.version)));
    if let Some(text) = &newest.instructions {
        text.lines().for_each(|line| ui.data(words::plain(line)));
    }
    let spoken: Vec<_> = offers.iter().map(|offer| offer.revision.as_str()).collect();
    ui.data(format_args!("\nspeaks        {}", spoken.join(", ")));
    let capabilities: Vec<_> = inspect::capabilities(&newest.capabilities).into_iter().collect();
    ui.data(format_args!("capabilities  {}", words::plain(&words::cell(&capabilities))));

    let text = |item: &Value, key: &str| words::plain(item[key].as_str().filter(|s| !s.is_empty()).unwrap_or("-"));
    let about = |item: &Value| words::plain(words::first_sentence(item["description"].as_str().unwrap_or_default()));
    section(ui, &newest.tools, ["tool", "arguments", "hints", "description"], |tool| {
        [text(tool, "name"), words::cell(&taken(&tool["inputSchema"])), words::cell(&hints(tool)), about(tool)]
    });
    section(ui, &newest.resources, ["resource", "name", "type", "description"], |resource| {
        [text(resource, "uri"), text(resource, "name"), text(resource, "mimeType"), about(resource)]
    });
    section(ui, &newest.templates, ["template", "name", "type", "description"], |template| {
        [text(template, "uriTemplate"), text(template, "name"), text(template, "mimeType"), about(template)]
    });
    section(ui, &newest.prompts, ["prompt", "arguments", "description"], |prompt| {
        let argument = |argument: &Value| optional(&text(argument, "name"), argument["required"] == true);
        let arguments: Vec<_> = prompt["arguments"].as_array().into_iter().flatten().map(argument).collect();
        [text(prompt, "name"), words::cell(&arguments), about(prompt)]
    });

    let differences = inspect::differences(offers);
    if !differences.is_empty() {
        ui.heading(format_args!("\nNot as in {}", newest.revision.as_str()));
        for difference in differences {
            let revisions: Vec<_> = difference.revisions.iter().map(|revision| revision.as_str()).collect();
            ui.data(format_args!("  {}: {}", revisions.join(", "), words::plain(&difference.what)));
        }
    }
    for tool in &newest.dropped {
        ui.warn(words::plain(&format!("clients leave out the tool `{}`: {}", tool.name, tool.reason)));
    }
    for offer in offers {
        for problem in &offer.problems {
            ui.warn(words::plain(&format!("in {}: {problem}", offer.revision.as_str())));
        }
    }
}

/// A table below an empty line, when there is anything to show.
fn section<const N: usize>(ui: &mut Ui, items: &[Value], headings: [&str; N], row: impl Fn(&Value) -> [String; N]) {
    if !items.is_empty() {
        ui.data("");
        ui.table(headings, items.iter().map(row));
    }
}

/// A tool's arguments, with their types.
fn taken(schema: &Value) -> Vec<String> {
    let arguments = arguments::arguments(&Schema::of(schema));
    arguments.iter().map(|a| words::plain(&format!("{}: {}", optional(&a.name, a.required), a.kind))).collect()
}

fn optional(name: &str, required: bool) -> String {
    if required { name.to_owned() } else { format!("{name}?") }
}

/// What a tool says of its behaviour.
fn hints(tool: &Value) -> Vec<&'static str> {
    let said = [
        ("readOnlyHint", true, "read-only"),
        ("idempotentHint", true, "idempotent"),
        ("destructiveHint", true, "destructive"),
        ("openWorldHint", false, "closed world"),
    ];
    let is_said = |(key, on, _): &(&str, bool, &str)| tool["annotations"][key] == *on;
    said.into_iter().filter(is_said).map(|(_, _, word)| word).collect()
}
