//! What changed in the folders of services, gathered until it is quiet.

mod debounce;

use std::{
    collections::BTreeSet,
    fs, mem,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use self::debounce::Debounce;
use crate::error::CommandError;

/// Editors write a file in several steps, and several files at once.
const QUIET: Duration = Duration::from_millis(200);

/// Watches folders. What cargo, git and editors keep in them is passed over.
#[derive(Debug)]
pub(super) struct Watch {
    watcher: RecommendedWatcher,
    inbox: Arc<Inbox>,
    debounce: Debounce,
}

/// What the system has told and nobody has looked at yet. A set, so that it cannot outgrow the folders.
#[derive(Debug, Default)]
struct Inbox {
    paths: Mutex<BTreeSet<PathBuf>>,
    news: Notify,
}

impl Watch {
    /// Watches these folders and everything below them. Changes count from here on.
    ///
    /// # Errors
    /// When the system does not let us, mostly since too many folders are watched already.
    pub(super) fn new(roots: BTreeSet<PathBuf>) -> Result<Self, CommandError> {
        let cannot = |e: notify::Error| {
            CommandError::unavailable("cannot watch for changes")
                .because(e)
                .hint("run without with --no-watch, or raise the system's fs.inotify.max_user_watches")
        };
        let inbox = Arc::new(Inbox::default());
        let (told, lost) = (inbox.clone(), roots.clone());
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if event.need_rescan() {
                told.push(lost.clone()); // something changed, and the system does not know any more what
            // Reading a file is no change; closing it after writing is told too, as one.
            } else if !matches!(event.kind, EventKind::Access(_)) {
                told.push(event.paths.into_iter().filter(|path| !is_ignored(path)));
            }
        })
        .map_err(cannot)?;
        let mut watch = Self { watcher, inbox, debounce: Debounce::new(QUIET) };
        for root in roots {
            watch.folder(&root, &mut |_| {}).map_err(cannot)?;
        }
        Ok(watch)
    }

    /// The files that changed, once nothing changes any more. May be dropped and called again.
    pub(super) async fn changed(&mut self) -> BTreeSet<PathBuf> {
        loop {
            let quiet = self.debounce.due();
            tokio::select! {
                () = self.inbox.news.notified() => self.take(),
                () = async { tokio::time::sleep_until(quiet.expect("checked")).await }, if quiet.is_some() => {
                    return self.debounce.drain();
                }
            }
        }
    }

    fn take(&mut self) {
        let now = Instant::now();
        let paths = mem::take(&mut *self.inbox.paths.lock());
        for path in paths {
            // A folder is told of when it is new, or was moved here. What was put into it before it is watched
            // has not been told.
            if path.is_dir() {
                let mut found = Vec::new();
                let _ = self.folder(&path, &mut |file| found.push(file)); // one folder less to hear of
                found.into_iter().for_each(|file| self.debounce.push(file, now));
            }
            self.debounce.push(path, now);
        }
    }

    /// Watches a folder and those below it but the ignored ones: a `target` alone may hold thousands.
    fn folder(&mut self, folder: &Path, file: &mut impl FnMut(PathBuf)) -> notify::Result<()> {
        self.watcher.watch(folder, RecursiveMode::NonRecursive)?;
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                _ if is_ignored(&path) => {}
                Ok(kind) if kind.is_dir() => self.folder(&path, file)?,
                _ => file(path),
            }
        }
        Ok(())
    }
}

impl Inbox {
    fn push(&self, paths: impl IntoIterator<Item = PathBuf>) {
        self.paths.lock().extend(paths);
        self.news.notify_one();
    }
}

/// Whether a file or folder of this name is nobody's source. Nothing below an ignored folder is watched.
fn is_ignored(path: &Path) -> bool {
    const NAMES: [&str; 4] = ["target", "node_modules", "__pycache__", "Cargo.lock"];
    const ENDINGS: [&str; 12] =
        ["~", ".swp", ".swx", ".tmp", ".bak", ".log", ".pyc", ".db", ".db-wal", ".db-shm", ".db-journal", ".sqlite"];
    let Some(name) = path.file_name().map(|name| name.to_string_lossy()) else { return false };
    name.starts_with(['.', '#'])
        || NAMES.contains(&&*name)
        || name == "4913" // vim looks whether it may write by making this
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder under its real name, as events tell it.
    fn folder() -> (tempfile::TempDir, PathBuf) {
        let guard = tempfile::tempdir().unwrap();
        let path = guard.path().canonicalize().unwrap();
        (guard, path)
    }

    #[test]
    fn what_tools_keep_beside_the_sources_is_ignored() {
        for name in ["target", ".git", ".main.rs.swp", "main.rs~", "4913", "#main.rs#", "users.db-wal", "Cargo.lock"] {
            assert!(is_ignored(Path::new(name)), "{name}");
        }
        for name in ["src", "main.rs", "Cargo.toml", "schema.sql", "build.rs"] {
            assert!(!is_ignored(Path::new(name)), "{name}");
        }
    }

    #[tokio::test]
    async fn a_change_is_told_and_what_tools_write_is_not() {
        let (_guard, root) = folder();
        for folder in ["src", "target", "web/node_modules/left", "crates/users/target"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let mut watch = Watch::new([root.clone()].into()).unwrap();
        fs::write(root.join("target/users"), "").unwrap();
        fs::write(root.join("web/node_modules/left/pad.js"), "").unwrap();
        fs::write(root.join("crates/users/target/users"), "").unwrap();
        fs::write(root.join("src/.main.rs.swp"), "").unwrap();
        // Told although nobody was asking at the time.
        fs::write(root.join("src/main.rs"), "").unwrap();
        assert_eq!(watch.changed().await, [root.join("src/main.rs")].into());
    }

    #[tokio::test]
    async fn a_new_folder_is_watched_with_what_is_in_it_already() {
        let (_guard, root) = folder();
        let mut watch = Watch::new([root.clone()].into()).unwrap();
        fs::create_dir_all(root.join("assets/icons")).unwrap();
        fs::write(root.join("assets/icons/a.svg"), "").unwrap();
        assert!(watch.changed().await.contains(&root.join("assets/icons/a.svg")));
        fs::write(root.join("assets/icons/b.svg"), "").unwrap();
        assert_eq!(watch.changed().await, [root.join("assets/icons/b.svg")].into());
    }

    #[tokio::test]
    async fn a_folder_that_went_and_came_again_is_watched_again() {
        let (_guard, root) = folder();
        fs::create_dir(root.join("src")).unwrap();
        let mut watch = Watch::new([root.clone()].into()).unwrap();
        fs::remove_dir(root.join("src")).unwrap();
        fs::create_dir(root.join("src")).unwrap();
        assert!(watch.changed().await.contains(&root.join("src")));
        fs::write(root.join("src/main.rs"), "").unwrap();
        assert_eq!(watch.changed().await, [root.join("src/main.rs")].into());
    }
}
