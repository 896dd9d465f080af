//! One message a line (`basic/transports/stdio`).

use std::{
    io::{self, BufRead},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use futures_util::{Sink, stream};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader};

use super::too_long;

/// Read at once, and written at once, in bytes.
pub(crate) const CHUNK: usize = 64 << 10;
/// Messages not yet taken by the other side, in bytes; beyond, the writer waits.
const MAX_UNSENT: usize = 8 << 20;

/// Lines of bounded length. Reading may be given up at any await and goes on where it stopped.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    limit: usize,
    skipping: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(reader: R, limit: usize) -> Self {
        Self { reader: BufReader::with_capacity(CHUNK, reader), line: Vec::new(), limit, skipping: false }
    }

    /// The next line that is not blank; `None` at the end.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let mut chunk = self.reader.fill_buf().await?;
            let ended = chunk.is_empty();
            let taken = BufRead::read_until(&mut chunk, b'\n', &mut self.line)?;
            self.reader.consume(taken);
            let complete = ended || self.line.last() == Some(&b'\n');
            if self.line.len() > self.limit {
                self.skipping = true;
                self.line = Vec::new();
            }
            if !complete {
                continue;
            }
            if std::mem::take(&mut self.skipping) {
                self.line.clear();
                return Err(too_long(self.limit));
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some(std::mem::take(&mut self.line).into()));
            }
            self.line.clear();
            if ended {
                return Ok(None);
            }
        }
    }

    pub(crate) fn stream(self) -> impl Stream<Item = io::Result<Bytes>> {
        stream::unfold(Some(self), |lines| async move {
            let mut lines = lines?;
            match lines.next().await {
                Ok(Some(line)) => Some((Ok(line), Some(lines))),
                Ok(None) => None,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => Some((Err(error), Some(lines))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}

/// What is to be written: sent as fast as the other side takes it, in large pieces.
pub(crate) struct Out<W> {
    writer: W,
    unsent: BytesMut,
}

impl<W: AsyncWrite + Unpin> Out<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self { writer, unsent: BytesMut::new() }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let written = ready!(Pin::new(&mut self.writer).poll_write(cx, &self.unsent))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        self.unsent.advance(written);
        Poll::Ready(Ok(()))
    }
}

impl<W: AsyncWrite + Unpin> Sink<Bytes> for Out<W> {
    type Error = io::Error;

    /// Ready while there is room. A full piece is written on the way, if the other side takes it.
    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.unsent.len() >= CHUNK {
            match self.poll_write(cx) {
                Poll::Ready(written) => written?,
                Poll::Pending if self.unsent.len() < MAX_UNSENT => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Adds a line. Line breaks in JSON are blanks between values.
    fn start_send(mut self: Pin<&mut Self>, message: Bytes) -> io::Result<()> {
        let start = self.unsent.len();
        self.unsent.extend_from_slice(&message);
        for byte in &mut self.unsent[start..] {
            if matches!(*byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        self.unsent.extend_from_slice(b"\n");
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            ready!(self.poll_write(cx))?;
        }
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.writer).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt, StreamExt};

    use super::*;

    #[tokio::test]
    async fn lines_are_messages_wherever_they_are_cut() {
        let (mut ours, theirs) = tokio::io::duplex(3);
        let read = tokio::spawn(Lines::new(theirs, 10).stream().collect::<Vec<_>>());
        tokio::io::AsyncWriteExt::write_all(&mut ours, b"{\"a\":1}\n\r\n  \n01234567890\n{}\nrest").await.unwrap();
        drop(ours);
        let seen: Vec<_> = read.await.unwrap().into_iter().map(|line| line.map_err(|e| e.kind())).collect();
        let invalid = Err(io::ErrorKind::InvalidData);
        assert_eq!(seen, [Ok("{\"a\":1}\n".into()), invalid, Ok("{}\n".into()), Ok("rest".into())]);
    }

    #[tokio::test]
    async fn a_message_is_one_line() {
        let (ours, theirs) = tokio::io::duplex(1 << 10);
        let mut out = Out::new(ours);
        out.send("{\n\"a\":\r\n1}".into()).await.unwrap();
        out.close().await.unwrap();
        drop(out);
        let lines: Vec<_> = Lines::new(theirs, 100).stream().map(Result::unwrap).collect().await;
        assert_eq!(lines, ["{ \"a\":  1}\n"]);
    }
}
