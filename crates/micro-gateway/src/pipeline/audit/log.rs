//! Records into a log, so that one is written, or known to be lost, when its writer goes on.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use memchr::memchr_iter;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use super::chained::Chained;

/// A log that many calls append to at once.
///
/// Whoever comes while nobody writes, writes, with no hand-over to another thread; who comes meanwhile
/// leaves the record to be written with the next batch and waits for it. When records gather, or the last write
/// took long, a thread of its own writes, so a slow disk holds one runtime thread once.
///
/// Records that somebody waits for are never dropped, and bounded by the calls that wait. Of others only so many
/// wait. What is lost, for want of room here or on the disk, is counted, and the next line that can be written
/// says how many there were.
pub(super) struct Log {
    /// In words.
    place: String,
    /// Held by who writes, and nobody else asks for it.
    chained: Mutex<Chained>,
    /// Writing may always take long.
    slow_sink: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is written next.
    next: Batch,
    writing: bool,
    /// The last write took long.
    slow: bool,
    /// Records that are not in the log, and it does not say so.
    lost: u64,
    /// Something was written that no checkpoint signs.
    unsigned: bool,
}

/// Records that are written together, each a line of JSON with its newline.
#[derive(Default)]
struct Batch {
    records: Vec<u8>,
    /// Bytes of those that nobody waits for.
    noted: usize,
    /// A checkpoint is due behind them.
    sign: bool,
    written: watch::Sender<Option<Outcome>>,
}

/// Whether a record is in the log.
pub(super) type Outcome = Result<(), Lost>;

/// A record is not in the log; why is in the log of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost;

/// Bytes of records that nobody waits for, while they wait for others to be written.
const MAX_NOTED: usize = 1 << 20;
/// A write that takes longer is one for a thread of its own.
const SLOW: Duration = Duration::from_millis(2);
/// Records that are given to the sink at once.
const AT_ONCE: usize = 500;

impl Log {
    pub(super) fn new(place: String, chained: Chained) -> Self {
        let slow_sink = chained.is_slow();
        // That this gateway began is not written yet.
        let state = State { unsigned: true, ..State::default() };
        Self { place, chained: Mutex::new(chained), slow_sink, state: Mutex::new(state) }
    }

    /// Appends a record and returns when it is in the log.
    pub(super) async fn append(self: &Arc<Self>, record: &[u8]) -> Outcome {
        self.hand_in(record, false).await
    }

    /// Appends a last record and signs the log.
    pub(super) async fn finish(self: &Arc<Self>, record: &[u8]) -> Outcome {
        self.hand_in(record, true).await
    }

    async fn hand_in(self: &Arc<Self>, record: &[u8], sign: bool) -> Outcome {
        let mut written = {
            let mut state = self.state.lock();
            if self.is_free(&state) && !sign {
                return self.write_now(state, record);
            }
            state.next.records.extend_from_slice(record);
            state.next.sign |= sign;
            let written = state.next.written.subscribe();
            self.see_to(state);
            written
        };
        let outcome = written.wait_for(Option::is_some).await.ok().and_then(|outcome| *outcome);
        outcome.unwrap_or(Err(Lost)) // the thread that was to write is gone
    }

    /// Appends a record that nobody waits for, if there is room for it.
    pub(super) fn note(self: &Arc<Self>, record: &[u8]) {
        let mut state = self.state.lock();
        if self.is_free(&state) {
            let _ = self.write_now(state, record); // counted, and said in the log
        } else if state.next.noted + record.len() > MAX_NOTED {
            state.lost += 1;
        } else {
            state.next.noted += record.len();
            state.next.records.extend_from_slice(record);
            self.see_to(state);
        }
    }

    /// Has what is there signed, soon, if that is not done.
    pub(super) fn sign(self: &Arc<Self>) {
        let mut state = self.state.lock();
        if state.unsigned {
            state.next.sign = true;
            self.see_to(state);
        }
    }

    /// Whether whoever comes may write at once.
    fn is_free(&self, state: &State) -> bool {
        !state.writing && !state.slow && !self.slow_sink
    }

    fn write_now(self: &Arc<Self>, mut state: MutexGuard<'_, State>, record: &[u8]) -> Outcome {
        state.writing = true;
        let lost = state.lost;
        drop(state);
        let (outcome, mut state) = self.write(record, lost, false);
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
            let lost = state.lost;
            drop(state);
            let outcome;
            (outcome, state) = self.write(&batch.records, lost, batch.sign);
            batch.written.send_replace(Some(outcome));
        }
        state.writing = false;
    }

    /// Writes records, and before them how many were lost.
    fn write(&self, records: &[u8], lost: u64, sign: bool) -> (Outcome, MutexGuard<'_, State>) {
        let began = Instant::now();
        let written = self.write_pieces(records, lost, sign);
        let slow = began.elapsed() > SLOW;
        match &written {
            Err((error, _)) if lost == 0 => {
                tracing::error!(%error, log = self.place, "audit records cannot be written");
            }
            Ok(()) if lost > 0 => tracing::warn!(lost, log = self.place, "audit records were lost"),
            _ => {}
        }
        let mut state = self.state.lock();
        state.slow = slow;
        state.unsigned = !sign || written.is_err();
        match written {
            Ok(()) => {
                state.lost -= lost;
                (Ok(()), state)
            }
            Err((_, Unwritten { records, told })) => {
                state.lost += records;
                state.lost -= if told { lost } else { 0 };
                (Err(Lost), state)
            }
        }
    }

    /// Gives the sink not too much at once.
    fn write_pieces(&self, mut records: &[u8], mut lost: u64, sign: bool) -> Result<(), (io::Error, Unwritten)> {
        let mut chained = self.chained.lock();
        let mut told = false;
        loop {
            let (piece, rest) = records.split_at(ends(records).nth(AT_ONCE - 1).unwrap_or(records.len()));
            if let Err(error) = chained.write(lines(piece), lost, sign && rest.is_empty()) {
                return Err((error, Unwritten { records: ends(records).count() as u64, told }));
            }
            if rest.is_empty() {
                return Ok(());
            }
            (records, lost, told) = (rest, 0, true);
        }
    }
}

/// Where each record ends.
fn ends(records: &[u8]) -> impl Iterator<Item = usize> {
    memchr_iter(b'\n', records).map(|at| at + 1)
}

/// Records without their newlines.
fn lines(records: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut begin = 0;
    ends(records).map(move |end| &records[std::mem::replace(&mut begin, end)..end - 1])
}

/// What a failed write left over.
struct Unwritten {
    records: u64,
    /// The log says how many were lost before.
    told: bool,
}

impl Batch {
    /// Whether it holds something to do, or somebody waits for what was before it.
    fn is_wanted(&self) -> bool {
        !self.records.is_empty() || self.sign || self.written.receiver_count() > 0
    }
}

#[cfg(test)]
mod tests;
