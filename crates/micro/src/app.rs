//! A service as a program: name, handlers, registry, perhaps a gateway, run.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use micro_core::{Error, Result};
use micro_registry::{Location, Registry, connect};
use micro_rpc::{Client, Config, GatewayKeys, Router, Service};
use micro_runtime::{Drain, shutdown_signal, telemetry};

/// Time that open calls are given to finish once the process was asked to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// Begins a service; see [`App`].
pub fn service(name: &str) -> App {
    App {
        router: Router::new(name, "latest"),
        config: Config::default(),
        registry: None,
        #[cfg(feature = "gateway")]
        mcp: None,
    }
}

/// A handler as a nameless service without a transport, for unit tests:
/// `serve(Users::new()).call("Users.Get", json!({"id": "7"}))`.
pub fn serve<S: Service>(handler: S) -> Router {
    Router::new("test", "latest").handle(handler)
}

/// A client of the services in the registry that `MICRO_REGISTRY` names. Needs a tokio runtime.
///
/// # Errors
/// When the variable names no registry.
pub fn client() -> Result<Client> {
    Ok(Client::new(connect(&Location::from_env()?)?))
}

/// A service that is about to run.
///
/// The environment completes what the code leaves open: `MICRO_REGISTRY` (default `file`),
/// `MICRO_ADDRESS` (default `127.0.0.1:0`), `MICRO_ADVERTISE`, `MICRO_NODE_ID`, `MICRO_LOG`, and `MICRO_GATEWAY_KEY`, the
/// public key of the gateway that is believed about who calls: a PEM text, or the file it is in.
#[must_use = "a service does nothing until it is run"]
#[derive(Debug)]
pub struct App {
    router: Router,
    config: Config,
    registry: Option<Arc<dyn Registry>>,
    #[cfg(feature = "gateway")]
    mcp: Option<String>,
}

impl App {
    /// Adds a handler's endpoints.
    pub fn handle<S: Service>(mut self, handler: S) -> Self {
        self.router = self.router.handle(handler);
        self
    }

    /// The service's version, `latest` by default.
    pub fn version(mut self, version: &str) -> Self {
        self.router = self.router.version(version);
        self
    }

    /// Where and how to listen. Address, advertised address and node id that the environment names win.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// The registry to join, instead of the one the environment names.
    pub fn registry(mut self, registry: Arc<dyn Registry>) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Also runs a gateway in this process: an MCP endpoint at `http://ADDRESS/mcp` for every service
    /// in the registry.
    #[cfg(feature = "gateway")]
    pub fn mcp(mut self, address: &str) -> Self {
        self.mcp = Some(address.to_owned());
        self
    }

    /// Runs until SIGINT or SIGTERM, then lets open calls finish. Starts logging to stderr.
    ///
    /// # Errors
    /// When the service cannot be offered, its address is taken, or the registry cannot be used.
    pub async fn run(self) -> Result<()> {
        telemetry::init("info", telemetry::Format::from_env());
        let drain = Drain::new();
        let (asked, signal) = (drain.clone(), shutdown_signal());
        tokio::spawn(async move {
            signal.await;
            asked.begin();
            tracing::info!("stopping");
        });
        self.run_until(drain).await
    }

    /// Runs until the drain begins.
    ///
    /// # Errors
    /// As [`App::run`].
    pub async fn run_until(self, drain: Drain) -> Result<()> {
        let registry = match self.registry {
            Some(registry) => registry,
            None => connect(&Location::from_env()?)?,
        };
        let server = from_env(self.config)?.build(self.router, registry.clone()).await?;
        let tools = Drain::new(); // the gateway's own end is waited for
        #[cfg(feature = "gateway")]
        if let Some(address) = self.mcp {
            let address = parse("the MCP address", &address)?;
            let gateway = micro_gateway::Config { address, ..Default::default() }.build(registry).await?;
            crate::embedded::introduce(&gateway);
            tools.spawn(gateway.run(drain.clone()));
        }
        let serving = server.run(drain.clone());
        tokio::pin!(serving);
        tokio::select! {
            ended = &mut serving => return ended,
            () = drain.begun() => {}
        }
        let both = async { (serving.await, tools.finish(PATIENCE).await) };
        match tokio::time::timeout(PATIENCE, both).await {
            Ok((ended, _)) => ended,
            Err(_) => Err(Error::timeout(format!("calls were still open after {} s", PATIENCE.as_secs()))),
        }
    }
}

/// Completes a config from the environment.
fn from_env(mut config: Config) -> Result<Config> {
    if let Ok(address) = std::env::var("MICRO_ADDRESS") {
        config.address = parse("MICRO_ADDRESS", &address)?;
    }
    config.advertise = std::env::var("MICRO_ADVERTISE").ok().or(config.advertise);
    config.node_id = std::env::var("MICRO_NODE_ID").ok().or(config.node_id);
    if let Ok(key) = std::env::var("MICRO_GATEWAY_KEY") {
        config.gateway_keys = Some(gateway_keys(&key)?);
    }
    Ok(config)
}

/// Keys as PEM, or the file they are in.
fn gateway_keys(given: &str) -> Result<GatewayKeys> {
    if given.trim_start().starts_with("-----BEGIN") {
        return GatewayKeys::from_pem(given);
    }
    let unreadable =
        |e: std::io::Error| Error::internal(format!("cannot read the gateway's key {given}")).with_source(e);
    GatewayKeys::from_pem(&std::fs::read_to_string(given).map_err(unreadable)?)
}

pub(crate) fn parse(what: &str, address: &str) -> Result<SocketAddr> {
    address.parse().map_err(|_| Error::bad_request(format!("{what} must be IP:PORT, not `{address}`")))
}
