//! `micro mcp list`: the tools that agents see.

use micro_gateway::{Config, Tool};
use serde_json::{Value, json};

use crate::{
    cx::Cx,
    error::CommandError,
    fleet,
    tools::{self, Names},
    ui::Ui,
    words,
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro mcp list
  micro mcp list --names canonical                 As the registry, the audit and scopes name them
  micro mcp list --json | jq '.[] | select(.hints.read_only) | .name'";

/// List the tools that agents see
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Print JSON, with the schemas
    #[arg(long)]
    json: bool,
    /// Which names to show; a call takes either
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Names::Safe)]
    names: Names,
}

pub(crate) async fn run(ui: &mut Ui, cx: &Cx, args: Args) -> Result<(), CommandError> {
    let config = Config { tool_names: args.names.into(), ..Config::default() };
    let core = tools::core(cx, &config).await?;
    let catalog = core.catalog().load();
    if args.json {
        ui.json(&catalog.tools().map(|(name, tool)| in_json(name, tool)).collect::<Vec<_>>());
    } else if catalog.tools().len() == 0 {
        ui.note(fleet::nobody(&cx.location));
    } else {
        let row = |(name, tool): (&str, &std::sync::Arc<Tool>)| {
            let description = words::first_sentence(&tool.descriptor.description).to_owned();
            let (scopes, hints) = (words::cell(&tool.descriptor.scopes), words::cell(&words::hints(&tool.descriptor)));
            [name.to_owned(), description, scopes, hints]
        };
        ui.table(["tool", "description", "scopes", "hints"], catalog.tools().map(row));
    }
    for problem in catalog.problems() {
        ui.warn(problem);
    }
    Ok(())
}

fn in_json(name: &str, tool: &Tool) -> Value {
    let said = &tool.descriptor;
    json!({
        "name": name,
        "canonical": tool.name.canonical,
        "safe": tool.name.safe,
        "service": &*tool.service,
        "endpoint": &*tool.endpoint,
        "title": said.title,
        "description": said.description,
        "scopes": said.scopes,
        "hints": said.hints,
        "streaming": said.streaming,
        "input": said.input,
        "output": said.output,
    })
}
