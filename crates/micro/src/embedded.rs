//! A gateway as a program of its own, or as a part of one.

use std::{io::Write, sync::Arc};

use micro_core::Result;
use micro_gateway::{AuditRecord, AuditTo, AuthConfig, Config, Gateway, ScopeConfig};
use micro_registry::{Location, Registry, connect};
use micro_runtime::{Drain, shutdown_signal, telemetry};

use crate::app::parse;

/// Begins a gateway: every endpoint of every service in the registry is a tool behind it.
///
/// What `micro.toml` says for the program `micro server`, code says here:
///
/// ```
/// use micro::gateway::{AuthConfig, AuthMode, Secret, TokenConfig};
/// # use std::sync::Arc;
/// # use micro::registry::MemoryRegistry;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> micro::Result<()> {
/// # let registry = Arc::new(MemoryRegistry::default());
/// let assistant = TokenConfig::new("assistant", Secret::new("0123456789abcdef").expect("long enough"), ["blog:read"]);
/// let gateway = micro::gateway()
///     .address("127.0.0.1:0")
///     .registry(registry)
///     .auth(AuthConfig { mode: AuthMode::On, tokens: vec![assistant], ..AuthConfig::default() })
///     .scopes("billing.*", ["billing:admin"])
///     .audit(|record| eprintln!("{} called {}", record.account_id.unwrap_or("nobody"), record.tool))
///     .build()
///     .await?;
/// println!("http://{}/mcp", gateway.address());
/// # drop(gateway);
/// # Ok(())
/// # }
/// ```
pub fn gateway() -> GatewayApp {
    GatewayApp { config: Config::default(), address: None, registry: None, audit: None }
}

/// A gateway that is about to run; see [`gateway`].
#[must_use = "a gateway does nothing until it is run"]
pub struct GatewayApp {
    config: Config,
    address: Option<String>,
    registry: Option<Arc<dyn Registry>>,
    audit: Option<AuditTo>,
}

impl GatewayApp {
    /// Everything that can be set, in place of what was set so far.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Where to listen, `127.0.0.1:8080` by default.
    pub fn address(mut self, address: &str) -> Self {
        self.address = Some(address.to_owned());
        self
    }

    /// The registry whose services are tools, instead of the one the environment names.
    pub fn registry(mut self, registry: Arc<dyn Registry>) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Who may call.
    pub fn auth(mut self, auth: AuthConfig) -> Self {
        self.config.auth = auth;
        self
    }

    /// The scopes of which a caller needs one, in place of those that the services declare: of the tool with this
    /// canonical name, or of all whose names begin with what is before a `*`.
    pub fn scopes<'a>(mut self, tool: &str, any_of: impl IntoIterator<Item = &'a str>) -> Self {
        let any_of = Some(any_of.into_iter().collect());
        self.config.scopes.push(ScopeConfig { tool: tool.to_owned(), any_of, all_of: None });
        self
    }

    /// Hears of every call, refused ones too, before it is answered, in place of a log. It must not block.
    pub fn audit(mut self, record: impl Fn(&AuditRecord<'_>) + Send + Sync + 'static) -> Self {
        self.audit = Some(AuditTo::Function(Arc::new(record)));
        self
    }

    /// Binds the address; run it with [`Gateway::run`].
    ///
    /// # Errors
    /// When a setting makes no sense, the address is taken or the registry cannot be used.
    pub async fn build(mut self) -> Result<Gateway> {
        if let Some(address) = &self.address {
            self.config.address = parse("the gateway's address", address)?;
        }
        let registry = match self.registry {
            Some(registry) => registry,
            None => connect(&Location::from_env()?)?,
        };
        match self.audit {
            Some(to) => self.config.build_with(registry, to).await,
            None => self.config.build(registry).await,
        }
    }

    /// Serves until SIGINT or SIGTERM, then lets open calls finish. Starts logging to stderr.
    ///
    /// # Errors
    /// As [`GatewayApp::build`].
    pub async fn run(self) -> Result<()> {
        telemetry::init("info", telemetry::Format::from_env());
        let gateway = Box::pin(self.build()).await?;
        introduce(&gateway);
        let drain = Drain::new();
        let (asked, signal) = (drain.clone(), shutdown_signal());
        tokio::spawn(async move {
            signal.await;
            asked.begin();
            tracing::info!("stopping");
        });
        Box::pin(gateway.run(drain)).await;
        Ok(())
    }
}

/// Says where it is, and once which token callers need.
pub(crate) fn introduce(gateway: &Gateway) {
    tracing::info!(url = format!("{}://{}/mcp", gateway.scheme(), gateway.address()), "tools are served");
    if let Some(token) = gateway.generated_token() {
        // Not a log record: those are kept, and this is a secret.
        let _ = writeln!(std::io::stderr(), "callers need this token, shown once: {}", token.reveal());
    }
}
