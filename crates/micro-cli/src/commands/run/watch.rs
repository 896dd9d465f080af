//! What changed in the folders of services, gathered until it is quiet.

mod debounce;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{sync::mpsc, time::Instant};

use self::debounce::Debounce;
use crate::error::CommandError;

/// Editors write a file in several steps, and several files at once.
const QUIET: Duration = Duration::from_millis(200);

/// Watches folders. What cargo, git and editors keep in them is passed over.
#[derive(Debug)]
pub(super) struct Watch {
    roots: Vec<PathBuf>,
    watcher: RecommendedWatcher,
    events: mpsc::UnboundedReceiver<Event>,
    debounce: Debounce,
}

impl Watch {
    /// Watches these folders and everything below them.
    ///
    /// # Errors
    /// When the system does not let us, mostly since too many folders are watched already.
    pub(super) fn new(roots: BTreeSet<PathBuf>) -> Result<Self, CommandError> {
        let cannot = |e: notify::Error| {
            CommandError::unavailable("cannot watch for changes")
                .because(e)
                .hint("run without with --no-watch, or raise the system's fs.inotify.max_user_watches")
        };
        // Bounded by the debounce: it is emptied as fast as we are polled.
        let (sender, events) = mpsc::unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if let Ok(event) = event {
                let _ = sender.send(event);
            }
        })
        .map_err(cannot)?;
        let roots = roots.into_iter().collect();
        let mut watch = Self { roots, watcher, events, debounce: Debounce::new(QUIET) };
        for root in watch.roots.clone() {
            watch.root(&root).map_err(cannot)?;
        }
        Ok(watch)
    }

    /// The files that changed, once nothing changes any more. May be dropped and called again.
    pub(super) async fn changed(&mut self) -> BTreeSet<PathBuf> {
        loop {
            let quiet = self.debounce.due();
            tokio::select! {
                Some(event) = self.events.recv() => self.take(event),
                () = async { tokio::time::sleep_until(quiet.expect("checked")).await }, if quiet.is_some() => {
                    return self.debounce.drain();
                }
            }
        }
    }

    fn take(&mut self, event: Event) {
        // Reading a file is no change; closing it after writing is told too, as one.
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        let roots = self.roots.clone();
        for path in event.paths {
            let Some(inside) = roots.iter().find_map(|root| path.strip_prefix(root).ok()) else { continue };
            if inside.components().any(|part| ignored(&part.as_os_str().to_string_lossy())) {
                continue;
            }
            // A folder that is new in a root is not watched yet, see `root`.
            if matches!(event.kind, EventKind::Create(_)) && inside.components().count() == 1 && path.is_dir() {
                let _ = self.watcher.watch(&path, RecursiveMode::Recursive);
            }
            self.debounce.push(path, Instant::now());
        }
    }

    /// Watches a root without its ignored folders: one for each folder below `target` would be many.
    fn root(&mut self, root: &Path) -> notify::Result<()> {
        self.watcher.watch(root, RecursiveMode::NonRecursive)?;
        for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && !ignored(&entry.file_name().to_string_lossy()) {
                self.watcher.watch(&entry.path(), RecursiveMode::Recursive)?;
            }
        }
        Ok(())
    }
}

/// Whether a file or folder of this name is nobody's source.
fn ignored(name: &str) -> bool {
    const FOLDERS: [&str; 4] = ["target", "node_modules", "__pycache__", "Cargo.lock"];
    const ENDINGS: [&str; 12] =
        ["~", ".swp", ".swx", ".tmp", ".bak", ".log", ".pyc", ".db", ".db-wal", ".db-shm", ".db-journal", ".sqlite"];
    name.starts_with(['.', '#'])
        || FOLDERS.contains(&name)
        || name == "4913" // vim looks whether it may write by making this
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_tools_keep_beside_the_sources_is_ignored() {
        for name in ["target", ".git", ".main.rs.swp", "main.rs~", "4913", "#main.rs#", "users.db-wal", "Cargo.lock"] {
            assert!(ignored(name), "{name}");
        }
        for name in ["src", "main.rs", "Cargo.toml", "schema.sql", "build.rs"] {
            assert!(!ignored(name), "{name}");
        }
    }

    #[tokio::test]
    async fn a_change_is_told_and_the_target_folder_is_not() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for folder in ["src", "target"] {
            fs::create_dir(root.join(folder)).unwrap();
        }
        let mut watch = Watch::new([root.clone()].into()).unwrap();
        fs::write(root.join("target/users"), "").unwrap();
        fs::write(root.join("src/.main.rs.swp"), "").unwrap();
        fs::write(root.join("src/main.rs"), "").unwrap();
        assert_eq!(watch.changed().await, [root.join("src/main.rs")].into());
    }

    #[tokio::test]
    async fn a_new_folder_is_watched_too() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let mut watch = Watch::new([root.clone()].into()).unwrap();
        fs::create_dir(root.join("assets")).unwrap();
        assert!(watch.changed().await.contains(&root.join("assets")));
        fs::write(root.join("assets/page.html"), "").unwrap();
        assert!(watch.changed().await.contains(&root.join("assets/page.html")));
    }
}
