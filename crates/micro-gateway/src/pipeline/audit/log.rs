//! Lines to a file, so that a line is written, or known to be lost, when its writer goes on.

use std::{
    borrow::Cow,
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

/// A file that many calls append to at once.
///
/// Whoever comes while nobody writes, writes, with no hand-over to another thread; who comes meanwhile
/// leaves the line to be written with the next batch and waits for it. When lines gather, or the last write
/// took long, a thread of its own writes, so a slow disk holds one runtime thread once.
///
/// Lines that somebody waits for are never dropped, and bounded by the calls that wait. Of others only so many
/// wait. What is lost, for want of room here or on the disk, is counted, and the next line that can be written
/// says how many there were.
pub(super) struct Log {
    path: PathBuf,
    file: File,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is written next.
    next: Batch,
    writing: bool,
    /// The last write took long.
    slow: bool,
    trouble: Trouble,
}

/// What is wrong with the file.
#[derive(Debug, Clone, Copy, Default)]
struct Trouble {
    /// Lines that are not in it, and it does not say so.
    lost: u64,
    /// Its last line has no end.
    torn: bool,
}

/// Lines that are written together.
#[derive(Default)]
struct Batch {
    lines: Vec<u8>,
    /// Bytes of those that nobody waits for.
    noted: usize,
    written: watch::Sender<Option<Outcome>>,
}

/// Whether a line is in the file.
pub(super) type Outcome = Result<(), Lost>;

/// A line is not in the file; why is in the log of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost;

/// Bytes of lines that nobody waits for, while they wait for others to be written.
const MAX_NOTED: usize = 1 << 20;
/// A write that takes longer is one for a thread of its own.
const SLOW: Duration = Duration::from_millis(2);

impl Log {
    /// Opens a file for appending, made with its owner's rights only.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        Ok(Self { path: path.to_owned(), file, state: Mutex::default() })
    }

    /// Appends a line and returns when it is in the file.
    pub(super) async fn append(self: &Arc<Self>, line: &[u8]) -> Outcome {
        let mut written = {
            let mut state = self.state.lock();
            if state.is_free() {
                return self.write_now(state, line);
            }
            state.next.lines.extend_from_slice(line);
            let written = state.next.written.subscribe();
            self.see_to(state);
            written
        };
        let outcome = written.wait_for(Option::is_some).await.ok().and_then(|outcome| *outcome);
        outcome.unwrap_or(Err(Lost)) // the thread that was to write is gone
    }

    /// Appends a line that nobody waits for, if there is room for it.
    pub(super) fn note(self: &Arc<Self>, line: &[u8]) {
        let mut state = self.state.lock();
        if state.is_free() {
            let _ = self.write_now(state, line); // counted, and said in the log
        } else if state.next.noted + line.len() > MAX_NOTED {
            state.trouble.lost += 1;
        } else {
            state.next.noted += line.len();
            state.next.lines.extend_from_slice(line);
            self.see_to(state);
        }
    }

    /// Returns when everything handed in so far was written, or lost.
    pub(super) async fn settled(self: &Arc<Self>) {
        let _ = self.append(b"").await; // nothing, behind everything else
    }

    fn write_now(self: &Arc<Self>, mut state: MutexGuard<'_, State>, line: &[u8]) -> Outcome {
        state.writing = true;
        let before = state.trouble;
        drop(state);
        let (outcome, mut state) = self.write(line, before);
        state.writing = false;
        if state.next.is_wanted() {
            self.see_to(state);
        }
        outcome
    }

    /// Has somebody write what waits.
    fn see_to(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if std::mem::replace(&mut state.writing, true) {
            return; // who writes now sees to it
        }
        drop(state);
        let log = self.clone();
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || log.write_all())),
            Err(_) => log.write_all(),
        }
    }

    /// Writes batch after batch until nothing waits.
    fn write_all(&self) {
        let mut state = self.state.lock();
        while state.next.is_wanted() {
            let batch = std::mem::take(&mut state.next);
            let before = state.trouble;
            drop(state);
            let outcome;
            (outcome, state) = self.write(&batch.lines, before);
            batch.written.send_replace(Some(outcome));
        }
        state.writing = false;
    }

    /// Writes lines at once, so that those of several processes do not mix, and before them what was lost.
    fn write(&self, lines: &[u8], before: Trouble) -> (Outcome, MutexGuard<'_, State>) {
        let began = Instant::now();
        let text = before.told_before(lines);
        let (rest, error) = self.write_bytes(&text);
        let slow = began.elapsed() > SLOW;
        match &error {
            Some(error) if before.lost == 0 => {
                tracing::error!(%error, path = %self.path.display(), "audit records cannot be written");
            }
            None if before.lost > 0 => {
                tracing::warn!(lost = before.lost, path = %self.path.display(), "audit records were lost");
            }
            _ => {}
        }
        let told = rest.len() <= lines.len();
        let lost = if told { rest } else { lines };
        let mut state = self.state.lock();
        state.slow = slow;
        state.trouble.lost -= if told { before.lost } else { 0 };
        state.trouble.lost += lost.iter().filter(|byte| **byte == b'\n').count() as u64;
        state.trouble.torn = text[..text.len() - rest.len()].last().map_or(before.torn, |byte| *byte != b'\n');
        (error.map_or(Ok(()), |_| Err(Lost)), state)
    }

    /// What could not be written, and why.
    fn write_bytes<'a>(&self, mut text: &'a [u8]) -> (&'a [u8], Option<io::Error>) {
        while !text.is_empty() {
            match (&self.file).write(text) {
                Ok(0) => return (text, Some(ErrorKind::WriteZero.into())),
                Ok(written) => text = &text[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return (text, Some(error)),
            }
        }
        (text, None)
    }
}

impl Batch {
    /// Whether it holds lines, or somebody waits for what was before it.
    fn is_wanted(&self) -> bool {
        !self.lines.is_empty() || self.written.receiver_count() > 0
    }
}

impl State {
    /// Whether whoever comes may write at once.
    fn is_free(&self) -> bool {
        !self.writing && !self.slow
    }
}

impl Trouble {
    /// Lines behind what must be said first.
    fn told_before(self, lines: &[u8]) -> Cow<'_, [u8]> {
        let Self { lost, torn } = self;
        if !torn && lost == 0 {
            return Cow::Borrowed(lines);
        }
        let mut text = if torn { b"\n".to_vec() } else { Vec::new() };
        if lost > 0 {
            text.extend(format!("{{\"timestamp\":\"{}\",\"lost\":{lost}}}\n", Timestamp::now()).into_bytes());
        }
        text.extend_from_slice(lines);
        Cow::Owned(text)
    }
}

#[cfg(test)]
mod tests;
