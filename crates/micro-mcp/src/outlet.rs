//! The way of notifications from a running request to its stream.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{ask::Notes, session::Session};

/// What a request says before its reply.
#[derive(Debug)]
pub(crate) enum Said {
    /// A message to send at once.
    Message(Vec<u8>),
    /// The client may go, and come back after this long for the rest. Means something on streams
    /// that can be resumed only.
    Close(Duration),
}

/// Notifications waiting to be sent, at most [`Outlet::CAPACITY`]; a faster writer waits.
///
/// One per request and shared by nobody else, so its lock is never contended on the way of a call.
/// While unused it owns no memory of its own.
///
/// An element of a batch has one of its own, so that it can be cancelled alone, and speaks through that
/// of the batch.
#[derive(Debug, Default)]
pub(crate) struct Outlet {
    state: Mutex<State>,
    batch: Option<Arc<Outlet>>,
    /// What the request asked; it lives here because this is there already, and everything of the
    /// request has it.
    notes: Notes,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Said>,
    /// Nobody reads any more: what is written is dropped.
    closed: bool,
    cancelled: bool,
    /// The legacy session that the client can come back to, and the places for calls whose client left.
    outlives: Option<(Session, Arc<Semaphore>)>,
    reader: Option<Waker>,
    writers: Vec<Waker>,
}

impl Outlet {
    const CAPACITY: usize = 64;

    /// An outlet nobody reads.
    pub(crate) fn nowhere() -> Arc<Self> {
        let state = State { closed: true, ..State::default() };
        Arc::new(Self { state: Mutex::new(state), ..Self::default() })
    }

    /// The outlet of one element of a batch.
    pub(crate) fn element(batch: &Arc<Self>) -> Self {
        Self { batch: Some(batch.clone()), ..Self::default() }
    }

    /// What leads to the client.
    fn way_out(&self) -> &Mutex<State> {
        self.batch.as_ref().map_or(&self.state, |batch| &batch.state)
    }

    /// Queues the message that `write` makes, unless nobody would read it.
    pub(crate) async fn send_with(&self, write: impl FnOnce() -> Vec<u8>) {
        if !self.way_out().lock().closed {
            self.send(Said::Message(write())).await;
        }
    }

    /// Says that the client may go for a while.
    pub(crate) async fn close_stream(&self, retry: Duration) {
        self.send(Said::Close(retry)).await;
    }

    /// What the request asked and was given.
    pub(crate) fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Whether nobody reads.
    pub(crate) fn is_closed(&self) -> bool {
        self.way_out().lock().closed
    }

    /// Queues one message if there is room for it.
    pub(crate) fn try_send(&self, message: Vec<u8>) {
        let mut state = self.way_out().lock();
        if !state.closed && state.queue.len() < Self::CAPACITY {
            state.queue.push_back(Said::Message(message));
            if let Some(reader) = state.reader.take() {
                reader.wake();
            }
        }
    }

    /// Queues one thing to say, waiting while the queue is full.
    async fn send(&self, said: Said) {
        let mut said = Some(said);
        poll_fn(|cx| {
            let mut state = self.way_out().lock();
            if state.closed {
                return Poll::Ready(());
            }
            if state.queue.len() >= Self::CAPACITY {
                state.writers.push(cx.waker().clone());
                return Poll::Pending;
            }
            state.queue.extend(said.take());
            if let Some(reader) = state.reader.take() {
                reader.wake();
            }
            Poll::Ready(())
        })
        .await;
    }

    /// What is to be said next; `None` while there is none, and the reader will be woken when there is.
    pub(crate) fn poll_next(&self, cx: &Context<'_>) -> Option<Said> {
        let mut state = self.state.lock();
        let said = state.queue.pop_front();
        if said.is_some() {
            state.writers.drain(..).for_each(Waker::wake);
        } else if !state.reader.as_ref().is_some_and(|reader| reader.will_wake(cx.waker())) {
            state.reader = Some(cx.waker().clone());
        }
        said
    }

    /// What is queued now, without waiting for more.
    pub(crate) fn pop(&self) -> Option<Said> {
        self.state.lock().queue.pop_front()
    }

    /// Drops what is queued and all that will be.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.queue = VecDeque::new();
        state.writers.drain(..).for_each(Waker::wake);
    }

    /// Asks the reader to give the request up.
    pub(crate) fn cancel(&self) {
        let mut state = self.state.lock();
        state.cancelled = true;
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }

    /// Resolves when it is asked for. For one waiter, and not beside [`Outlet::poll_next`].
    pub(crate) async fn cancelled(&self) {
        poll_fn(|cx| {
            let mut state = self.state.lock();
            if state.cancelled {
                return Poll::Ready(());
            }
            state.reader = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.state.lock().cancelled
    }

    /// From now on a client that goes away does not end the request, if there is a place left: with the
    /// session's id it can come back.
    pub(crate) fn outlive_client(&self, session: Session, places: &Arc<Semaphore>) {
        self.way_out().lock().outlives = Some((session, places.clone()));
    }

    /// The legacy session of the request, when it has an id.
    pub(crate) fn session(&self) -> Option<Session> {
        self.state.lock().outlives.as_ref().map(|(session, _)| *session)
    }

    /// The place in which to go on without a client, given once; a cancelled request has none.
    pub(crate) fn take_place(&self) -> Option<OwnedSemaphorePermit> {
        let mut state = self.state.lock();
        let (_, places) = state.outlives.take().filter(|_| !state.cancelled)?;
        places.try_acquire_owned().ok()
    }
}
