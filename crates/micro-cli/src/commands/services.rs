//! `micro services`: who is in the registry.

use serde_json::json;

use crate::{cx::Cx, error::CommandError, fleet, ui::Ui, words};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro services
  micro services --json | jq -r '.[].name'
  micro services --registry file:///run/micro      Those of another registry";

/// List the services in the registry
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(ui: &mut Ui, cx: &Cx, args: Args) -> Result<(), CommandError> {
    let services = fleet::services(cx).await?;
    if args.json {
        let service = |s: &fleet::Service| {
            json!({
                "name": s.name,
                "versions": s.versions,
                "description": s.description,
                "nodes": s.nodes.iter().map(|n| json!({"id": n.id, "address": n.address})).collect::<Vec<_>>(),
                "endpoints": s.endpoints.iter().map(|e| &e.name).collect::<Vec<_>>(),
            })
        };
        ui.json(&services.iter().map(service).collect::<Vec<_>>());
        return Ok(());
    }
    if services.is_empty() {
        ui.note(fleet::nobody(&cx.location));
        return Ok(());
    }
    let row = |s: &fleet::Service| {
        let (nodes, endpoints) = (s.nodes.len().to_string(), s.endpoints.len().to_string());
        [s.name.clone(), s.version(), nodes, endpoints, words::first_sentence(&s.description).to_owned()]
    };
    ui.table(["service", "version", "nodes", "endpoints", "description"], services.iter().map(row));
    Ok(())
}
