//! Watching the folder: at once where the system reports changes, twice a second everywhere.

use std::{
    collections::{BTreeSet, VecDeque},
    fs, io,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, stream};
use notify::{
    EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind},
};
use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::scan::Scan;
use crate::{Event, Events};

/// Names kept between two looks; beyond that the next rescan finds the rest.
const MOST_TOUCHED: usize = 4096;

/// The events of a folder. Nothing runs when nobody polls the stream.
pub(super) fn events(folder: Arc<PathBuf>, rescan: Duration) -> Events {
    let touched = Arc::<Touched>::default();
    let observer =
        Observer { scan: Scan::new(folder.clone()), folder, touched: touched.clone(), armed: None, state: State::New };
    let observer = Arc::new(Mutex::new(observer));
    let watch = Watch { observer, touched, rescan, due: None, queue: VecDeque::new() };
    stream::unfold(watch, |mut watch| async { Some((watch.next().await?, watch)) }).boxed()
}

/// The asynchronous half: when to look.
struct Watch {
    observer: Arc<Mutex<Observer>>,
    touched: Arc<Touched>,
    rescan: Duration,
    /// The next look at everything; none before the first.
    due: Option<Instant>,
    queue: VecDeque<Event>,
}

/// Files that the system reported.
#[derive(Default)]
struct Touched {
    names: Mutex<BTreeSet<String>>,
    wake: Notify,
}

/// The blocking half: looking.
struct Observer {
    folder: Arc<PathBuf>,
    scan: Scan,
    touched: Arc<Touched>,
    /// The folder (device, inode) that the system reports on, and the handle that makes it do so.
    armed: Option<((u64, u64), Option<RecommendedWatcher>)>,
    state: State,
}

enum State {
    /// Nothing was told yet.
    New,
    /// The watcher knows what the scan knows.
    Fine,
    /// The folder cannot be read, and this was said about it.
    Broken(String),
}

// === impl Watch ===

impl Watch {
    /// The next event; `None` when the runtime stops.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            let everything = self.reason().await;
            let observer = self.observer.clone();
            // On a thread where waiting is allowed: the folder may be on a slow or remote disk.
            let found = tokio::task::spawn_blocking(move || observer.lock().look(everything)).await;
            self.queue.extend(found.ok()?);
        }
    }

    /// Waits for a reason to look. True when it is time to look at everything.
    async fn reason(&mut self) -> bool {
        if let Some(due) = self.due {
            tokio::select! {
                biased; // or a busy folder could put the rescan off
                () = sleep_until(due) => {}
                () = self.touched.wake.notified() => return false,
            }
        }
        self.due = Some(Instant::now() + self.rescan);
        true
    }
}

// === impl Observer ===

impl Observer {
    fn look(&mut self, everything: bool) -> Vec<Event> {
        let touched = std::mem::take(&mut *self.touched.names.lock());
        let everything = everything || !matches!(self.state, State::Fine);
        let found = if everything { self.arm().and_then(|()| self.scan.all()) } else { self.scan.some(touched) };
        match found {
            Ok(events) if matches!(self.state, State::Fine) => events,
            Ok(mut events) => {
                if let State::Broken(_) = std::mem::replace(&mut self.state, State::Fine) {
                    tracing::info!(folder = %self.folder.display(), "registry folder is readable again");
                }
                events.retain(|event| matches!(event, Event::Ignored(_)));
                events.insert(0, Event::Reset(self.scan.alive()));
                events
            }
            Err(error) => self.broken(&error),
        }
    }

    fn broken(&mut self, error: &io::Error) -> Vec<Event> {
        let text = format!("the registry folder {} cannot be read: {error}", self.folder.display());
        if matches!(&self.state, State::Broken(said) if *said == text) {
            return vec![];
        }
        tracing::warn!(folder = %self.folder.display(), %error, "registry folder cannot be read");
        self.state = State::Broken(text.clone());
        vec![Event::Problem(text)]
    }

    /// Asks the system to report changes of the folder, unless it does so already. Where it cannot
    /// (too many watches, a remote file system), looking twice a second has to do.
    fn arm(&mut self) -> io::Result<()> {
        let folder = fs::metadata(&*self.folder)?;
        let identity = (folder.dev(), folder.ino());
        if self.armed.as_ref().is_some_and(|(armed, _)| *armed == identity) {
            return Ok(());
        }
        let touched = self.touched.clone();
        let watcher = notify::recommended_watcher(move |event| touched.note(event)).and_then(|mut watcher| {
            watcher.watch(&self.folder, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        if let Err(error) = &watcher {
            tracing::debug!(folder = %self.folder.display(), %error, "no reports of changes, only rescans");
        }
        self.armed = Some((identity, watcher.ok()));
        Ok(())
    }
}

// === impl Touched ===

impl Touched {
    /// Takes in a report, on the reporter's own thread.
    fn note(&self, event: notify::Result<notify::Event>) {
        let Ok(event) = event else { return }; // the rescan sees what this one would have said
        // Reads change nothing, and a mere heartbeat is soon enough seen by the rescan.
        let counts = match event.kind {
            EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
            EventKind::Modify(kind) => !matches!(kind, ModifyKind::Metadata(_)),
            _ => true,
        };
        if !counts {
            return;
        }
        let mut names = self.names.lock();
        let before = names.len();
        for name in event.paths.iter().filter_map(|path| path.file_name()?.to_str()) {
            if super::scan::is_entry(name) && names.len() < MOST_TOUCHED {
                names.insert(name.to_owned());
            }
        }
        if names.len() > before {
            self.wake.notify_one();
        }
    }
}
