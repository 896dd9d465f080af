//! Two ends in one process, for tests and for servers within their client.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::{SinkExt, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::PollSender;

use super::Pipe;

/// Messages on their way, and their bytes; beyond either, the writer waits. One message may be larger.
const MESSAGES: usize = 64;
const BYTES: usize = 4 << 20;

/// The two ends of a pipe. What one says, the other hears, in order.
///
/// [`crate::client::Builder::in_process`] does this for you; with the ends in your own hands you also say when
/// the server ends:
///
/// ```
/// # use std::sync::Arc;
/// # use micro_mcp::{Drain, NoArgs, Server, client::Client, transport::{self, memory}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello!" }).build()?;
/// let (here, there) = memory::pair();
/// let (drain, serving) = (Drain::new(), Arc::new(server));
/// let served = tokio::spawn(transport::serve(serving, there, drain.clone()));
/// let client = Client::builder().pipe(here).await?;
/// assert_eq!(client.call("hi").text().await?, "Hello!");
/// drain.begin(); // the server ends as it would on a signal
/// served.await??;
/// # Ok(())
/// # }
/// ```
pub fn pair() -> (Pipe, Pipe) {
    let (one, other) = (mpsc::channel(MESSAGES), mpsc::channel(MESSAGES));
    (end(one.0, other.1), end(other.0, one.1))
}

/// A message, and the room it takes.
type Sent = (Bytes, OwnedSemaphorePermit);

fn end(sender: mpsc::Sender<Sent>, mut receiver: mpsc::Receiver<Sent>) -> Pipe {
    let room = Arc::new(Semaphore::new(BYTES));
    let sink = PollSender::new(sender).sink_map_err(|_| gone()).with(move |message: Bytes| {
        let (room, bytes) = (room.clone(), message.len().min(BYTES));
        async move {
            let bytes = u32::try_from(bytes).expect("the bound is smaller");
            // Whoever hangs up drops what was sent, and with it what it took.
            let taken = room.acquire_many_owned(bytes).await.map_err(|_| gone())?;
            Ok((message, taken))
        }
    });
    Pipe::new(sink, stream::poll_fn(move |cx| receiver.poll_recv(cx).map(|sent| sent.map(|(message, _)| Ok(message)))))
}

fn gone() -> io::Error {
    io::Error::from(io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt};

    use super::*;

    #[test]
    fn a_writer_waits_for_room() {
        let (mut ours, mut theirs) = pair();
        for (size, most) in [(1, MESSAGES), (1 << 20, BYTES >> 20), (BYTES + 1, 1)] {
            let message = Bytes::from(vec![b' '; size]);
            let mut sent = 0;
            while ours.sink.send(message.clone()).now_or_never().is_some() {
                sent += 1;
            }
            assert_eq!(sent, most, "{size} bytes each");
            let mut heard = 0;
            while let Some(message) = theirs.stream.next().now_or_never() {
                assert_eq!(message.unwrap().unwrap().len(), size);
                heard += 1;
                let _ = ours.sink.flush().now_or_never();
            }
            assert!((sent..=sent + 1).contains(&heard), "{heard} of {sent}, and perhaps the one that waited");
        }
    }

    #[tokio::test]
    async fn a_writer_that_waits_hears_that_the_other_end_is_gone() {
        let (mut ours, theirs) = pair();
        let large = Bytes::from(vec![b' '; BYTES]);
        let writing = async { while ours.sink.send(large.clone()).await.is_ok() {} };
        tokio::join!(writing, async { drop(theirs) });
    }
}
