//! `micro server`: the gateway alone, for production.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use micro_gateway::{AuditLocation, AuthMode, Config};
use serde::Deserialize;

use crate::{config, cx::Cx, error::CommandError, serving, tools::Names, ui::Ui};

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
    /// A file whose `registry` and `[gateway]` table set what the flags leave open
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

/// A `micro.toml`; other tables are for other commands.
#[derive(Default, Deserialize)]
struct File {
    #[serde(default)]
    gateway: Config,
}

pub(crate) async fn run(ui: &mut Ui, cx: &Cx, args: Args) -> Result<(), CommandError> {
    let mut config = match &args.config {
        Some(path) => read(path)?,
        None => Config::default(),
    };
    args.apply(&mut config);
    serving::gateway(ui, cx, config).await
}

impl Args {
    /// See [`super::Command::configs`].
    pub(super) fn configs(&self) -> Vec<PathBuf> {
        vec![self.config.clone().unwrap_or_else(|| config::NAME.into())]
    }

    /// Flags win over the file.
    fn apply(self, config: &mut Config) {
        config.address = self.address.unwrap_or(config.address);
        config.mcp_address = self.mcp_address.or(config.mcp_address);
        config.audit.to = self.audit.or(config.audit.to.take());
        if let Some(names) = self.tool_names {
            config.tool_names = names.into();
        }
        if let Some(auth) = self.auth {
            config.auth.mode = match auth {
                Auth::Auto => AuthMode::Auto,
                Auth::On => AuthMode::On,
                Auth::Off => AuthMode::Off,
                Auth::Embedded => AuthMode::Embedded,
            };
        }
    }
}

fn read(path: &Path) -> Result<Config, CommandError> {
    let file: Option<File> = config::read(path)?;
    let missing = || CommandError::not_found(format!("cannot read {}: there is no such file", path.display()));
    Ok(file.ok_or_else(missing)?.gateway)
}
