//! What streams of legacy sessions have said, for clients that come back for the rest (2025-11-25,
//! `basic/transports`, "Resumability and Redelivery").
//!
//! A stream lives in the memory of the replica that runs its call. Plain JSON answers have none.

use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures_util::StreamExt;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{reader::Reader, sse::event};
use crate::{
    engine::Reply,
    outlet::Said,
    running::{Output, Running},
    seal,
    session::Session,
};

/// What is kept of streams for clients that come back with `Last-Event-ID`.
#[derive(Debug, Clone, Copy)]
pub struct Replay {
    /// Messages kept of one stream; the oldest go first. Default: 256.
    pub events: usize,
    /// Bytes kept of all streams together; one may have an eighth, and its newest message more. Beyond, ended
    /// streams are forgotten early, then what running ones have said, and new ones cannot be resumed. Default:
    /// 16 MiB. 0 turns it off.
    pub bytes: usize,
    /// How long a stream that ended is kept. Default: one minute.
    pub age: Duration,
    /// After how long clients are asked to come back (`retry`), unless a handler says. Default: one second.
    pub retry: Duration,
}

impl Default for Replay {
    fn default() -> Self {
        Self { events: 256, bytes: 16 << 20, age: Duration::from_secs(60), retry: Duration::from_secs(1) }
    }
}

/// The streams of an endpoint.
pub(super) struct Streams {
    limits: Replay,
    /// By the first byte of a stream's name, so that no lock is everyone's.
    shards: [Mutex<HashMap<Name, Arc<Recorded>>>; 16],
    bytes: AtomicUsize,
    /// Those that ended, oldest first. Locked when a call has ended, when one resumes, and when there is no room.
    ///
    /// The order of locks: the state of a stream that goes on, this, a shard, the state of a stream that ended.
    ended: Mutex<VecDeque<(Instant, Name)>>,
}

/// Nobody guesses a stream's name; and who knows it still needs its session.
type Name = [u8; 12];

/// One stream: what was said last, and who reads it.
pub(super) struct Recorded {
    name: Name,
    session: Session,
    streams: Arc<Streams>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// As sent, by number: 1 for the first message.
    events: VecDeque<(u64, Bytes)>,
    bytes: usize,
    said: u64,
    /// The last one the present reader took.
    taken: u64,
    /// Which connection reads. A later one takes over.
    turn: u64,
    reading: bool,
    /// The present connection ends behind this event, and the client comes back after this long.
    close: Option<(u64, Duration)>,
    ended: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What a stream costs without its messages, in bytes.
const OVERHEAD: usize = 512;
/// Messages a reader may be behind before the writer waits, if as many are kept.
const BEHIND: u64 = 64;

// === impl Streams ===

impl Streams {
    pub(super) fn new(limits: Replay) -> Arc<Self> {
        Arc::new(Self { limits, shards: Default::default(), bytes: AtomicUsize::new(0), ended: Mutex::default() })
    }

    /// Follows a call to its end on a task of its own, whether its client stays or not. What it has `said`
    /// already comes first.
    ///
    /// # Errors
    /// The call, given back, when there is no room.
    pub(super) fn follow(
        self: &Arc<Self>,
        session: Session,
        said: Said,
        mut running: Running,
    ) -> Result<Reader, Unkept> {
        let Some(recorded) = self.begin(session) else { return Err(Unkept(said, running)) };
        let reader = Reader::new(recorded.clone(), 0);
        tokio::spawn(async move {
            recorded.record(said).await;
            while let Some(output) = running.next().await {
                match output {
                    Output::Said(said) => recorded.record(said).await,
                    Output::Reply(Reply::Message(answer)) => {
                        recorded.record(Said::Message(answer.body.into_vec())).await;
                    }
                    Output::Reply(_) => {}
                }
            }
            recorded.end();
        });
        Ok(reader)
    }

    /// Goes on behind an event of a stream of this session; `None` for any other.
    pub(super) fn resume(&self, session: &Session, last_event_id: &str) -> Option<Reader> {
        let (name, number) = last_event_id.split_once('.')?;
        let name: Name = URL_SAFE_NO_PAD.decode(name).ok()?.try_into().ok()?;
        let number = number.parse().ok()?;
        self.forget(self.limits.bytes);
        let recorded = self.shard(&name).lock().get(&name).filter(|recorded| recorded.session.is(session))?.clone();
        let there = recorded.state.lock().goes_on_behind(number);
        there.then(|| Reader::new(recorded, number))
    }

    fn begin(self: &Arc<Self>, session: Session) -> Option<Arc<Recorded>> {
        if !self.has_room_for(OVERHEAD) {
            return None;
        }
        let name: Name = seal::random();
        self.bytes.fetch_add(OVERHEAD, Ordering::Relaxed);
        let recorded = Arc::new(Recorded { name, session, streams: self.clone(), state: Mutex::default() });
        self.shard(&name).lock().insert(name, recorded.clone());
        Some(recorded)
    }

    /// Whether so many bytes can be kept, if need be in the place of streams that ended.
    fn has_room_for(&self, bytes: usize) -> bool {
        let fits = || self.bytes.load(Ordering::Relaxed) + bytes <= self.limits.bytes;
        if !fits() && bytes <= self.limits.bytes {
            self.forget(self.limits.bytes - bytes);
        }
        fits()
    }

    /// Forgets ended streams that are too old, and then the oldest until no more than `bytes` are kept.
    fn forget(&self, bytes: usize) {
        let now = Instant::now();
        let mut all = self.ended.lock();
        while let Some((ended, name)) = all.front() {
            if now.duration_since(*ended) < self.limits.age && self.bytes.load(Ordering::Relaxed) <= bytes {
                break;
            }
            if let Some(recorded) = self.shard(name).lock().remove(name) {
                let freed = OVERHEAD + recorded.state.lock().bytes;
                self.bytes.fetch_sub(freed, Ordering::Relaxed);
            }
            all.pop_front();
        }
    }

    fn shard(&self, name: &Name) -> &Mutex<HashMap<Name, Arc<Recorded>>> {
        &self.shards[usize::from(name[0]) % self.shards.len()]
    }
}

/// A call whose stream cannot be kept, given back.
pub(super) struct Unkept(pub(super) Said, pub(super) Running);

// === impl Recorded ===

impl Recorded {
    /// Whether clients understand an event without data (since 2025-11-25).
    pub(super) fn primes(&self) -> bool {
        self.session.polls()
    }

    pub(super) fn retry(&self) -> Duration {
        self.streams.limits.retry
    }

    /// What a client names to go on behind an event.
    pub(super) fn id(&self, number: u64) -> String {
        format!("{}.{number}", URL_SAFE_NO_PAD.encode(self.name))
    }

    /// Notes what a call says, at the pace of a client that is there to read it.
    async fn record(&self, said: Said) {
        let message = match said {
            Said::Message(message) => message,
            Said::Close(retry) => {
                let mut state = self.state.lock();
                state.close = Some((state.said, retry));
                state.wake_reader();
                return;
            }
        };
        // What is kept must reach back to where the reader is.
        let most = BEHIND.min(self.streams.limits.events.max(1) as u64);
        poll_fn(|cx| {
            let mut state = self.state.lock();
            let behind = state.said - state.taken;
            let too_large = || state.bytes + message.len() > self.limit() || !self.streams.has_room_for(message.len());
            if state.reading && (behind >= most || (behind > 0 && too_large())) {
                state.writer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
        self.push(&message);
    }

    fn push(&self, message: &[u8]) {
        let mut state = self.state.lock();
        state.said += 1;
        let number = state.said;
        let event = event(Some(&self.id(number)), message);
        let room = self.streams.has_room_for(event.len());
        self.streams.bytes.fetch_add(event.len(), Ordering::Relaxed);
        state.bytes += event.len();
        state.events.push_back((number, event));
        // The newest stays, however large, while there is room or somebody reads: it may be the answer.
        let (most, least) = (self.streams.limits.events.max(1), usize::from(room || state.reading));
        while state.events.len() > least && (!room || state.events.len() > most || state.bytes > self.limit()) {
            let Some((_, event)) = state.events.pop_front() else { break };
            state.bytes -= event.len();
            self.streams.bytes.fetch_sub(event.len(), Ordering::Relaxed);
        }
        state.wake_reader();
    }

    fn limit(&self) -> usize {
        self.streams.limits.bytes / 8
    }

    fn end(&self) {
        {
            let mut state = self.state.lock();
            state.ended = true;
            state.wake_reader();
        }
        self.streams.ended.lock().push_back((Instant::now(), self.name));
        self.streams.forget(self.streams.limits.bytes);
    }

    /// Makes way for a new reader who has everything up to an event; its turn.
    pub(super) fn take_over(&self, last: u64) -> u64 {
        let mut state = self.state.lock();
        state.turn += 1;
        (state.reading, state.taken, state.close) = (true, last, None);
        state.wake_reader();
        state.wake_writer();
        state.turn
    }

    /// A reader leaves, unless another has taken over already.
    pub(super) fn leave(&self, turn: u64) {
        let mut state = self.state.lock();
        if state.turn == turn {
            state.reading = false;
            state.wake_writer();
        }
    }

    /// What comes behind an event.
    pub(super) fn poll_after(&self, turn: u64, last: u64, cx: &Context<'_>) -> Poll<Next> {
        let mut state = self.state.lock();
        if state.turn != turn {
            return Poll::Ready(Next::End);
        }
        let until = state.close.map_or(u64::MAX, |(until, _)| until);
        let first = state.events.front().map_or(0, |(number, _)| *number);
        let place = usize::try_from((last + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        if let Some((number, event)) = state.events.get(place).filter(|(number, _)| *number <= until).cloned() {
            state.taken = number;
            state.wake_writer();
            return Poll::Ready(Next::Event(number, event));
        }
        match state.close {
            Some((_, retry)) => Poll::Ready(Next::Close(retry)),
            None if state.ended => Poll::Ready(Next::End),
            None => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// What a reader does next.
pub(super) enum Next {
    /// Sends this event.
    Event(u64, Bytes),
    /// Leaves; the client is to come back after a while.
    Close(Duration),
    /// Leaves for good.
    End,
}

impl State {
    /// Whether a reader who has everything up to an event can be told what comes next.
    fn goes_on_behind(&self, number: u64) -> bool {
        number == self.said || (number < self.said && !self.events.is_empty())
    }

    fn wake_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn wake_writer(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }
}

#[cfg(test)]
mod tests;
