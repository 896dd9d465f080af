//! `micro call`: one call of a service, over RPC.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use futures_util::StreamExt;
use micro_core::{Context, Metadata};
use micro_rpc::{Caller, Client, Outgoing, Reply};
use serde_json::Value;

use crate::{
    cx::Cx,
    error::CommandError,
    fleet::{self, Service},
    input, near,
    ui::Ui,
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro call users Users.Get '{\"id\": \"user-1\"}'
  micro call posts Posts.List                      No arguments
  micro call posts Posts.Create - < post.json      Arguments from stdin
  micro call posts Posts.Tail --timeout 5s         A stream: one line an item, as they come
  micro call users Users.Get '{\"id\": \"7\"}' | jq .name

Exit codes:
  3 no such service, endpoint or thing   4 registry or service does not answer   5 denied   6 refused arguments";

/// Call an endpoint of a service
///
/// The call goes over RPC straight to a node of the service, as one service calls another: past every
/// gateway and its policies. `micro mcp test` calls as an agent does.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The service, as `micro services` shows it
    service: String,
    /// The endpoint, as `micro describe SERVICE` shows it
    #[arg(value_name = "TYPE.METHOD")]
    endpoint: String,
    /// Arguments: a JSON object; `-` reads it from stdin, nothing means `{}`
    json: Option<String>,
    /// How long to wait for the answer, or for a stream to begin: `500ms`, `5s`, `2m`; if not given, as
    /// long as the endpoint says, or 30s
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    timeout: Option<Duration>,
    /// Metadata to send along; may be given again
    #[arg(long = "header", short = 'H', value_name = "KEY=VALUE", value_parser = input::header)]
    headers: Vec<(String, String)>,
}

pub(crate) async fn run(ui: &mut Ui, cx: &Cx, args: Args) -> Result<(), CommandError> {
    let body = match &args.json {
        Some(given) => input::json(given).await?,
        None => "{}".to_owned(),
    };
    let services = fleet::services(cx).await?;
    let service = fleet::find(&services, &args.service, &cx.location)?;
    let endpoint = service.endpoint(&args.endpoint);
    let call = Outgoing {
        service: args.service.as_str().into(),
        endpoint: args.endpoint.as_str().into(),
        cx: Context { metadata: args.headers.into_iter().collect::<Metadata>(), deadline: None },
        body: body.into(),
        idempotent: endpoint.is_some_and(|e| e.hints.idempotent || e.hints.read_only),
        timeout: args.timeout.or(endpoint.and_then(|e| e.timeout)),
    };
    // An endpoint that is not in the record may still be there: go-micro's own are.
    match Client::new(cx.registry()?).call(call).await {
        Ok(Reply::Value(json)) => print(ui, &json),
        Ok(Reply::Stream(mut items)) => {
            while let Some(item) = items.next().await {
                ui.data(String::from_utf8_lossy(&item?));
                if ui.is_closed() {
                    break; // the reader has had enough
                }
            }
        }
        Err(error) if error.code == 404 && endpoint.is_none() => return Err(unknown(error, service, &args.endpoint)),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// The answer: indented for people, untouched for programs.
fn print(ui: &mut Ui, json: &[u8]) {
    match serde_json::from_slice::<Value>(json) {
        Ok(value) if io::stdout().is_terminal() => ui.json(&value),
        _ if json.is_empty() => {}
        _ => ui.data(String::from_utf8_lossy(json)),
    }
}

fn unknown(error: micro_core::Error, service: &Service, endpoint: &str) -> CommandError {
    near::hint(error.into(), endpoint, service.endpoints.iter().map(|e| e.name.as_str()))
        .hint(format!("`micro describe {}` shows its endpoints", service.name))
}
