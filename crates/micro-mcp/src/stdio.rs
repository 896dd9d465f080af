//! stdio: one message a line, both eras on one pipe (`basic/transports/stdio`).

use std::{io, sync::Arc};

use micro_runtime::Drain;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::unix::pipe,
};
use tokio_util::either::Either;

use crate::{
    Handler, Server,
    transport::{self, Lines, Out, Pipe},
};

/// Largest line, in bytes; a longer one is answered with an error and skipped.
pub const LINE_LIMIT: usize = 4 << 20;

/// Serves one client until it closes its end, then lets the calls in flight finish.
///
/// Writes nothing but messages. A drain ends the reading as the end of input does. Calls run side by
/// side within this future; none has a task of its own.
///
/// A server without layers has [`crate::Server::serve_stdio`].
///
/// ```no_run
/// use std::sync::Arc;
/// use micro_mcp::{Drain, Layer, NoArgs, Server, layer::Trace, stdio};
///
/// #[tokio::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello!" }).build()?;
///     let handler = Trace.around(Arc::new(server));
///     let (input, output) = stdio::standard();
///     Ok(stdio::serve(handler, input, output, Drain::new()).await?)
/// }
/// ```
///
/// # Errors
/// When reading or writing fails. A client that went away is no error.
pub async fn serve<R, W>(handler: Arc<dyn Handler>, reader: R, writer: W, drain: Drain) -> io::Result<()>
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let pipe = Pipe::new(Out::new(writer), Lines::new(reader, LINE_LIMIT).stream());
    transport::serve(handler, pipe, drain).await
}

/// This process's standard input and output, for [`serve`].
///
/// Pipes, which is what clients give their servers, are read and written by the task that waits for them;
/// on other systems than Linux, and where they are files, sockets or a terminal, threads do it, which costs
/// several times as much a message. What else has the pipe open is not disturbed.
pub fn standard() -> (impl AsyncRead + Unpin + Send, impl AsyncWrite + Unpin + Send) {
    // Opened anew: what is set on these (not to block) is not set on what others hold.
    let open = pipe::OpenOptions::new();
    let input = open.open_receiver("/proc/self/fd/0").map_or_else(|_| Either::Right(tokio::io::stdin()), Either::Left);
    let output = open.open_sender("/proc/self/fd/1").map_or_else(|_| Either::Right(tokio::io::stdout()), Either::Left);
    (input, output)
}

impl Server {
    /// Serves the client that started this process, on standard input and output, until it closes them.
    /// Nothing else may write to standard output. For layers and for other pipes: [`serve`].
    ///
    /// ```no_run
    /// use micro_mcp::{NoArgs, Server};
    ///
    /// #[tokio::main]
    /// async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello!" }).build()?;
    ///     Ok(server.serve_stdio().await?)
    /// }
    /// ```
    ///
    /// # Errors
    /// When reading or writing fails. A client that went away is no error.
    pub async fn serve_stdio(self) -> io::Result<()> {
        let (input, output) = standard();
        serve(Arc::new(self), input, output, Drain::new()).await
    }
}
