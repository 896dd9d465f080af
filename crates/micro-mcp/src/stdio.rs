//! stdio: one message a line, both eras on one pipe (`basic/transports/stdio`).

use std::{io, sync::Arc};

use micro_runtime::Drain;
use tokio::io::{AsyncRead, AsyncWrite};

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
///     Ok(stdio::serve(handler, tokio::io::stdin(), tokio::io::stdout(), Drain::new()).await?)
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
        serve(Arc::new(self), tokio::io::stdin(), tokio::io::stdout(), Drain::new()).await
    }
}
