//! The gateway as a component: built from a config, run until drained.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use micro_core::{Error, Result};
use micro_mcp::Handler;
use micro_policy::{Access, Asserter, Rejection, Secret};
use micro_registry::Registry;
use micro_rpc::Client;
use micro_runtime::{Drain, http::Tls};
use micro_store::Location;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    AuditTo, Catalog, CatalogState, Config, InvalidConfig, catalog,
    front::{Http, Mcp},
    identity::{ApiKeys, Authenticator, Identities, Shown},
    key_file, oauth,
    pipeline::{Audit, Pipeline, Policies},
};

/// Catalog and pipeline without a listener: what stdio and embedders need.
pub struct Core {
    pipeline: Arc<Pipeline>,
    follower: JoinHandle<((), ())>,
    generated: Option<Secret>,
    access: watch::Sender<Arc<Access>>,
    config: Arc<Config>,
}

/// What a running gateway can be told. Clones tell the same gateway.
#[derive(Clone)]
pub struct Handle {
    pipeline: Arc<Pipeline>,
    generated: Option<Secret>,
    access: watch::Sender<Arc<Access>>,
    /// What it began with.
    config: Arc<Config>,
}

/// A bound gateway: it has its ports, but accepts only in [`Gateway::run`].
pub struct Gateway {
    config: Config,
    core: Core,
    listener: TcpListener,
    mcp_listener: Option<TcpListener>,
    tls: Option<Tls>,
}

impl Config {
    /// Binds the addresses and begins to follow the registry.
    ///
    /// When some address needs a credential and no token is configured, one is made; see
    /// [`Gateway::generated_token`].
    ///
    /// # Errors
    /// When a setting makes no sense, an address is taken or the audit log cannot be opened.
    pub async fn build(self, registry: Arc<dyn Registry>) -> Result<Gateway> {
        let to = self.audit_to()?;
        self.build_with(registry, to).await
    }

    /// As [`Config::build`], with records going where the embedder says.
    ///
    /// # Errors
    /// When a setting makes no sense or an address is taken.
    pub async fn build_with(self, registry: Arc<dyn Registry>, to: AuditTo) -> Result<Gateway> {
        let listener = bind(self.address).await?;
        let mcp_listener = match self.mcp_address {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let tls = self.tls.as_ref().map(|config| Tls::load(config.into())).transpose();
        let tls = tls.map_err(|error| Error::bad_request(format!("gateway.tls: {error}")).with_source(error))?;
        let addresses = [Some(&listener), mcp_listener.as_ref()].into_iter().flatten();
        let needed = addresses.filter_map(|l| l.local_addr().ok()).any(|a| self.auth.needed_on(a));
        // The port may have been 0.
        let config = Self { address: listener.local_addr().unwrap_or(self.address), ..self };
        let core = config.core_with(registry, needed, to)?;
        Ok(Gateway { config, core, listener, mcp_listener, tls })
    }

    /// The part without listeners. `auth_needed` makes a token when none is configured.
    ///
    /// # Errors
    /// When a setting makes no sense or the audit log cannot be opened.
    pub fn core(&self, registry: Arc<dyn Registry>, auth_needed: bool) -> Result<Core> {
        self.core_with(registry, auth_needed, self.audit_to()?)
    }

    fn audit_to(&self) -> Result<AuditTo> {
        self.audit.open().map_err(|error| {
            let place = self.audit.to.iter().map(ToString::to_string).collect::<String>();
            Error::internal(format!("cannot write the audit log {place}: {error}")).with_source(error)
        })
    }

    /// As [`Config::core`], with records going where the embedder says.
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub fn core_with(&self, registry: Arc<dyn Registry>, auth_needed: bool, to: AuditTo) -> Result<Core> {
        self.core_knowing(registry, auth_needed, to, Vec::new())
    }

    /// As [`Config::core_with`], with credentials that only the embedder knows: its providers are asked first.
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub fn core_knowing(
        &self,
        registry: Arc<dyn Registry>,
        auth_needed: bool,
        to: AuditTo,
        mut providers: Vec<Arc<dyn Authenticator>>,
    ) -> Result<Core> {
        let invalid = |e: InvalidConfig| Error::bad_request(e.to_string());
        let env = |name: &str| std::env::var(name).ok();
        let store = self.store.open().map_err(|e| Error::unavailable(e.to_string()).with_source(e))?;
        let oauth = oauth::Server::new(self, store.clone(), env).map_err(invalid)?.map(Arc::new);
        let generated =
            (auth_needed && oauth.is_none() && providers.is_empty() && !self.has_credentials()).then(generate);
        let policies = compile(self, generated.as_ref())?;
        let (access, ruled) = watch::channel(policies.access.clone());
        let keys = ApiKeys::new(store.clone(), self.auth.keys.pepper(env).map_err(invalid)?);
        providers.push(Arc::new(keys));
        providers.extend(oauth.iter().map(|server| server.clone() as Arc<dyn Authenticator>));
        let identities = Identities::new(Arc::new(ArcSwap::from_pointee(policies)), providers, store.clone());
        let asserter = self.assertion_key.as_deref().map(asserter).transpose()?;
        let audit = Audit::new(to, &self.audit);
        let catalog = Catalog::default();
        let following = catalog::follow(catalog.clone(), registry.clone(), self.tool_names, ruled);
        let linting = catalog::lint(catalog.clone());
        let follower = tokio::spawn(async { tokio::join!(following, linting) });
        let pipeline =
            Arc::new(Pipeline { catalog, identities, audit, client: Client::new(registry), asserter, store, oauth });
        Ok(Core { pipeline, follower, generated, access, config: Arc::new(self.clone()) })
    }
}

impl Config {
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Whether there is anything that callers could show.
    fn has_credentials(&self) -> bool {
        let keys = self.store != Location::Memory; // `micro auth key`
        let certificates = self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        !self.auth.tokens.is_empty() || !self.auth.issuers.is_empty() || certificates || keys
    }
}

impl Core {
    /// The tools there are.
    pub fn catalog(&self) -> &Catalog {
        &self.pipeline.catalog
    }

    /// An MCP handler for a transport of the embedder's. Over HTTP, let each request go through [`Core::identify`]
    /// first: the handler itself waits for nobody, and knows no credential that was not checked before.
    pub fn handler(&self, auth_needed: bool) -> Arc<dyn Handler> {
        Arc::new(Mcp::new(self.pipeline.clone(), auth_needed, "http", Shown::Nothing))
    }

    /// The same for one client at the other end of a pipe, who shows this token: a credential of stdio comes from the
    /// environment (MCP authorization).
    pub async fn handler_for(&self, token: &str, auth_needed: bool) -> Arc<dyn Handler> {
        let shown = self.pipeline.identities.check(token).await;
        Arc::new(Mcp::new(self.pipeline.clone(), auth_needed, "http", shown))
    }

    /// Checks the credential of a request, which then carries what came of it, for the handler to find.
    pub async fn identify<B>(&self, request: &mut http::Request<B>) {
        self.pipeline.identities.identify(request).await;
    }

    /// What it can be told while it runs.
    pub fn handle(&self) -> Handle {
        let Self { pipeline, generated, access, config, .. } = self;
        let (pipeline, config) = (pipeline.clone(), config.clone());
        Handle { pipeline, generated: generated.clone(), access: access.clone(), config }
    }

    /// Stops following the registry and waits until every audit record is written.
    pub async fn close(self) {
        let Self { pipeline, follower, .. } = self;
        follower.abort();
        // A disk that hangs must not keep the process.
        let _ = tokio::time::timeout(Duration::from_secs(5), pipeline.audit.close()).await;
    }
}

impl Handle {
    /// Takes a credential back, named by [`Identity::credential`](micro_policy::Identity::credential), with everything that
    /// was given for it: within half a second at every gateway that shares the store, on open connections too. False when
    /// it is nobody's.
    ///
    /// # Errors
    /// When that could not be remembered.
    pub async fn revoke(&self, credential: &str) -> Result<bool> {
        self.pipeline.identities.revoke(credential).await
    }

    /// Another token or API key in exchange for this one, which ends. `None` when its provider gives none.
    ///
    /// # Errors
    /// When the credential is not good.
    pub async fn refresh(&self, token: &str) -> Result<Option<Secret>, Rejection> {
        self.pipeline.identities.refresh(token).await
    }

    /// Goes by another config from now on as far as [`Config::RELOADED`] says: who may call what, and whom the embedded
    /// authorization server knows. What has returned is done: no call is decided by the old one any more. The rest of the
    /// config takes a restart.
    ///
    /// # Errors
    /// When a setting makes no sense; then everything stays as it was.
    pub async fn reload(&self, config: &Config) -> Result<()> {
        let config = self.config.renewed(config);
        let policies = compile(&config, self.generated.as_ref())?;
        let invalid = |error: InvalidConfig| Error::bad_request(error.to_string());
        let settings = oauth::Settings::of(&config, |name| std::env::var(name).ok()).map_err(invalid)?;
        if let (Some(server), Some(settings)) = (&self.pipeline.oauth, settings) {
            server.replace(settings);
        }
        let access = policies.access.clone();
        self.pipeline.identities.replace(policies);
        self.access.send_replace(access.clone());
        let catalog = &self.pipeline.catalog;
        // A reload that comes behind this one takes over for it.
        let done = |_: &CatalogState| {
            Arc::ptr_eq(catalog.load().access(), &access) || !Arc::ptr_eq(&self.access.borrow(), &access)
        };
        match tokio::time::timeout(Duration::from_secs(10), catalog.state().wait_for(done)).await {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::unavailable("the gateway is about to stop")),
        }
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

fn asserter(path: &Path) -> Result<Asserter> {
    let failed = |e: std::io::Error| Error::internal(format!("cannot use the key {}", path.display())).with_source(e);
    key_file::read_or_make(path).map(Asserter::new).map_err(failed)
}

fn compile(config: &Config, operator: Option<&Secret>) -> Result<Policies> {
    let variable = |name: &str| std::env::var(name).ok();
    Policies::compile(config, operator, variable).map_err(|error| Error::bad_request(error.to_string()))
}

impl Gateway {
    /// What it can be told while it runs.
    pub fn handle(&self) -> Handle {
        self.core.handle()
    }

    /// Where every front listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.config.address)
    }

    /// Where only MCP listens, if that was asked for.
    pub fn mcp_address(&self) -> Option<SocketAddr> {
        self.mcp_listener.as_ref().and_then(|l| l.local_addr().ok())
    }

    /// `https` where callers must speak TLS, else `http`.
    pub fn scheme(&self) -> &'static str {
        self.config.scheme()
    }

    /// The tools there are.
    pub fn catalog(&self) -> Catalog {
        self.core.catalog().clone()
    }

    /// The token that was made because one is needed and none is configured. Show it once.
    pub fn generated_token(&self) -> Option<&Secret> {
        self.core.generated.as_ref()
    }

    /// Serves until the drain begins, then lets open calls finish.
    pub async fn run(self, drain: Drain) {
        let (address, mcp_address) = (self.address(), self.mcp_address());
        let Self { config, core, listener, mcp_listener, tls } = self;
        let front = |address, everything| Http::new(&config, address, everything, core.pipeline.clone(), drain.clone());
        let main = front(address, true).serve(listener, tls.clone());
        match (mcp_listener, mcp_address) {
            (Some(listener), Some(address)) => {
                tokio::join!(main, front(address, false).serve(listener, tls.clone()));
            }
            _ => main.await,
        }
        core.close().await;
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    let taken = |e: std::io::Error| Error::internal(format!("cannot listen on {address}: {}", e.kind())).with_source(e);
    TcpListener::bind(address).await.map_err(taken)
}

/// 256 bits, in hex.
fn generate() -> Secret {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    Secret::new(bytes.iter().map(|b| format!("{b:02x}")).collect::<String>()).expect("long enough")
}
