//! WebSocket: one JSON message a text frame, subprotocol `mcp` (RFC 6455).

#[cfg(feature = "server")]
mod server;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, future, stream::SplitSink};
use http::{HeaderMap, HeaderValue, header};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::{Instant, interval_at, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig},
};
use tokio_util::sync::{CancellationToken, PollSender};

#[cfg(feature = "server")]
pub use self::server::WebSocket;
use super::Pipe;

/// The subprotocol of MCP.
const SUBPROTOCOL: HeaderValue = HeaderValue::from_static("mcp");
/// How often a connection is asked whether it is still there; one that does not answer until the next time
/// is closed.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long the other side may take to hear that the connection is closed.
const GOODBYE: Duration = Duration::from_secs(1);
/// Messages that wait to be written; beyond, the writer waits.
const UNSENT: usize = 64;

/// Connects to a `ws:` or `wss:` address, with these headers in the opening handshake.
///
/// # Errors
/// When it cannot be reached, or speaks something else.
pub async fn connect(url: &str, headers: HeaderMap, limit: usize) -> io::Result<Pipe> {
    let mut request = url.into_client_request().map_err(io::Error::other)?;
    request.headers_mut().extend(headers);
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
    let connecting = tokio_tungstenite::connect_async_with_config(request, Some(config(limit)), true);
    let (socket, _) = connecting.await.map_err(io::Error::other)?;
    Ok(pipe(socket))
}

fn config(limit: usize) -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(limit)).max_frame_size(Some(limit))
}

/// The messages of a connection. A task writes them, and asks now and then whether the other side is there.
fn pipe<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(socket: WebSocketStream<S>) -> Pipe {
    let (sink, frames) = socket.split();
    let (sender, unsent) = mpsc::channel(UNSENT);
    let (heard, gone) = (Arc::new(AtomicBool::new(true)), CancellationToken::new());
    tokio::spawn(write(sink, unsent, heard.clone(), gone.clone()));
    let messages = frames.filter_map(move |frame| {
        heard.store(true, Ordering::Relaxed);
        future::ready(match frame {
            Ok(Message::Text(text)) => Some(Ok(text.into())),
            // Pings are answered by the library; binary frames say nothing in MCP.
            Ok(_) => None,
            Err(error) => Some(Err(io::Error::other(error))),
        })
    });
    let sink = PollSender::new(sender).sink_map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe));
    Pipe::new(sink, messages.take_until(gone.cancelled_owned()))
}

async fn write<S: AsyncRead + AsyncWrite + Send + Unpin>(
    mut sink: SplitSink<WebSocketStream<S>, Message>,
    mut unsent: mpsc::Receiver<Bytes>,
    heard: Arc<AtomicBool>,
    gone: CancellationToken,
) {
    let writing = async {
        let mut due = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        loop {
            let mut next = tokio::select! {
                message = unsent.recv() => Some(message?),
                _ = due.tick() => None,
            };
            if next.is_none() {
                heard.swap(false, Ordering::Relaxed).then_some(())?;
                sink.feed(Message::Ping(Bytes::new())).await.ok()?;
            }
            while let Some(message) = next {
                sink.feed(Message::Text(message.try_into().ok()?)).await.ok()?;
                next = unsent.try_recv().ok();
            }
            sink.flush().await.ok()?;
        }
    };
    let _: Option<std::convert::Infallible> = writing.await;
    let _ = timeout(GOODBYE, sink.close()).await;
    gone.cancel();
}
