//! `micro describe`: what one service offers, and where it runs.

use micro_core::{EndpointDescriptor, Hints, Schema, ToolName};
use owo_colors::OwoColorize;
use serde::Serialize;
use serde_json::{json, value::RawValue};

use crate::{
    arguments::{Argument, answer, arguments},
    cx::Cx,
    error::CommandError,
    fleet::{self, Service},
    ui::Ui,
    words,
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro describe users
  micro describe users --json | jq '.endpoints[] | {name, scopes}'";

/// Show a service: its endpoints, their arguments, scopes and examples, and its nodes
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The service, as `micro services` shows it
    service: String,
    /// Print JSON, with the whole schemas
    #[arg(long)]
    json: bool,
}

/// An endpoint in JSON.
#[derive(Serialize)]
struct Described<'a> {
    name: &'a str,
    tool: String,
    title: Option<&'a str>,
    description: &'a str,
    arguments: Vec<Argument>,
    scopes: &'a [String],
    hints: Hints,
    streaming: bool,
    examples: Vec<&'a RawValue>,
    timeout_ms: Option<u128>,
    cache_ms: Option<u128>,
    cost: Option<u32>,
    input: &'a Schema,
    output: Option<&'a Schema>,
}

pub(crate) async fn run(ui: &mut Ui, cx: &Cx, args: Args) -> Result<(), CommandError> {
    let services = fleet::services(cx).await?;
    let service = fleet::find(&services, &args.service, &cx.location)?;
    if args.json {
        ui.json(&json!({
            "name": service.name,
            "versions": service.versions,
            "description": service.description,
            "nodes": service.nodes,
            "endpoints": service.endpoints.iter().map(|e| Described::of(service, e)).collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    ui.data(format_args!("{} {}", service.name.bold(), service.version()));
    if !service.description.is_empty() {
        ui.data(&service.description);
    }
    ui.data("");
    ui.table(["node", "address"], service.nodes.iter().map(|node| [node.id.clone(), node.address.clone()]));
    for endpoint in &service.endpoints {
        ui.data("");
        show(ui, service, endpoint);
    }
    Ok(())
}

fn show(ui: &mut Ui, service: &Service, endpoint: &EndpointDescriptor) {
    let mut facts = vec![format!("tool {}", ToolName::new(&service.name, &endpoint.name).safe)];
    facts.extend(words::hints(endpoint).into_iter().map(str::to_owned));
    if !endpoint.scopes.is_empty() {
        facts.push(format!("needs {}", endpoint.scopes.join(" or ")));
    }
    ui.data(format_args!("{}  {}", endpoint.name.bold(), facts.join(", ").dimmed()));
    for line in endpoint.description.lines() {
        ui.data(format_args!("  {line}").to_string().trim_end());
    }
    let arguments = arguments(&endpoint.input);
    if !arguments.is_empty() {
        ui.data("");
        let row = |a: Argument| [format!("  {}", a.name), a.kind, yes(a.required), a.description];
        ui.table(["  argument", "type", "required", "description"], arguments.into_iter().map(row));
    }
    if let Some(output) = &endpoint.output {
        ui.data(format_args!("  {} {}", if endpoint.streaming { "streams" } else { "answers" }, answer(output)));
    }
    for example in &endpoint.examples {
        ui.data(format_args!("  try it: micro call {} {} '{example}'", service.name, endpoint.name));
    }
}

fn yes(flag: bool) -> String {
    (if flag { "yes" } else { "no" }).to_owned()
}

impl<'a> Described<'a> {
    fn of(service: &Service, endpoint: &'a EndpointDescriptor) -> Self {
        Self {
            name: &endpoint.name,
            tool: ToolName::new(&service.name, &endpoint.name).safe,
            title: endpoint.title.as_deref(),
            description: &endpoint.description,
            arguments: arguments(&endpoint.input),
            scopes: &endpoint.scopes,
            hints: endpoint.hints,
            streaming: endpoint.streaming,
            examples: endpoint.examples.iter().filter_map(|e| serde_json::from_str(e).ok()).collect(),
            timeout_ms: endpoint.timeout.map(|t| t.as_millis()),
            cache_ms: endpoint.cache.map(|t| t.as_millis()),
            cost: endpoint.cost,
            input: &endpoint.input,
            output: endpoint.output.as_ref(),
        }
    }
}
