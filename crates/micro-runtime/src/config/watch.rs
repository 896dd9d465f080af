//! Hears of a file that was written again.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// Hears when a file is written, replaced or made, and on SIGHUP.
///
/// Editors and Kubernetes replace a file rather than write it, so its folder is watched; what is pointed to from
/// elsewhere is told by SIGHUP.
pub struct Watch {
    events: mpsc::Receiver<()>,
    hangup: Option<tokio::signal::unix::Signal>,
    /// Ends the watch when dropped.
    _watcher: Option<RecommendedWatcher>,
}

/// Writing a file is several events; what follows within this time belongs to the first.
const SETTLE: Duration = Duration::from_millis(50);

impl Watch {
    /// Watches a file, which need not be there yet. A folder that cannot be watched is told in the log, and leaves
    /// SIGHUP.
    pub fn file(path: &Path) -> Self {
        let (tell, events) = mpsc::channel(1);
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let name = path.file_name().map(ToOwned::to_owned);
        let heard = move |event: notify::Result<notify::Event>| {
            let ours = event.is_ok_and(|event| {
                let written = !event.kind.is_access() && !event.kind.is_remove();
                // Kubernetes points a link of the folder, `..data`, to another state.
                let named = |path: &PathBuf| path.file_name() == name.as_deref() || path.ends_with("..data");
                written && event.paths.iter().any(named)
            });
            if ours {
                let _ = tell.try_send(()); // full: it is told already
            }
        };
        let watcher = notify::recommended_watcher(heard).and_then(|mut watcher| {
            watcher.watch(&folder, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        let hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
        Self {
            events,
            hangup: hangup.ok(),
            _watcher: watcher
                .inspect_err(|error| tracing::warn!(%error, folder = %folder.display(), "config folder not watched"))
                .ok(),
        }
    }

    /// Returns when the file was written again since the last time, or SIGHUP came.
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
