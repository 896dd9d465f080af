//! A log in a SQLite database, as a stream of a store.

use std::{
    ffi::OsString,
    fs::File,
    future::Future,
    io,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake},
    thread::{self, Thread},
};

use bytes::Bytes;
use micro_store::{Expect, Location, Store};

use super::{
    folder::{damaged, lock, resume},
    sink::{AuditSink, Resumed},
};

/// The stream of the lines, and the key of the newest checkpoint.
pub(super) const STREAM: &str = "audit";
pub(super) const KEPT: &str = "audit/checkpoint";

/// A database whose log this process alone writes.
pub(super) struct Database {
    store: Store,
    empty: bool,
    /// Held until the process ends, however it ends.
    _lock: File,
}

impl Database {
    pub(super) fn open(path: &Path) -> io::Result<(Self, Resumed)> {
        let store = Location::Sqlite(path.to_owned()).open().map_err(io::Error::other)?;
        let lock = lock(&beside(path, ".lock"))?;
        let mut resumed = Resumed::default();
        let (log, keys) = (store.log(), store.keys());
        let last = wait(log.last(STREAM)).map_err(io::Error::other)?;
        // Lines since the newest checkpoint, and that one: those of about a second.
        let first = wait(log.read(STREAM, 0, 1)).map_err(io::Error::other)?;
        let tail = wait(log.read(STREAM, last.saturating_sub(1000), 1001)).map_err(io::Error::other)?;
        let kept = wait(keys.get(KEPT)).map_err(io::Error::other)?;
        if last > 0 {
            let text: Vec<u8> = first.iter().chain(&tail).flat_map(|(_, line)| [line, &b"\n"[..]].concat()).collect();
            resume(&mut resumed, &text, kept.as_ref().map(|kept| &*kept.value)).ok_or_else(|| damaged(path))?;
        }
        Ok((Self { store, empty: last == 0, _lock: lock }, resumed))
    }
}

impl AuditSink for Database {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let entries = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let entries: Vec<_> = entries.map(Bytes::copy_from_slice).collect();
        wait(self.store.log().append(STREAM, entries)).map_err(io::Error::other)?;
        self.empty = false;
        Ok(())
    }

    fn keep(&mut self, checkpoint: &[u8]) -> io::Result<()> {
        let checkpoint = Bytes::copy_from_slice(checkpoint);
        wait(self.store.keys().put(KEPT, checkpoint, None, Expect::Any)).map(drop).map_err(io::Error::other)
    }

    /// One segment is enough.
    fn is_full(&self) -> bool {
        self.empty
    }

    fn begin_segment(&mut self, _: u64, line: &[u8]) -> io::Result<()> {
        self.append(line)
    }

    fn is_slow(&self) -> bool {
        true
    }
}

/// A file beside the database.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// Waits on this thread: the store's own threads do the work, and none of the runtime is needed for it.
pub(super) fn wait<T>(work: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut work = pin!(work);
    loop {
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => thread::park(),
        }
    }
}
