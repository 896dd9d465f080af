//! A gateway in the foreground: says where it is, serves, drains.

use std::{net::SocketAddr, time::Duration};

use micro_gateway::Gateway;
use micro_runtime::{Drain, shutdown_signal, telemetry};
use owo_colors::OwoColorize;

use crate::{config::Reading, cx::Cx, error::CommandError, fleet, tools, ui::Ui};

/// Time that open calls are given to finish once the process was asked to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves until SIGINT or SIGTERM, then lets open calls finish. A second signal does not wait for them.
pub(crate) async fn gateway(ui: &mut Ui, cx: &Cx, reading: &Reading) -> Result<(), CommandError> {
    let settings = reading.load()?;
    let gateway = settings.value.gateway.clone().build(cx.registry()?).await.map_err(tools::failed)?;
    // Who reads that it is up may call at once. A registry that is down does not hold it up.
    let _ = tokio::time::timeout(fleet::PATIENCE, gateway.catalog().settled()).await;
    let signal = shutdown_signal();
    introduce(ui, cx, &gateway);
    let (drain, handle) = (Drain::new(), gateway.handle());
    let mut serving = Box::pin(gateway.run(drain.clone()));
    tokio::select! {
        () = &mut serving => return Ok(()),
        () = reading.follow(settings, handle) => {}
        () = signal => {}
    }
    tracing::info!("stopping");
    drain.begin();
    tokio::select! {
        () = serving => Ok(()),
        () = shutdown_signal() => Err(CommandError::unavailable("stopped at once: calls were still open")),
        () = tokio::time::sleep(PATIENCE) => {
            Err(CommandError::unavailable(format!("calls were still open after {} s", PATIENCE.as_secs())))
        }
    }
}

/// Says where it listens: to people, or to the collector that reads JSON lines.
fn introduce(ui: &mut Ui, cx: &Cx, gateway: &Gateway) {
    let url = |address: SocketAddr, path: &str| format!("{}://{address}{path}", gateway.scheme());
    let (address, mcp) = (gateway.address(), gateway.mcp_address());
    if telemetry::Format::from_env() == telemetry::Format::Json {
        let mcp = url(mcp.unwrap_or(address), "/mcp");
        tracing::info!(url = url(address, ""), mcp, registry = %cx.location, "gateway is up");
    } else {
        ui.note(format_args!("{} {}", "Micro gateway".bold(), url(address, "")));
        ui.note(format_args!("  MCP       {}", url(mcp.unwrap_or(address), "/mcp")));
        ui.note(format_args!("  REST      {}", url(address, "/api/{service}/{Type.Method}")));
        ui.note(format_args!("  health    {}", url(address, "/health")));
        ui.note(format_args!("  registry  {}", cx.location));
    }
    if let Some(token) = gateway.generated_token() {
        // Not a log record: those are kept, and this is a secret.
        ui.note(format_args!("  token     {}", token.reveal()));
        ui.note("            shown this once; send it as `Authorization: Bearer TOKEN`");
    }
}
