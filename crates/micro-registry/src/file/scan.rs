//! What one observer knows of the folder, and what changed since the last look.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use super::entry::{self, Stamp, UNFINISHED};
use crate::{Event, Instance, port::LONGEST_TTL};

/// A file that makes no sense and is younger than this may still be being written.
const SETTLED: Duration = Duration::from_millis(200);

/// An unfinished file this old belongs to a writer that died.
const ABANDONED: Duration = Duration::from_secs(60);

/// How many more times to live an observer sees an entry dead before it removes the file.
const MOURNING: u32 = 9;

/// What one observer knows of the folder.
#[derive(Debug)]
pub(super) struct Scan {
    folder: Arc<PathBuf>,
    /// By file name.
    files: BTreeMap<String, Seen>,
}

/// One file as it was last seen.
#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    /// The instance, while it is alive.
    alive: Option<Arc<Instance>>,
    /// When the entry is over, on the clock that neither jumps nor counts a machine's sleep: only the
    /// first look at a heartbeat has to trust the time of day.
    until: Instant,
    ttl: Duration,
    /// The last read failed. What was known stays until it expires.
    broken: bool,
}

impl Scan {
    /// Knows nothing yet.
    pub(super) fn new(folder: Arc<PathBuf>) -> Self {
        Self { folder, files: BTreeMap::new() }
    }

    /// Everybody who was alive at the last look.
    pub(super) fn alive(&self) -> Vec<Arc<Instance>> {
        self.files.values().filter_map(|seen| seen.alive.clone()).collect()
    }

    /// Looks at every file. In error nothing is forgotten.
    pub(super) fn all(&mut self) -> io::Result<Vec<Event>> {
        // Also the known ones: a listing may miss a name that is being replaced.
        let mut names: BTreeSet<String> = self.files.keys().cloned().collect();
        for file in fs::read_dir(&*self.folder)? {
            let Ok(name) = file?.file_name().into_string() else { continue };
            if is_entry(&name) {
                names.insert(name);
            } else if name.starts_with(UNFINISHED.0) && name.ends_with(UNFINISHED.1) {
                remove_abandoned(&self.folder.join(name));
            }
        }
        self.some(names)
    }

    /// Looks at the files with these names.
    pub(super) fn some(&mut self, names: impl IntoIterator<Item = String>) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        for name in names {
            self.look(&name, &mut events)?;
        }
        Ok(events)
    }

    fn look(&mut self, name: &str, events: &mut Vec<Event>) -> io::Result<()> {
        let path = self.folder.join(name);
        let stamp = match fs::symlink_metadata(&path) {
            Ok(file) => Stamp::of(&file)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                events.extend(self.files.remove(name).and_then(|seen| seen.alive).map(|i| down(&i)));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let known = self.files.get(name);
        if known.is_none_or(|seen| seen.stamp != stamp) {
            match entry::read(&path, name) {
                Ok(entry) => self.learn(name, stamp, entry, events),
                Err(_) if stamp.age() < SETTLED => {} // looked at again, since its stamp is not kept
                Err(reason) => {
                    tracing::warn!(file = %path.display(), reason, "registry file ignored");
                    events.push(Event::Ignored(format!("{} is ignored: {reason}", path.display())));
                    let new = || Seen { stamp, alive: None, until: Instant::now(), ttl: Duration::ZERO, broken: true };
                    let seen = self.files.entry(name.to_owned()).or_insert_with(new);
                    (seen.stamp, seen.broken) = (stamp, true);
                }
            }
        }
        if let Some(seen) = self.files.get_mut(name) {
            expire(seen, &path, events);
        }
        Ok(())
    }

    /// Takes in what a file says now.
    fn learn(&mut self, name: &str, stamp: Stamp, entry: entry::Entry, events: &mut Vec<Event>) {
        let ttl = entry.ttl.min(LONGEST_TTL);
        let until = Instant::now() + ttl.saturating_sub(stamp.age());
        let before = self.files.remove(name).and_then(|seen| seen.alive);
        let alive = match before {
            Some(before) if *before == entry.instance => Some(before),
            _ if until > Instant::now() => {
                let instance = Arc::new(entry.instance);
                events.push(Event::Up(instance.clone()));
                Some(instance)
            }
            before => before, // over already: `expire` says so
        };
        self.files.insert(name.to_owned(), Seen { stamp, alive, until, ttl, broken: false });
    }
}

/// Lets go of who is over, and after a long while of the file too.
fn expire(seen: &mut Seen, path: &Path, events: &mut Vec<Event>) {
    let Some(over) = Instant::now().checked_duration_since(seen.until) else { return };
    events.extend(seen.alive.take().map(|i| down(&i)));
    if seen.broken || over < seen.ttl * MOURNING {
        return;
    }
    if let Err(error) = entry::sweep(path, seen.stamp) {
        tracing::debug!(file = %path.display(), %error, "cannot remove the file of a dead node");
    }
}

fn down(instance: &Instance) -> Event {
    Event::Down(instance.node.id.clone())
}

pub(super) fn is_entry(name: &str) -> bool {
    name.ends_with(".json") && !name.starts_with('.')
}

fn remove_abandoned(path: &Path) {
    let age = fs::symlink_metadata(path).and_then(|file| Stamp::of(&file)).map(|stamp| stamp.age());
    if age.is_ok_and(|age| age > ABANDONED) {
        let _ = entry::remove(path); // somebody else may have been faster
    }
}
