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
    #[arg(long, value_name = "TIME", value_parser = time)]
    timeout: Option<Duration>,
    /// Metadata to send along; may be given again
    #[arg(long = "header", short = 'H', value_name = "KEY=VALUE", value_parser = header)]
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

/// Reads `500ms`, `5s`, `2m`.
fn time(text: &str) -> Result<Duration, String> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let number: u32 = number.parse().map_err(|_| "write it as `500ms`, `5s` or `2m`".to_owned())?;
    match unit {
        _ if number == 0 => Err("it must be more than nothing".to_owned()),
        "ms" => Ok(Duration::from_millis(number.into())),
        "s" => Ok(Duration::from_secs(number.into())),
        "m" => Ok(Duration::from_secs(u64::from(number) * 60)),
        _ => Err("the unit is `ms`, `s` or `m`".to_owned()),
    }
}

/// Reads `key=value`.
fn header(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as `key=value`")?;
    let key = http::HeaderName::try_from(key.trim()).map_err(|_| format!("`{key}` cannot be a key"))?;
    http::HeaderValue::try_from(value).map_err(|_| "the value has characters that cannot be sent".to_owned())?;
    Ok((key.as_str().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "5", "s", "-1s", "0s", "5h", "99999999999s"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn metadata_that_cannot_be_sent_is_refused_before_the_call() {
        assert_eq!(header("Tenant=a=b"), Ok(("tenant".to_owned(), "a=b".to_owned())));
        for wrong in ["tenant", "=x", "a b=c", "a=b\nc"] {
            assert!(header(wrong).is_err(), "{wrong:?}");
        }
    }
}
