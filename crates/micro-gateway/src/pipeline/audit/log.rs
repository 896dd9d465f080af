//! Lines to a file, so that a line is written when its writer goes on.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// A file that many calls append to at once.
///
/// Whoever comes while nobody writes, writes, with no hand-over to another thread; who comes meanwhile
/// leaves the line to be written with the next batch and waits for it. When a batch takes so long that
/// lines gather, a thread of its own takes over, so a slow disk holds no runtime thread for long.
/// Nothing is dropped: what is bounded is that every call waits for its own line.
pub(super) struct Log {
    path: PathBuf,
    file: File,
    state: Mutex<State>,
    written: Notify,
}

#[derive(Default)]
struct State {
    /// Lines that wait for the next batch.
    lines: Vec<u8>,
    writing: bool,
    /// Batches begun and batches written.
    begun: u64,
    done: u64,
}

impl Log {
    /// Opens a file for appending, made with its owner's rights only.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        Ok(Self { path: path.to_owned(), file, state: Mutex::default(), written: Notify::new() })
    }

    /// Appends a line and returns when it is in the file.
    pub(super) async fn append(self: &Arc<Self>, line: &[u8]) {
        let batch = self.enter(line);
        self.wait(batch).await;
    }

    /// Appends a line that nobody waits for.
    pub(super) fn note(self: &Arc<Self>, line: &[u8]) {
        self.enter(line);
    }

    /// Returns when everything handed in so far is in the file.
    pub(super) async fn settled(&self) {
        let last = {
            let state = self.state.lock();
            state.begun + u64::from(!state.lines.is_empty())
        };
        self.wait(last).await;
    }

    /// Takes a line; writes it unless someone is writing. The number of its batch.
    fn enter(self: &Arc<Self>, line: &[u8]) -> u64 {
        let mut state = self.state.lock();
        if state.writing {
            state.lines.extend_from_slice(line);
            return state.begun + 1;
        }
        state.writing = true;
        state.begun += 1;
        let batch = state.begun;
        drop(state);
        self.write(line);
        if self.finish(batch) {
            let log = self.clone();
            match tokio::runtime::Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn_blocking(move || log.drain())),
                Err(_) => log.drain(),
            }
        }
        batch
    }

    /// Writes batch after batch until no line is left.
    fn drain(&self) {
        loop {
            let (lines, batch) = {
                let mut state = self.state.lock();
                state.begun += 1;
                (std::mem::take(&mut state.lines), state.begun)
            };
            self.write(&lines);
            if !self.finish(batch) {
                return;
            }
        }
    }

    /// Notes that a batch is written. Whether lines gathered meanwhile, which the caller must see to.
    fn finish(&self, batch: u64) -> bool {
        let mut state = self.state.lock();
        state.done = batch;
        state.writing = !state.lines.is_empty();
        let more = state.writing;
        drop(state);
        self.written.notify_waiters();
        more
    }

    fn write(&self, lines: &[u8]) {
        // One write a batch, so that lines of several processes do not mix.
        if let Err(error) = (&self.file).write_all(lines) {
            tracing::error!(%error, path = %self.path.display(), "audit records lost");
        }
    }

    async fn wait(&self, batch: u64) {
        loop {
            let written = self.written.notified(); // counts from here on
            if self.state.lock().done >= batch {
                return;
            }
            written.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn every_line_is_in_the_file_when_its_writer_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = Arc::new(Log::open(&path).unwrap());
        let writers = (0..64).map(|writer| {
            let (log, path) = (log.clone(), path.clone());
            tokio::spawn(async move {
                for n in 0..50 {
                    let line = format!("{writer}-{n}\n");
                    log.append(line.as_bytes()).await;
                    let text = std::fs::read_to_string(&path).unwrap();
                    assert!(text.split_inclusive('\n').any(|found| found == line), "{line} is missing");
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 64 * 50);
    }

    #[tokio::test]
    async fn what_nobody_waited_for_is_written_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = Arc::new(Log::open(&path).unwrap());
        for _ in 0..100 {
            log.note(b"x\n");
        }
        log.settled().await;
        assert_eq!(std::fs::read_to_string(&path).unwrap().len(), 200);
    }
}
