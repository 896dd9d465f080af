//! Requests side by side on one pipe: what comes back is sorted by ids and tokens.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::{FutureExt, SinkExt, StreamExt, TryStreamExt, stream};
use micro_mcp_proto::{Message, Revision, parse};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    Error,
    exchange::{Exchange, Messages, Outgoing},
};
use crate::transport::{MessageSink, MessageStream, Pipe};

/// Messages that wait to be written; beyond, senders wait.
const UNSENT: usize = 256;
/// Notifications of one request that nobody has taken yet; beyond, they are lost.
const UNREAD: usize = 1024;

/// An exchange over one pipe. Its one task ends with the pipe, or when this is dropped.
pub(crate) struct Piped {
    shared: Arc<Shared>,
    unasked: Mutex<Option<mpsc::Receiver<Bytes>>>,
}

struct Shared {
    out: mpsc::Sender<Bytes>,
    waiting: Mutex<Waiting>,
    /// Asks the task to close the pipe.
    closing: CancellationToken,
    /// The pipe is closed.
    closed: CancellationToken,
}

/// Who waits for what.
#[derive(Default)]
struct Waiting {
    ended: bool,
    requests: HashMap<u64, Request>,
}

struct Request {
    notifications: mpsc::Sender<Bytes>,
    answer: oneshot::Sender<Bytes>,
}

impl Piped {
    pub(crate) fn new(pipe: Pipe) -> Self {
        let (out, unsent) = mpsc::channel(UNSENT);
        let (unasked, heard) = mpsc::channel(UNREAD);
        let (closing, closed) = (CancellationToken::new(), CancellationToken::new());
        let shared = Arc::new(Shared { out, waiting: Mutex::default(), closing, closed });
        let task = shared.clone();
        tokio::spawn(async move {
            let Pipe { sink, stream } = pipe;
            tokio::select! {
                () = task.read(stream, unasked) => {}
                () = write(sink, unsent, task.closing.clone()) => {}
            }
            *task.waiting.lock() = Waiting { ended: true, requests: HashMap::new() };
            task.closed.cancel();
        });
        Self { shared, unasked: Mutex::new(Some(heard)) }
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        self.shared.closing.cancel();
    }
}

impl Exchange for Piped {
    fn request(&self, request: Outgoing) -> Messages {
        let shared = self.shared.clone();
        stream::once(async move { shared.begin(request).await }).try_flatten().boxed()
    }

    fn send(&self, message: Outgoing) -> BoxFuture<'static, Result<(), Error>> {
        let out = self.shared.out.clone();
        Box::pin(async move { out.send(message.body).await.map_err(|_| Error::SessionLost) })
    }

    fn listen(&self, _: Revision) -> BoxFuture<'static, Messages> {
        let messages = match self.unasked.lock().take() {
            None => stream::empty().boxed(),
            Some(mut unasked) => {
                let heard = stream::poll_fn(move |cx| unasked.poll_recv(cx).map(|message| message.map(Ok)));
                heard.chain(stream::iter([Err(Error::SessionLost)])).boxed()
            }
        };
        Box::pin(std::future::ready(messages))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.shared.closing.cancel();
        self.shared.closed.cancelled().boxed()
    }

    fn is_http(&self) -> bool {
        false
    }
}

/// Writes what there is in one go, and closes the pipe when it is asked to.
async fn write(mut sink: MessageSink, mut unsent: mpsc::Receiver<Bytes>, closing: CancellationToken) {
    let writing = async {
        while let Some(message) = unsent.recv().await {
            sink.feed(message).await?;
            while let Ok(message) = unsent.try_recv() {
                sink.feed(message).await?;
            }
            sink.flush().await?;
        }
        Ok::<_, std::io::Error>(())
    };
    tokio::select! {
        written = writing => if let Err(error) = written { tracing::debug!(%error, "a pipe broke") },
        () = closing.cancelled() => {}
    }
    let _ = sink.close().await;
}

impl Shared {
    async fn begin(self: Arc<Self>, request: Outgoing) -> Result<Messages, Error> {
        let id = request.id.unwrap_or_default();
        let (sender, notifications) = mpsc::channel(UNREAD);
        let (answering, answer) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock();
            if waiting.ended {
                return Err(Error::SessionLost);
            }
            waiting.requests.insert(id, Request { notifications: sender, answer: answering });
        }
        let ticket = Ticket { shared: self.clone(), id };
        self.out.send(request.body).await.map_err(|_| Error::SessionLost)?;
        Ok(answers(ticket, notifications, answer).boxed())
    }

    /// Sorts what comes until the pipe ends.
    async fn read(&self, mut stream: MessageStream, unasked: mpsc::Sender<Bytes>) {
        while let Some(message) = stream.next().await {
            match message {
                Ok(message) => self.sort(message, &unasked, true),
                Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                    tracing::warn!(%error, "a message is left out");
                }
                Err(error) => {
                    tracing::debug!(%error, "a pipe broke");
                    return;
                }
            }
        }
    }

    fn sort(&self, message: Bytes, unasked: &mpsc::Sender<Bytes>, batches: bool) {
        let whose = match parse(&message) {
            Ok(Message::Response { id, .. }) => {
                let mut waiting = self.waiting.lock();
                let only = || waiting.requests.keys().next().copied().filter(|_| waiting.requests.len() == 1);
                // An error without an id can only be about the one request there is.
                let id = id.map_or_else(only, |id| id.as_str().parse().ok());
                match id.and_then(|id| waiting.requests.remove(&id)) {
                    Some(request) => drop(request.answer.send(message.clone())), // it may be given up just now
                    None => tracing::debug!("a response to nobody"),
                }
                return;
            }
            Ok(Message::Notification { params, .. }) => params.and_then(whose),
            Ok(Message::Request { .. }) => None,
            Ok(Message::Batch(messages)) if batches => {
                for part in messages {
                    self.sort(message.slice_ref(part.get().as_bytes()), unasked, false);
                }
                return;
            }
            Ok(Message::Batch(_)) => return,
            Err(malformed) => {
                tracing::warn!(error = %malformed.error, "a message that cannot be read");
                return;
            }
        };
        let waiting = self.waiting.lock();
        let to = whose.and_then(|id| waiting.requests.get(&id)).map_or(unasked, |request| &request.notifications);
        if to.try_send(message).is_err() {
            tracing::warn!("a notification is lost: nobody takes them as fast as they come");
        }
    }
}

/// The request that a notification speaks of, if it names one.
fn whose(params: &RawValue) -> Option<u64> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named<'a> {
        #[serde(borrow, default)]
        progress_token: Option<&'a RawValue>,
        #[serde(borrow, default)]
        request_id: Option<&'a RawValue>,
        #[serde(borrow, default, rename = "_meta")]
        meta: Option<Meta<'a>>,
    }
    #[derive(Deserialize)]
    struct Meta<'a> {
        #[serde(borrow, default, rename = "io.modelcontextprotocol/subscriptionId")]
        subscription: Option<&'a RawValue>,
    }
    let named: Named<'_> = serde_json::from_str(params.get()).ok()?;
    let subscription = named.meta.and_then(|meta| meta.subscription);
    named.progress_token.or(subscription).or(named.request_id)?.get().parse().ok()
}

/// The place of a request among those that wait, until it is dropped.
struct Ticket {
    shared: Arc<Shared>,
    id: u64,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.shared.waiting.lock().requests.remove(&self.id);
    }
}

/// What belongs to one request: its notifications in order, and then its answer.
fn answers(
    ticket: Ticket,
    notifications: mpsc::Receiver<Bytes>,
    answer: oneshot::Receiver<Bytes>,
) -> impl futures_core::Stream<Item = Result<Bytes, Error>> + Send {
    let state = Some((ticket, notifications, answer));
    stream::unfold(state, |state| async move {
        let (ticket, mut notifications, answer) = state?;
        // Closed once the answer is there, and all of them have been taken.
        if let Some(notification) = notifications.recv().await {
            return Some((Ok(notification), Some((ticket, notifications, answer))));
        }
        Some((answer.await.map_err(|_| Error::Disconnected), None))
    })
}
