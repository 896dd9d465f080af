//! Pipes: two-way streams of whole messages, whatever carries them.
//!
//! A transport is anything that makes a [`Pipe`]: a sink and a stream of JSON messages. One of your own is ten
//! lines; this one is UDP on one machine, a message a datagram:
//!
//! ```
//! # use std::{io, sync::Arc};
//! use futures_util::{sink, stream};
//! use micro_mcp::{NoArgs, Server, client::Client, transport::{self, Pipe}};
//! use tokio::net::UdpSocket;
//!
//! fn datagrams(socket: UdpSocket) -> Pipe {
//!     let socket = Arc::new(socket);
//!     let sink = sink::unfold(socket.clone(), |socket, message: bytes::Bytes| async move {
//!         socket.send(&message).await.map(|_| socket)
//!     });
//!     let stream = stream::unfold(socket, |socket| async move {
//!         let mut buffer = vec![0; 65_536];
//!         let message = socket.recv(&mut buffer).await.map(|length| buffer[..length].to_vec().into());
//!         Some((message, socket))
//!     });
//!     Pipe::new(sink, stream)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (here, there) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
//! # here.connect(there.local_addr()?).await?;
//! # there.connect(here.local_addr()?).await?;
//! let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello!" }).build()?;
//! tokio::spawn(transport::serve(Arc::new(server), datagrams(there), micro_mcp::Drain::new()));
//! let client = Client::builder().pipe(datagrams(here)).await?;
//! assert_eq!(client.call("hi").text().await?, "Hello!");
//! # Ok(())
//! # }
//! ```
//!
//! What is a stream of bytes already needs only [`Pipe::lines`].

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

    /// The way out and the way in.
    pub fn split(self) -> (MessageSink, MessageStream) {
        (self.sink, self.stream)
    }

    /// One message a line, as on stdio (`basic/transports/stdio`).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{NoArgs, Server, client::Client, transport::{self, Pipe}};
    /// # use tokio::net::{TcpListener, TcpStream};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello!" }).build()?;
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let (reader, writer) = TcpStream::connect(listener.local_addr()?).await?.into_split();
    /// let (accepted, _) = listener.accept().await?;
    /// let (their_reader, their_writer) = accepted.into_split();
    /// let pipe = Pipe::lines(their_reader, their_writer);
    /// tokio::spawn(transport::serve(Arc::new(server), pipe, micro_mcp::Drain::new()));
    /// let client = Client::builder().pipe(Pipe::lines(reader, writer)).await?;
    /// assert_eq!(client.call("hi").text().await?, "Hello!");
    /// # Ok(())
    /// # }
    /// ```
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
