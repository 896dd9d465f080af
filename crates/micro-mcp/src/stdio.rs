//! stdio: one message a line, both eras on one pipe (`basic/transports/stdio`).

use std::{io, sync::Arc};

use micro_runtime::Drain;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    Handler,
    transport::{self, Lines, Out, Pipe},
};

/// Largest line, in bytes; a longer one is answered with an error and skipped.
pub const LINE_LIMIT: usize = 4 << 20;

/// Serves one client until it closes its end, then lets the calls in flight finish.
///
/// Writes nothing but messages. A drain ends the reading as the end of input does. Calls run side by
/// side within this future; none has a task of its own.
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
