//! Hears of files that were written again.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

/// Hears when a file is written, replaced, made or removed, and on SIGHUP.
///
/// Editors and Kubernetes replace a file rather than write it, so its folder is watched; what is pointed to from
/// elsewhere is told by SIGHUP.
pub struct Watch {
    events: mpsc::Receiver<()>,
    hangup: Option<Signal>,
    /// Ends the watch when dropped.
    _watcher: Option<RecommendedWatcher>,
}

/// Writing a file is several events; what follows within this time belongs to the first.
const SETTLE: Duration = Duration::from_millis(50);

impl Watch {
    /// Watches files, which need not be there yet; a `*` in a name stands for anything. A folder that cannot be watched
    /// is told in the log, and leaves SIGHUP.
    pub fn files(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let (tell, events) = mpsc::channel(1);
        let (folders, names): (Vec<_>, Vec<_>) = files.into_iter().map(|file| (folder(&file), file)).unzip();
        let heard = move |event: notify::Result<notify::Event>| {
            let ours = event.is_ok_and(|event| {
                // Kubernetes points a link of the folder, `..data`, to another state.
                let named = |path: &PathBuf| path.ends_with("..data") || names.iter().any(|name| is_named(path, name));
                !event.kind.is_access() && event.paths.iter().any(named)
            });
            if ours {
                let _ = tell.try_send(()); // full: it is told already
            }
        };
        let watcher = notify::recommended_watcher(heard).inspect_err(|error| {
            tracing::warn!(%error, "config files not watched");
        });
        let mut watcher = watcher.ok();
        for folder in folders {
            let watched = watcher.as_mut().map(|watcher| watcher.watch(&folder, RecursiveMode::NonRecursive));
            if let Some(Err(error)) = watched {
                tracing::warn!(%error, folder = %folder.display(), "config folder not watched");
            }
        }
        let hangup = signal(SignalKind::hangup()).ok();
        Self { events, hangup, _watcher: watcher }
    }

    /// Returns when one of them was written again since the last time, or SIGHUP came.
    pub async fn changed(&mut self) {
        let Self { events, hangup, .. } = self;
        let hangup = async {
            match hangup {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(()) = events.recv() => {
                tokio::time::sleep(SETTLE).await;
                let _ = events.try_recv();
            }
            _ = hangup => {}
            else => std::future::pending().await,
        }
    }
}

fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether a path is of this name.
fn is_named(path: &Path, name: &Path) -> bool {
    let text = name.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match text.contains('*') {
        true => path.extension() == name.extension(),
        false => path.file_name() == name.file_name(),
    }
}
