//! A registry that is a folder of JSON files: nothing to install, and any language can join in.

mod entry;
mod place;
mod scan;
mod watch;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_core::future::BoxFuture;
use futures_util::FutureExt;
use parking_lot::Mutex;

use self::scan::Scan;
use crate::{Error, Events, Instance, Registry, Result};

/// How often a watcher looks at every file: the latest moment at which it sees an expiry, or any
/// change where the system reports none.
const RESCAN: Duration = Duration::from_millis(500);

/// A registry that is a folder of JSON files, one for each node.
///
/// | what | how |
/// |---|---|
/// | name | `<node id>.json`; bytes other than letters, digits, `-`, `_` and `.`, and a `.` at the front, are written `%2F` |
/// | content | `{"ttl_ms":30000,"service":{…}}`, the service in go-micro's form with exactly one node |
/// | heartbeat | the file's modification time; the entry is over `ttl_ms` later |
/// | leaving | the file is removed |
///
/// A file is written beside its place and renamed into it, so nobody reads half of one; who writes in
/// another way is passed over until the file is whole, and reported when it stays broken. Files of the
/// dead are removed by whoever has seen them dead for nine more times to live. Files over 4 MiB are
/// not read.
///
/// Clones share what they have read.
#[derive(Debug, Clone)]
pub struct FileRegistry {
    folder: Arc<PathBuf>,
    rescan: Duration,
    /// What [`Registry::list`] has read so far, so that it reads only what changed.
    listed: Arc<Mutex<Scan>>,
}

impl FileRegistry {
    /// The registry in this folder, which is made when it is missing, with access for this user only.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the folder cannot be made.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        // Absolute, or the registry would move with the working directory. One `mkdir` at the start
        // of a program is no reason to be async.
        let made = std::path::absolute(folder).and_then(|path| place::make(&path).map(|()| path));
        let folder = Arc::new(made.map_err(|source| unavailable(folder, source))?);
        let listed = Arc::new(Mutex::new(Scan::new(folder.clone())));
        Ok(Self { folder, rescan: RESCAN, listed })
    }

    /// The registry of this user on this machine: `$XDG_RUNTIME_DIR/micro/registry`, or, where there
    /// is no such folder, `micro-<uid>/registry` in the folder for temporary files.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the folder cannot be made, or somebody else made it first.
    pub fn open_default() -> Result<Self> {
        let folder = place::default().map_err(|(path, source)| unavailable(&path, source))?;
        Self::open(folder)
    }

    /// Looks at every file this often instead of twice a second. The system still reports most
    /// changes at once; expiry is only seen here.
    #[must_use]
    pub fn with_rescan(mut self, every: Duration) -> Self {
        self.rescan = every;
        self
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Files are read and written on a thread where waiting is allowed: the folder may be on a slow
    /// or remote disk.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let folder = self.folder.clone();
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        done.unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
            .map_err(|source| unavailable(&self.folder, source))
    }
}

impl Registry for FileRegistry {
    fn register<'a>(&'a self, instance: &'a Instance, ttl: Duration) -> BoxFuture<'a, Result<()>> {
        async move {
            let name = file_name(instance)?;
            let content = entry::encode(instance, ttl)?;
            self.blocking(move |folder| entry::put(folder, &name, &content)).await
        }
        .boxed()
    }

    fn deregister<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<()>> {
        async move {
            let name = file_name(instance)?;
            self.blocking(move |folder| entry::remove(&folder.join(name))).await
        }
        .boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Arc<Instance>>>> {
        let listed = self.listed.clone();
        let look = move |_: &Path| {
            let mut scan = listed.lock();
            scan.all()?; // problems are logged there; a list has no place for them
            Ok(scan.alive())
        };
        self.blocking(look).boxed()
    }

    fn watch(&self) -> Events {
        watch::events(self.folder.clone(), self.rescan)
    }
}

fn file_name(instance: &Instance) -> Result<String> {
    instance.check()?;
    entry::file_name(&instance.node.id).ok_or_else(|| Error::InvalidRecord {
        service: instance.name.clone(),
        reason: "its node id is too long for a file name".to_owned(),
    })
}

fn unavailable(folder: &Path, source: io::Error) -> Error {
    Error::Unavailable { place: folder.display().to_string(), source }
}
