//! `micro server`: the gateway alone, for production.

use std::{net::SocketAddr, path::PathBuf};

use crate::{
    config::{self, Reading, Setting},
    cx::Cx,
    error::CommandError,
    serving,
    tools::Names,
    ui::Ui,
};

use micro_gateway::AuditLocation;

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro server                                      On 127.0.0.1:8080, for this machine only
  micro server --address 0.0.0.0:8080               For others: a token is needed, and made if none is configured
  micro server --config micro.toml --audit audit
  MICRO_LOG_FORMAT=json micro server                Logs as JSON lines

micro.toml:
  registry = \"file:///var/lib/micro/registry\"
  [gateway]
  address = \"0.0.0.0:8080\"
  allowed_hosts = [\"gateway.example\"]

  [[gateway.auth.tokens]]
  account = \"assistant\"
  scopes = [\"blog:read\"]
  token_env = \"ASSISTANT_TOKEN\"

Each key is also a variable: MICRO_GATEWAY_AUTH_MODE is gateway.auth.mode. What changes in the file while it runs
is taken over as far as that goes without a restart, and told in the log; `micro config` checks and explains.

It ends on SIGTERM: new connections are refused, open calls finish.";

/// Run a gateway in front of the services in the registry
///
/// Every endpoint of every service becomes a tool at `/mcp`, and `POST /api/{service}/{Type.Method}`.
/// The gateway starts and builds nothing: services join the registry on their own.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "IP:PORT")]
    address: Option<SocketAddr>,
    /// A second address, for `/mcp` and its companions only
    #[arg(long, value_name = "IP:PORT")]
    mcp_address: Option<SocketAddr>,
    /// A file whose `registry` and `[gateway]` table set what the flags leave open [default: the micro.toml here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Record every call there: in a folder, `sqlite:FILE` or `stdout`
    #[arg(long, value_name = "WHERE")]
    audit: Option<AuditLocation>,
    /// Which names models see [default: safe]
    #[arg(long, value_enum, value_name = "FORM")]
    tool_names: Option<Names>,
    /// When callers need a token [default: auto]
    #[arg(long, value_enum, value_name = "WHEN")]
    auth: Option<Auth>,
    /// Set a key of micro.toml, for example gateway.auth.mode=on; may be given again
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<Setting>,
}

/// When callers need a token.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Auth {
    /// On every address but loopback
    Auto,
    /// Always
    On,
    /// Never: for networks that do their own
    Off,
    /// Always, and the gateway is an authorization server of its own
    Embedded,
}

pub(crate) async fn run(ui: &mut Ui, cx: &Cx, args: Args) -> Result<(), CommandError> {
    serving::gateway(ui, cx, &args.reading()).await
}

impl Args {
    /// See [`super::Command::configs`].
    pub(super) fn configs(&self) -> Vec<PathBuf> {
        vec![self.config.clone().unwrap_or_else(|| config::NAME.into())]
    }

    fn reading(&self) -> Reading {
        let auth = self.auth.map(|auth| match auth {
            Auth::Auto => "auto",
            Auth::On => "on",
            Auth::Off => "off",
            Auth::Embedded => "embedded",
        });
        Reading::of(self.config.as_deref())
            .set(&self.set)
            .flag("--address", "gateway.address", self.address)
            .flag("--mcp-address", "gateway.mcp_address", self.mcp_address)
            .flag("--audit", "gateway.audit.to", self.audit.as_ref())
            .flag("--tool-names", "gateway.tool_names", self.tool_names.map(Names::as_str))
            .flag("--auth", "gateway.auth.mode", auth)
    }
}
