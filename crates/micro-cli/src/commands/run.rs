//! `micro run`: services and their gateway on this machine, reloaded when their sources change.

mod backoff;
mod banner;
mod build;
mod find;
mod logs;
mod presence;
mod process;
mod session;
mod supervise;
mod watch;

use std::{
    collections::BTreeMap,
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use micro_gateway::{AuditLocation, AuthMode, Catalog, Gateway};
use micro_registry::Location;
use micro_runtime::{Drain, shutdown_signal};

use self::{
    banner::{Auth, Banner, Line, Trial},
    find::Plan,
    logs::Screen,
    session::Session,
    supervise::{Phase, Supervisor},
    watch::Watch,
};
use crate::{
    config::{self, Reading, Setting},
    cx::Cx,
    error::{CommandError, Kind},
    tools,
    ui::Ui,
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro run                                     The services of this folder
  micro run users posts                         Those of two folders
  micro run --address 127.0.0.1:0               With the gateway on a free port
  micro run --env DATABASE=test.db --no-watch

A folder says what to run in its micro.toml, or is a cargo workspace or package whose programs use micro-rs:
  [services.users]
  path = \"./users\"

  [services.posts]
  path = \"./posts\"
  depends = [\"users\"]                           # starts when users is up
  env = { POSTS_DB = \"posts.db\" }

  [services.search]
  command = [\"python3\", \"search.py\"]            # any language

  [gateway]                                     # as for `micro server`
  address = \"127.0.0.1:8080\"";

/// Time that open calls are given to finish once the command was asked to stop.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time services have to come up before the banner is printed without them.
const SETTLE: Duration = Duration::from_secs(10);
/// Time their tools have to appear after that.
const CATALOG: Duration = Duration::from_secs(2);

/// Build and run services, and make their endpoints tools
///
/// Finds the services of the folders, builds them, starts them in the order of their dependencies and
/// starts them again when they end. A gateway in front of them serves their endpoints as MCP tools and
/// as plain HTTP. When a source changes, what it concerns is built again and replaced without a gap; while
/// it does not build, the previous version goes on.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Folders with a micro.toml, a cargo workspace or a package [default: this one]
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,

    /// Where the gateway listens; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "IP:PORT")]
    address: Option<SocketAddr>,

    /// A second address of the gateway, for `/mcp` and its companions only
    #[arg(long, value_name = "IP:PORT")]
    mcp_address: Option<SocketAddr>,

    /// Record every call there: in a folder, `sqlite:FILE` or `stdout`
    #[arg(long, value_name = "WHERE")]
    audit: Option<AuditLocation>,

    /// A variable for every service; may be given again
    #[arg(long, value_name = "KEY=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,

    /// Build with optimisations
    #[arg(long)]
    release: bool,

    /// Set a key of micro.toml, for example gateway.tool_names=canonical; may be given again
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<Setting>,

    /// Leave services as they are when their sources change
    #[arg(long)]
    no_watch: bool,
}

pub(crate) async fn run(ui: &mut Ui, cx: &Cx, args: Args) -> Result<(), CommandError> {
    let folders = args.folders();
    let location = shared(&cx.location)?;
    let Plan { services, gateway } = find::find(&folders).await?;
    let screen = Arc::new(Screen::new(ui.color(), services.iter().map(|service| service.name.as_str())));

    // The gateway first: a taken address is told before anything is built.
    let reading = args.reading(gateway.as_deref());
    let settings = reading.load()?;
    let config = settings.value.gateway.clone();
    let auth = config.auth.mode;
    let registry = cx.registry()?;
    let gateway = config.build(registry.clone()).await.map_err(address_taken)?;
    let front = Front::of(&gateway, auth, cx);
    let drain = Drain::new();
    let handle = gateway.handle();
    drain.spawn(gateway.run(drain.clone()));

    let mut env: BTreeMap<_, _> = args.env.into_iter().collect();
    env.insert("MICRO_REGISTRY".to_owned(), location.to_string());
    let mut session = Session::new(services, args.release, env, screen.clone());
    // Before the first build: what is edited during it is built next.
    let mut watch = if args.no_watch { None } else { Some(Watch::new(session.folders())?) };
    let mut signal = Box::pin(shutdown_signal());
    tokio::select! {
        built = session.build() => built?,
        () = &mut signal => return Ok(()),
    }

    let supervisor = session.start(registry);
    let work = async {
        supervisor.settled(SETTLE).await;
        let banner = front.banner(&supervisor, watch.is_some()).await;
        screen.print(banner);
        match &mut watch {
            Some(watch) => session.reload(watch, &supervisor).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = work => {}
        () = reading.follow(settings, handle) => {}
        () = signal => {}
    }
    stop(drain, supervisor, &screen).await;
    Ok(())
}

/// Ends everything: the gateway's calls first, then the services. A second signal does not wait.
async fn stop(drain: Drain, supervisor: Supervisor, screen: &Screen) {
    let again = shutdown_signal();
    screen.status("");
    screen.say("stopping; Ctrl-C again kills what still runs");
    let force = supervisor.force();
    let gracefully = async {
        drain.finish(PATIENCE).await;
        supervisor.stop().await;
    };
    tokio::pin!(gracefully);
    tokio::select! {
        () = &mut gracefully => return,
        () = again => force.cancel(),
    }
    // What is being waited for may be the gateway; killed processes need no wait for it.
    let _ = tokio::time::timeout(Duration::from_secs(1), gracefully).await;
}

impl Args {
    fn folders(&self) -> Vec<PathBuf> {
        if self.folders.is_empty() { vec![".".into()] } else { self.folders.clone() }
    }

    /// See [`super::Command::configs`].
    pub(super) fn configs(&self) -> Vec<PathBuf> {
        self.folders().iter().map(|folder| folder.join(config::NAME)).collect()
    }

    /// The file that has a `[gateway]` table, and the flags.
    fn reading(&self, file: Option<&Path>) -> Reading {
        let reading = if file.is_some() { Reading::of(file) } else { Reading::without_file() };
        reading
            .set(&self.set)
            .flag("--address", "gateway.address", self.address)
            .flag("--mcp-address", "gateway.mcp_address", self.mcp_address)
            .flag("--audit", "gateway.audit.to", self.audit.as_ref())
    }
}

/// The registry as processes in other folders can find it.
fn shared(location: &Location) -> Result<Location, CommandError> {
    match location {
        Location::Memory => Err(CommandError::usage("the registry `memory` cannot be shared between processes")
            .hint("leave --registry and MICRO_REGISTRY away, or use file:///some/folder")),
        Location::File(Some(path)) if path.is_relative() => {
            let here = env::current_dir()
                .map_err(|e| CommandError::new(Kind::NotFound, "cannot tell the current folder").because(e))?;
            Ok(Location::File(Some(here.join(path))))
        }
        other => Ok(other.clone()),
    }
}

fn address_taken(error: micro_core::Error) -> CommandError {
    let taken = error.source().and_then(|e| e.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
    let error = tools::failed(error);
    match taken {
        Some(std::io::ErrorKind::AddrInUse) => error
            .hint("something listens there already, perhaps another `micro run`")
            .hint("take a free port with --address 127.0.0.1:0, or another one with --address 127.0.0.1:8081"),
        _ => error,
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

/// What the banner tells of the gateway.
struct Front {
    address: SocketAddr,
    mcp_address: Option<SocketAddr>,
    auth: Option<String>,
    open: bool,
    catalog: Catalog,
    registry: Option<String>,
}

impl Front {
    fn of(gateway: &Gateway, mode: AuthMode, cx: &Cx) -> Self {
        let config = micro_gateway::AuthConfig { mode, ..Default::default() };
        let addresses = [Some(gateway.address()), gateway.mcp_address()];
        Self {
            address: gateway.address(),
            mcp_address: gateway.mcp_address(),
            auth: gateway.generated_token().map(|token| token.reveal().to_owned()),
            open: !addresses.into_iter().flatten().any(|address| config.needed_on(address)),
            catalog: gateway.catalog(),
            registry: (cx.location != Location::default()).then(|| cx.location.to_string()),
        }
    }

    /// The banner, once the tools of what is up are there.
    async fn banner(self, supervisor: &Supervisor, watching: bool) -> Banner {
        let phases: Vec<_> = supervisor.phases().collect();
        let up = |phase: &Phase| match phase {
            Phase::Up(instance) => Some(instance.clone()),
            _ => None,
        };
        let instances: Vec<_> = phases.iter().filter_map(|(_, phase)| up(phase)).collect();
        let known = |service: &str| self.catalog.load().tools().filter(|(_, tool)| &*tool.service == service).count();
        let mut state = self.catalog.state();
        let complete = state.wait_for(|_| instances.iter().all(|i| i.endpoints.is_empty() || known(&i.name) > 0));
        let _ = tokio::time::timeout(CATALOG, complete).await;

        let services = phases.iter().map(|(name, phase)| Line {
            name: (*name).to_owned(),
            tools: up(phase).map(|instance| known(&instance.name)),
        });
        let names: Vec<_> = instances.iter().map(|instance| instance.name.as_str()).collect();
        Banner {
            services: services.collect(),
            trial: Trial::choose(&self.catalog.load(), &names),
            auth: match (self.auth, self.open) {
                (Some(token), _) => Auth::Made(token),
                (None, true) => Auth::Off,
                (None, false) => Auth::On,
            },
            address: self.address,
            mcp_address: self.mcp_address,
            registry: self.registry,
            watching,
        }
    }
}
