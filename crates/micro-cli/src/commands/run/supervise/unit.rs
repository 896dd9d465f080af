//! The task of one service: start, watch, start again, replace, stop.

use std::{future::pending, io, process::ExitStatus, sync::Arc, time::Duration};

use micro_registry::Instance;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{Order, Phase, Service, Shared};
use crate::commands::run::{
    backoff::Backoff,
    logs::Prefix,
    presence::Presence,
    process::{Launch, Process},
};

/// Time a new version has to register before it is given up.
const COME_UP: Duration = Duration::from_secs(15);

/// Other services, by name, and where they stand.
type Others = Vec<(String, watch::Receiver<Phase>)>;

/// The state of a service's task.
pub(super) struct Unit {
    name: String,
    launch: Launch,
    shared: Shared,
    prefix: Prefix,
    phase: watch::Sender<Phase>,
    orders: mpsc::Receiver<Order>,
    current: Option<Process>,
    /// The id of what runs, until the registry knows it.
    starting: Option<String>,
    /// When to start it, while nothing runs.
    start_at: Option<Instant>,
    backoff: Backoff,
    /// Old versions that finish their last calls.
    leaving: JoinSet<()>,
}

/// How the attempt to start a new version ended.
enum Attempt {
    Up(Arc<Instance>),
    Ended(io::Result<ExitStatus>),
    TooSlow,
    /// We are told to stop, or nobody is left to tell us.
    Interrupted,
}

impl Unit {
    pub(super) fn new(
        service: Service,
        shared: Shared,
        prefix: Prefix,
        phase: watch::Sender<Phase>,
        orders: mpsc::Receiver<Order>,
    ) -> Self {
        let Service { name, depends: _, launch } = service;
        let (backoff, leaving) = (Backoff::default(), JoinSet::new());
        Self {
            name,
            launch,
            shared,
            prefix,
            phase,
            orders,
            current: None,
            starting: None,
            start_at: None,
            backoff,
            leaving,
        }
    }

    /// Runs the service until it is told to stop: after `needs` are up, until `dependents` have left.
    pub(super) async fn run(mut self, needs: Others, dependents: Others) {
        let mut ready = Box::pin(all_up(needs, self.name.clone(), self.shared.clone()));
        let mut waiting = true;
        loop {
            tokio::select! {
                () = &mut ready, if waiting => {
                    waiting = false;
                    self.start();
                }
                status = exited(self.current.as_mut()) => self.ended(status).await,
                () = due(self.start_at) => self.start(),
                instance = registered(&self.shared.presence, self.starting.as_deref()) => self.is_up(instance),
                Some(_) = self.leaving.join_next() => {}
                order = self.orders.recv() => match order {
                    Some(Order::Replace(launch, done)) if waiting => {
                        self.launch = launch;
                        let _ = done.send(true); // it will be the first to start
                    }
                    Some(Order::Replace(launch, done)) => {
                        if self.replace(launch, done).await.is_break() {
                            break;
                        }
                    }
                    Some(Order::Stop) | None => break,
                },
            }
        }
        self.stop(dependents).await;
    }

    fn start(&mut self) {
        self.start_at = None;
        match Process::start(&self.launch, &self.prefix, &self.shared.screen) {
            Ok(process) => {
                self.starting = Some(process.id.clone());
                self.current = Some(process);
                self.phase.send_replace(Phase::Starting);
            }
            Err(error) => {
                self.retry(&format!("cannot be started: {}: {error}", self.launch.program.display()), Duration::ZERO);
            }
        }
    }

    fn is_up(&mut self, instance: Arc<Instance>) {
        self.starting = None;
        self.say(format_args!("{} is up at {}", self.name, instance.node.address));
        self.phase.send_replace(Phase::Up(instance));
    }

    /// The process has ended by itself.
    async fn ended(&mut self, status: io::Result<ExitStatus>) {
        let Some(process) = self.current.take() else { return };
        self.starting = None;
        self.retry(&format!("has ended ({})", ending(&status)), process.started.elapsed());
        self.shared.presence.bury(&process.id).await;
    }

    fn retry(&mut self, what: &str, lived: Duration) {
        let wait = self.backoff.after(lived);
        let often = match self.backoff.failures() {
            failures @ 5.. => format!(" for the {failures}th time in a row"),
            _ => String::new(),
        };
        self.say(format_args!("{} {what}{often}; starting it again in {wait:?}", self.name));
        self.start_at = Some(Instant::now() + wait);
        self.phase.send_replace(Phase::Failing);
    }

    /// Starts a new version beside the old one and changes over when it is up.
    async fn replace(&mut self, launch: Launch, done: oneshot::Sender<bool>) -> std::ops::ControlFlow<()> {
        let new = match Process::start(&launch, &self.prefix, &self.shared.screen) {
            Ok(new) => new,
            Err(error) => {
                self.kept(launch, &format!("cannot be started ({error})"));
                let _ = done.send(false);
                return std::ops::ControlFlow::Continue(());
            }
        };
        let (attempt, new) = self.attempt(new).await;
        let up = match attempt {
            Attempt::Up(instance) => {
                if let Some(old) = self.current.replace(new) {
                    self.leave(old);
                }
                (self.launch, self.start_at, self.starting) = (launch, None, None);
                self.backoff = Backoff::default();
                self.say(format_args!("{} has a new version at {}", self.name, instance.node.address));
                self.phase.send_replace(Phase::Up(instance));
                true
            }
            Attempt::Ended(status) => {
                self.shared.presence.bury(&new.id).await;
                self.kept(launch, &format!("has ended ({})", ending(&status)));
                false
            }
            Attempt::TooSlow => {
                self.leave(new);
                self.kept(launch, &format!("has not registered within {COME_UP:?}"));
                false
            }
            Attempt::Interrupted => {
                self.leave(new);
                return std::ops::ControlFlow::Break(());
            }
        };
        let _ = done.send(up);
        std::ops::ControlFlow::Continue(())
    }

    /// Waits for a new version to come up. The old one may end meanwhile; then it is not started again
    /// before this is decided.
    async fn attempt(&mut self, mut new: Process) -> (Attempt, Process) {
        let id = new.id.clone();
        let deadline = Instant::now() + COME_UP;
        loop {
            tokio::select! {
                instance = self.shared.presence.up(&id) => return (Attempt::Up(instance), new),
                status = new.exited() => return (Attempt::Ended(status), new),
                () = sleep_until(deadline) => return (Attempt::TooSlow, new),
                status = exited(self.current.as_mut()) => self.ended(status).await,
                order = self.orders.recv() => match order {
                    // Only one at a time is asked for; the newest would be asked for again.
                    Some(Order::Replace(_, done)) => drop(done),
                    Some(Order::Stop) | None => return (Attempt::Interrupted, new),
                },
            }
        }
    }

    /// The new version is none. When the old one does not run either, the new one is tried again.
    fn kept(&mut self, launch: Launch, why: &str) {
        let name = &self.name;
        if self.current.is_some() {
            self.say(format_args!("the new version of {name} {why}, keeping previous version running"));
        } else {
            self.say(format_args!("the new version of {name} {why}, as the one before"));
            self.launch = launch;
        }
    }

    /// Lets a process finish its calls in the background.
    fn leave(&mut self, process: Process) {
        let Shared { presence, force, .. } = self.shared.clone();
        self.leaving.spawn(async move {
            let id = process.id.clone();
            process.stop(force).await;
            presence.bury(&id).await;
        });
    }

    /// Waits until nobody depends on the service any more, then ends it.
    async fn stop(mut self, dependents: Others) {
        for (_, mut phase) in dependents {
            let _ = phase.wait_for(|phase| *phase == Phase::Stopped).await; // an error: its task is gone
        }
        if let Some(process) = self.current.take() {
            self.leave(process);
        }
        while self.leaving.join_next().await.is_some() {}
        self.phase.send_replace(Phase::Stopped);
    }

    fn say(&self, text: std::fmt::Arguments<'_>) {
        self.shared.screen.say(text);
    }
}

/// Waits until all of these are up.
async fn all_up(needs: Others, name: String, shared: Shared) {
    for (need, mut phase) in needs {
        let is_up = |phase: &Phase| matches!(phase, Phase::Up(_));
        if tokio::time::timeout(COME_UP, phase.wait_for(is_up)).await.is_err() {
            shared.screen.say(format_args!("{name} waits for {need}"));
            let _ = phase.wait_for(is_up).await;
        }
    }
}

async fn exited(process: Option<&mut Process>) -> io::Result<ExitStatus> {
    match process {
        Some(process) => process.exited().await,
        None => pending().await,
    }
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

/// The instance of a process that is starting.
async fn registered(presence: &Presence, starting: Option<&str>) -> Arc<Instance> {
    match starting {
        Some(id) => presence.up(id).await,
        None => pending().await,
    }
}

fn ending(status: &io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}
