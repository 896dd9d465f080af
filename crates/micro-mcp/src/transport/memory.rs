//! Two ends in one process, for tests and for servers within their client.

use std::io;

use bytes::Bytes;
use futures_util::{SinkExt, stream};
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

use super::Pipe;

/// Messages on their way; beyond, the writer waits.
const CAPACITY: usize = 64;

/// The two ends of a pipe. What one says, the other hears, in order.
pub fn pair() -> (Pipe, Pipe) {
    let (one, other) = (mpsc::channel(CAPACITY), mpsc::channel(CAPACITY));
    (end(one.0, other.1), end(other.0, one.1))
}

fn end(sender: mpsc::Sender<Bytes>, mut receiver: mpsc::Receiver<Bytes>) -> Pipe {
    let sink = PollSender::new(sender).sink_map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe));
    Pipe::new(sink, stream::poll_fn(move |cx| receiver.poll_recv(cx).map(|message| message.map(Ok))))
}
