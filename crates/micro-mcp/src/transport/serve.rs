//! A server at one end of a pipe, both eras side by side.

use std::{
    future::poll_fn,
    io,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt, stream::SelectAll};
use micro_mcp_proto::{RpcError, write};
use micro_runtime::Drain;
use parking_lot::Mutex;

use super::Pipe;
use crate::{
    Handler, KeyRing, Transport,
    engine::{Caller, Engine, Reply, Source, legacy_changes},
    outlet::{Outlet, Said},
    running::{Messages, Output, Running},
    session::{Session, Sessions},
};

/// Calls in flight; beyond, the client waits in its pipe.
const MAX_RUNNING: usize = 4096;

/// Serves the client at the other end until it closes the pipe, then lets the calls in flight finish; those
/// that wait for an answer of the client are told that none comes.
///
/// A drain ends the reading as the end of input does. Calls run side by side within this future; none has a
/// task of its own.
///
/// # Errors
/// When reading or writing fails. A client that went away is no error.
pub async fn serve(handler: Arc<dyn Handler>, pipe: Pipe, drain: Drain) -> io::Result<()> {
    serve_caller(handler, pipe, drain, Caller::default()).await
}

/// The same, when more is known of the client.
pub(crate) async fn serve_caller(
    handler: Arc<dyn Handler>,
    pipe: Pipe,
    drain: Drain,
    caller: Caller,
) -> io::Result<()> {
    match Serving::new(handler, pipe, drain.child(), caller).run().await {
        Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => Ok(()),
        ended => ended,
    }
}

/// One client being served.
struct Serving {
    engine: Arc<Engine>,
    session: Arc<Mutex<Option<Session>>>,
    caller: Arc<Caller>,
    pipe: Pipe,
    running: SelectAll<Messages>,
    /// Input may still come.
    reading: bool,
    /// Something was written that may not have gone out.
    dirty: bool,
    /// Input was first last time: whoever has much to say does not keep his own calls from running.
    calls_first: bool,
}

/// What happens next on a pipe.
enum Event {
    Message(Bytes),
    TooLong(io::Error),
    /// Nothing more is read.
    End,
    /// The client is gone, or can at least say nothing more.
    Gone,
    /// A call said something, or ended.
    Said(Option<Vec<u8>>),
    Flushed,
}

impl Serving {
    fn new(handler: Arc<dyn Handler>, pipe: Pipe, drain: Drain, caller: Caller) -> Self {
        // Nothing is sealed on a pipe; what is used is the table of running requests.
        let sessions = Arc::new(Sessions::new(KeyRing::random(), Duration::ZERO));
        Self {
            engine: Arc::new(Engine { handler, sessions, drain }),
            session: Arc::default(),
            caller: Arc::new(caller),
            pipe,
            running: SelectAll::new(),
            reading: true,
            dirty: false,
            calls_first: false,
        }
    }

    async fn run(mut self) -> io::Result<()> {
        let drain = self.engine.drain.clone();
        let mut begun = pin!(drain.begun());
        let mut listens = false;
        while self.reading || !self.running.is_empty() || self.dirty {
            let event = poll_fn(|cx| match self.poll(cx)? {
                Poll::Pending if self.reading && begun.as_mut().poll(cx).is_ready() => Poll::Ready(Ok(Event::End)),
                polled => polled.map(Ok::<_, io::Error>),
            });
            match event.await? {
                Event::Message(message) => self.message(message).await?,
                Event::TooLong(error) => {
                    let error = RpcError::invalid_request(format!("Invalid request: {error}"));
                    self.say(write::error(None, &error)).await?;
                }
                Event::Said(said) => {
                    if let Some(message) = said {
                        self.say(message).await?;
                    }
                }
                Event::Flushed => self.dirty = false,
                Event::End => self.end(),
                Event::Gone => {
                    // Only standard output can outlive the input: there calls in flight may finish.
                    if self.caller.transport != Transport::Stdio {
                        self.running.clear();
                    }
                    self.end();
                }
            }
            // Legacy clients hear of changes unasked, once they have initialized.
            let initialized = if listens { None } else { *self.session.lock() };
            if let Some(session) = initialized {
                listens = true;
                self.running.push(Messages::Stream(legacy_changes(&self.engine, session)));
            }
        }
        let _ = self.pipe.sink.close().await; // who has gone needs no goodbye
        Ok(())
    }

    /// Without input nobody cancels listeners or answers questions any more.
    fn end(&mut self) {
        self.reading = false;
        self.engine.drain.begin();
        self.engine.sessions.asks.close();
    }

    /// Input and calls in turn; what was said goes out when neither has anything.
    fn poll(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<Event>> {
        if self.calls_first && !self.running.is_empty() {
            self.calls_first = false;
            if let Poll::Ready(said) = self.running.poll_next_unpin(cx) {
                return Ok(Poll::Ready(Event::Said(said)));
            }
        }
        // Nothing is read that could not be answered.
        if self.reading && self.running.len() < MAX_RUNNING && self.pipe.sink.as_mut().poll_ready(cx)?.is_ready() {
            self.calls_first = true;
            match self.pipe.stream.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(message))) => return Ok(Poll::Ready(Event::Message(message))),
                Poll::Ready(Some(Err(error))) if error.kind() == io::ErrorKind::InvalidData => {
                    return Ok(Poll::Ready(Event::TooLong(error)));
                }
                Poll::Ready(Some(Err(error))) => return Err(error),
                Poll::Ready(None) => return Ok(Poll::Ready(Event::Gone)),
                Poll::Pending => {}
            }
        }
        if !self.running.is_empty()
            && let Poll::Ready(said) = self.running.poll_next_unpin(cx)
        {
            return Ok(Poll::Ready(Event::Said(said)));
        }
        if self.dirty && self.pipe.sink.as_mut().poll_flush(cx)?.is_ready() {
            return Ok(Poll::Ready(Event::Flushed));
        }
        Ok(Poll::Pending)
    }

    async fn message(&mut self, message: Bytes) -> io::Result<()> {
        let outlet = Arc::new(Outlet::default());
        let source = Source::Pipe { session: self.session.clone(), caller: self.caller.clone() };
        let exchange = self.engine.clone().exchange(source, message, outlet.clone());
        let mut call = Running::new(outlet, exchange);
        // Most calls are done at once and need no place among those that wait.
        match call.next().now_or_never() {
            None => self.running.push(Messages::Running(call)),
            Some(Some(Output::Said(said))) => {
                self.running.push(Messages::Running(call));
                if let Said::Message(message) = said {
                    self.say(message).await?;
                }
            }
            Some(Some(Output::Reply(Reply::Message(answer)))) => self.say(answer.body.into_vec()).await?,
            Some(Some(Output::Reply(Reply::Listen(messages)))) => self.running.push(Messages::Stream(messages)),
            Some(Some(Output::Reply(Reply::Accepted | Reply::Silence)) | None) => {}
        }
        Ok(())
    }

    async fn say(&mut self, message: Vec<u8>) -> io::Result<()> {
        self.dirty = true;
        self.pipe.sink.feed(message.into()).await
    }
}
