//! Keeps services running: in order, again after a crash, and without a gap when there is a new version.

mod unit;

use std::{sync::Arc, time::Duration};

use micro_registry::{Instance, Registry};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{AbortHandle, JoinHandle},
};
use tokio_util::sync::CancellationToken;

use self::unit::Unit;
use super::{logs::Screen, presence::Presence, process::Launch};

/// A service to keep running.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: String,
    /// Services that must be up first. They stand earlier in the list.
    pub(super) depends: Vec<String>,
    pub(super) launch: Launch,
}

/// Where a service stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    /// Something it depends on is not up yet.
    Waiting,
    /// Its process runs; the registry does not know it yet.
    Starting,
    /// The registry knows it.
    Up(Arc<Instance>),
    /// Its process has ended and will be started again.
    Failing,
    /// It was stopped for good.
    Stopped,
}

/// All services. Dropped without [`Supervisor::stop`], their processes are killed.
#[derive(Debug)]
pub(super) struct Supervisor {
    units: Vec<Running>,
    follower: AbortHandle,
    force: CancellationToken,
}

/// Our end of one service's task.
#[derive(Debug)]
struct Running {
    name: String,
    phase: watch::Receiver<Phase>,
    orders: mpsc::Sender<Order>,
    task: JoinHandle<()>,
}

/// What a service's task can be told.
#[derive(Debug)]
enum Order {
    /// Start this in place of what runs; true when it came up.
    Replace(Launch, oneshot::Sender<bool>),
    Stop,
}

/// What every service's task uses.
#[derive(Debug, Clone)]
struct Shared {
    screen: Arc<Screen>,
    presence: Presence,
    /// End processes now, not gracefully.
    force: CancellationToken,
}

impl Supervisor {
    /// Starts services, each as soon as what it depends on is up. Dependencies must come first.
    pub(super) fn start(services: Vec<Service>, registry: Arc<dyn Registry>, screen: Arc<Screen>) -> Self {
        let (presence, follower) = Presence::follow(registry);
        let force = CancellationToken::new();
        let shared = Shared { screen, presence, force: force.clone() };
        let phases: Vec<_> = services.iter().map(|_| watch::channel(Phase::Waiting)).collect();
        let receivers: Vec<_> = services.iter().zip(&phases).map(|(s, (_, rx))| (s.name.clone(), rx.clone())).collect();
        let named = |name: &String| receivers.iter().find(|(n, _)| n == name).cloned();
        // Who must leave before a service may.
        let dependents: Vec<Vec<_>> = services
            .iter()
            .map(|s| services.iter().filter(|d| d.depends.contains(&s.name)).filter_map(|d| named(&d.name)).collect())
            .collect();
        let units = services
            .into_iter()
            .zip(phases)
            .zip(dependents)
            .enumerate()
            .map(|(at, ((service, (sender, phase)), dependents))| {
                let (orders, inbox) = mpsc::channel(1);
                let needs = service.depends.iter().filter_map(&named).collect();
                let prefix = shared.screen.prefix(at, &service.name);
                let name = service.name.clone();
                let unit = Unit::new(service, shared.clone(), prefix, sender, inbox);
                Running { name, phase, orders, task: tokio::spawn(unit.run(needs, dependents)) }
            })
            .collect();
        Self { units, follower, force }
    }

    /// Every service and where it stands, in order.
    pub(super) fn phases(&self) -> impl Iterator<Item = (&str, Phase)> {
        self.units.iter().map(|unit| (unit.name.as_str(), unit.phase.borrow().clone()))
    }

    /// Waits until every service is up or has failed once, but no longer than this.
    pub(super) async fn settled(&self, patience: Duration) {
        let all = async {
            for unit in &self.units {
                let settled = |phase: &Phase| !matches!(phase, Phase::Waiting | Phase::Starting);
                let _ = unit.phase.clone().wait_for(settled).await;
            }
        };
        let _ = tokio::time::timeout(patience, all).await;
    }

    /// Puts a new version in the place of a service's old one, which goes on until the new one is up.
    /// False when that did not happen and the old one stays.
    pub(super) async fn replace(&self, name: &str, launch: Launch) -> bool {
        let Some(unit) = self.units.iter().find(|unit| unit.name == name) else { return false };
        let (done, replaced) = oneshot::channel();
        unit.orders.send(Order::Replace(launch, done)).await.is_ok() && replaced.await.unwrap_or(false)
    }

    /// What ends the wait of [`Supervisor::stop`]: processes are killed.
    pub(super) fn force(&self) -> CancellationToken {
        self.force.clone()
    }

    /// Stops every service, those first that depend on others.
    pub(super) async fn stop(mut self) {
        for unit in &self.units {
            let _ = unit.orders.send(Order::Stop).await;
        }
        for unit in &mut self.units {
            let _ = (&mut unit.task).await;
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.follower.abort();
        for unit in &self.units {
            unit.task.abort();
        }
    }
}
