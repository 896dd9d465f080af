//! Pipes: two-way streams of whole messages, whatever carries them.
//!
//! A transport is anything that makes a [`Pipe`]: a sink and a stream of JSON messages. One of your own
//! is ten lines; this one is lines over TCP:
//!
//! ```
//! use micro_mcp::{client::Client, transport::Pipe};
//! use tokio::net::TcpStream;
//!
//! async fn connect(address: &str) -> Result<Client, Box<dyn std::error::Error>> {
//!     let (reader, writer) = TcpStream::connect(address).await?.into_split();
//!     Ok(Client::builder().pipe(Pipe::lines(reader, writer)).await?)
//! }
//! ```

#[cfg(feature = "client")]
pub mod child;
mod lines;
pub mod memory;
#[cfg(feature = "server")]
mod serve;
#[cfg(feature = "websocket")]
pub mod websocket;

use std::{fmt, io, pin::Pin};

use bytes::Bytes;
use futures_core::{Stream, stream::BoxStream};
use futures_util::{Sink, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};

pub(crate) use self::lines::{Lines, Out};
#[cfg(feature = "server")]
pub use self::serve::serve;
#[cfg(all(feature = "server", any(feature = "legacy-sse", feature = "websocket")))]
pub(crate) use self::serve::serve_caller;

/// The way out: whole JSON messages.
pub type MessageSink = Pin<Box<dyn Sink<Bytes, Error = io::Error> + Send>>;
/// The way in: whole JSON messages. An error of the kind [`io::ErrorKind::InvalidData`] is one message that
/// was too long and is skipped; after any other error nothing follows.
pub type MessageStream = BoxStream<'static, io::Result<Bytes>>;

/// Largest message on a pipe, in bytes, unless its maker says otherwise.
pub const MESSAGE_LIMIT: usize = 16 << 20;

/// Two ways, one in each direction, of whole JSON messages.
pub struct Pipe {
    pub(crate) sink: MessageSink,
    pub(crate) stream: MessageStream,
}

impl Pipe {
    /// A pipe of these two ways.
    pub fn new(
        sink: impl Sink<Bytes, Error = io::Error> + Send + 'static,
        stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Self {
        Self { sink: Box::pin(sink), stream: stream.boxed() }
    }

    /// One message a line, as on stdio (`basic/transports/stdio`).
    pub fn lines(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        Self::new(Out::new(writer), Lines::new(reader, MESSAGE_LIMIT).stream())
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pipe")
    }
}

/// What a message that is too long becomes.
pub(crate) fn too_long(limit: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a message over {limit} bytes"))
}
