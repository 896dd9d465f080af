//! stdio: one message a line, both eras on one pipe (`basic/transports/stdio`).

use std::{
    io::{self, BufRead},
    sync::Arc,
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt, stream::SelectAll};
use micro_mcp_proto::{RpcError, write};
use micro_runtime::Drain;
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use crate::{
    Handler, KeyRing,
    engine::{Engine, Reply, Source, legacy_changes},
    outlet::{Outlet, Said},
    running::{Messages, Output, Running},
    session::Sessions,
};

/// Largest line, in bytes; a longer one is answered with an error and skipped.
pub const LINE_LIMIT: usize = 4 << 20;
/// Calls in flight; beyond, the client waits in its pipe.
const MAX_RUNNING: usize = 4096;
/// Answers not yet taken, in bytes; beyond, nothing more is read.
const MAX_UNSENT: usize = 8 << 20;
/// Answers to lines that came together go out together, up to this many bytes.
const BATCH: usize = 64 << 10;

/// Serves one client until it closes its end, then lets the calls in flight finish.
///
/// Writes nothing but messages. A drain ends the reading as the end of input does. Calls run side by
/// side within this future; none has a task of its own.
///
/// # Errors
/// When reading or writing fails. A client that went away is no error.
pub async fn serve<R, W>(handler: Arc<dyn Handler>, reader: R, writer: W, drain: Drain) -> io::Result<()>
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
    match run(handler, reader, writer, drain.child()).await {
        Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => Ok(()),
        ended => ended,
    }
}

async fn run<R, W>(handler: Arc<dyn Handler>, reader: R, writer: W, drain: Drain) -> io::Result<()>
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
    // Nothing is sealed on a pipe; what is used is the table of running requests.
    let sessions = Arc::new(Sessions::new(KeyRing::random(), Duration::ZERO));
    let engine = Arc::new(Engine { handler, sessions, drain: drain.clone() });
    let session = Arc::new(Mutex::new(None));
    let mut lines = Lines { reader: BufReader::with_capacity(BATCH, reader), line: Vec::new(), skipping: false };
    let mut out = Out { writer, unsent: BytesMut::new(), dirty: false };
    let mut running: SelectAll<Messages> = SelectAll::new();
    let (mut reading, mut listens) = (true, false);

    while reading || !running.is_empty() || out.is_busy() {
        let may_read = reading && out.unsent.len() < MAX_UNSENT && running.len() < MAX_RUNNING;
        let more_at_hand = may_read && lines.at_hand() && out.unsent.len() < BATCH;
        let line = tokio::select! {
            sent = out.advance(), if out.is_busy() && !more_at_hand => { sent?; continue }
            message = running.next(), if !running.is_empty() => {
                message.iter().for_each(|message| out.push(message));
                continue;
            }
            line = lines.next(), if may_read => line?,
            () = drain.begun(), if reading => Line::End,
        };
        match line {
            Line::End => {
                reading = false;
                drain.begin(); // listeners end: nobody will cancel them any more
            }
            Line::TooLong => {
                let error = RpcError::invalid_request(format!("Invalid request: a line over {LINE_LIMIT} bytes"));
                out.push(&write::error(None, &error));
            }
            Line::Message(bytes) => {
                let outlet = Arc::new(Outlet::default());
                let exchange = engine.clone().exchange(Source::Pipe(session.clone()), bytes, outlet.clone());
                let mut call = Running::new(outlet, exchange);
                // Most calls are done at once and need no place among those that wait.
                match call.next().now_or_never() {
                    None => running.push(Messages::Running(call)),
                    Some(Some(Output::Said(said))) => {
                        if let Said::Message(message) = said {
                            out.push(&message);
                        }
                        running.push(Messages::Running(call));
                    }
                    Some(Some(Output::Reply(Reply::Message(answer)))) => out.push(&answer.body),
                    Some(Some(Output::Reply(Reply::Listen(messages)))) => running.push(Messages::Stream(messages)),
                    Some(Some(Output::Reply(Reply::Accepted | Reply::Silence)) | None) => {}
                }
            }
        }
        // Legacy clients hear of changes unasked, once they have initialized.
        let initialized = if listens { None } else { *session.lock() };
        if let Some(session) = initialized {
            listens = true;
            running.push(Messages::Stream(legacy_changes(&engine, session)));
        }
    }
    Ok(())
}

enum Line {
    Message(Bytes),
    TooLong,
    End,
}

/// Lines of bounded length. Reading may be given up at any await and goes on where it stopped.
struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    skipping: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Whether a line can be had without waiting.
    fn at_hand(&self) -> bool {
        self.reader.buffer().contains(&b'\n')
    }

    async fn next(&mut self) -> io::Result<Line> {
        loop {
            let mut chunk = self.reader.fill_buf().await?;
            let ended = chunk.is_empty();
            let taken = BufRead::read_until(&mut chunk, b'\n', &mut self.line)?;
            self.reader.consume(taken);
            let complete = ended || self.line.last() == Some(&b'\n');
            if self.line.len() > LINE_LIMIT {
                self.skipping = true;
                self.line = Vec::new();
            }
            if !complete {
                continue;
            }
            if std::mem::take(&mut self.skipping) {
                self.line.clear();
                return Ok(Line::TooLong);
            }
            if self.line.trim_ascii().is_empty() {
                self.line.clear();
                if ended {
                    return Ok(Line::End);
                }
                continue;
            }
            return Ok(Line::Message(std::mem::take(&mut self.line).into()));
        }
    }
}

/// What is to be written, sent as fast as the client takes it and no reason to stop reading.
struct Out<W> {
    writer: W,
    unsent: BytesMut,
    /// Written, but perhaps kept back by the writer.
    dirty: bool,
}

impl<W: AsyncWrite + Unpin> Out<W> {
    /// Adds a line. Line breaks in JSON are blanks between values.
    fn push(&mut self, message: &[u8]) {
        let start = self.unsent.len();
        self.unsent.extend_from_slice(message);
        for byte in &mut self.unsent[start..] {
            if matches!(*byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        self.unsent.extend_from_slice(b"\n");
    }

    fn is_busy(&self) -> bool {
        self.dirty || !self.unsent.is_empty()
    }

    async fn advance(&mut self) -> io::Result<()> {
        if self.unsent.is_empty() {
            self.writer.flush().await?;
            self.dirty = false;
            return Ok(());
        }
        let written = self.writer.write(&self.unsent).await?;
        if written == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.unsent.advance(written);
        self.dirty = true;
        Ok(())
    }
}
