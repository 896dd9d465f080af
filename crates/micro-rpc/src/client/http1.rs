//! HTTP/1.1 to one node, driven by the task that makes the call.
//!
//! A call needs one write and one read. A general client moves each request to a task of the
//! connection's own and the answer back; on the way of a call those switches cost more than HTTP does.
//! What a service may answer is parsed by `httparse` and bounded here (RFC 9112).

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use http::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    net::TcpStream,
};

/// Largest head of a response, in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// Header fields a response may have.
const MAX_HEADERS: usize = 100;
/// Longest line that announces a chunk, and longest trailer, in bytes.
const MAX_LINE: usize = 8 * 1024;
/// Room for one read; an answer of ordinary size fits. Memory that no answer fills is never touched.
const READ: usize = 16 * 1024;
/// A length that is announced is only believed so far; the rest grows as it comes.
const MAX_RESERVED: usize = 1024 * 1024;

/// One connection, used by one call at a time. Dropping it in the middle of a call closes it, which
/// is how the service hears that its caller left.
#[derive(Debug)]
pub(super) struct Connection<T = TcpStream> {
    stream: T,
    /// Read and not yet used.
    input: BytesMut,
    /// Nothing is left over from the last answer, and the node will take another request.
    reusable: bool,
}

/// What the head of an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) content_type: Option<Bytes>,
    /// `Micro-Error`.
    pub(super) error: Option<Bytes>,
    body: Framing,
}

/// Where the body ends (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// After so many bytes.
    Length(u64),
    /// After the last chunk.
    Chunked(Chunk),
    /// With the connection.
    Close,
}

/// What comes next in a chunked body (RFC 9112 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    /// A line with a size.
    Size,
    /// So many bytes of data, then a line break.
    Data(u64),
    /// The line break after data.
    Break,
    /// Trailers, then an empty line.
    Trailer,
}

impl Connection {
    /// Connects to `host:port`.
    pub(super) async fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self::new(stream))
    }

    /// Whether the node still holds its end open and has said nothing unasked.
    pub(super) fn is_fresh(&self) -> bool {
        let mut byte = [0];
        matches!(self.stream.try_read(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Connection<T> {
    fn new(stream: T) -> Self {
        Self { stream, input: BytesMut::new(), reusable: true }
    }

    /// Whether another request may follow on it.
    pub(super) fn is_reusable(&self) -> bool {
        self.reusable && self.input.is_empty()
    }

    /// Writes a request and reads the head of its answer. A node that answers before it has read
    /// everything (413, for example) is heard.
    ///
    /// # Errors
    /// The answer's error, and whether any byte of the request was written.
    pub(super) async fn request(&mut self, head: &[u8], body: &[u8]) -> Result<Head, (io::Error, bool)> {
        self.reusable = false; // until the answer was read to its end
        let mut request = Buf::chain(head, body);
        let all = request.remaining();
        std::future::poll_fn(|cx| self.poll_request(cx, &mut request)).await.map_err(|e| (e, request.remaining() < all))
    }

    fn poll_request(&mut self, cx: &mut Context<'_>, request: &mut impl Buf) -> Poll<io::Result<Head>> {
        let mut written = Ok(());
        while request.has_remaining() && written.is_ok() {
            match tokio_util::io::poll_write_buf(Pin::new(&mut self.stream), cx, request) {
                Poll::Ready(Ok(0)) => written = Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(result) => written = result.map(drop),
                Poll::Pending => break,
            }
        }
        // Also while the request is still being written, and when it cannot be: the answer says why.
        loop {
            if let Some((head, keep)) = self.parse_head()? {
                self.reusable = keep && !request.has_remaining();
                return Poll::Ready(Ok(head));
            }
            match self.poll_fill(cx, READ) {
                Poll::Ready(Ok(0)) => return Poll::Ready(written.and(Err(io::ErrorKind::UnexpectedEof.into()))),
                Poll::Ready(Err(error)) => return Poll::Ready(written.and(Err(error))),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// The head, once all of it is there, and whether the connection outlives its body.
    fn parse_head(&mut self) -> io::Result<Option<(Head, bool)>> {
        loop {
            let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut response = httparse::Response::new(&mut fields);
            let length = match response.parse(&self.input).map_err(|e| invalid(e.to_string()))? {
                httparse::Status::Complete(length) => length,
                httparse::Status::Partial if self.input.len() > MAX_HEAD => return Err(invalid("a head too large")),
                httparse::Status::Partial => return Ok(None),
            };
            let status = StatusCode::from_u16(response.code.unwrap_or(0)).map_err(|_| invalid("no status"))?;
            if status == StatusCode::SWITCHING_PROTOCOLS {
                return Err(invalid("another protocol, unasked"));
            }
            if status.is_informational() {
                self.input.advance(length);
                continue; // the answer is still to come
            }
            let read = read_fields(response.version == Some(1), status, response.headers)?;
            self.input.advance(length);
            return Ok(Some(read));
        }
    }

    /// Reads the whole body; `None` when it is larger than `limit`.
    pub(super) async fn whole(&mut self, head: &Head, limit: usize) -> io::Result<Option<Bytes>> {
        let mut framing = head.body;
        if let Framing::Length(length) = framing {
            let Some(length) = usize::try_from(length).ok().filter(|length| *length <= limit) else {
                self.reusable = false;
                return Ok(None);
            };
            while self.input.len() < length {
                self.fill((length - self.input.len()).min(MAX_RESERVED)).await?;
            }
            return Ok(Some(self.input.split_to(length).freeze()));
        }
        let mut whole = BytesMut::new();
        while let Some(data) = std::future::poll_fn(|cx| self.poll_data(cx, &mut framing)).await? {
            if whole.len() + data.len() > limit {
                self.reusable = false;
                return Ok(None);
            }
            whole.extend_from_slice(&data);
        }
        Ok(Some(whole.freeze()))
    }

    /// The body piece by piece, as it comes. The connection goes with it.
    pub(super) fn pieces(self, head: &Head) -> Pieces<T> {
        Pieces { connection: self, framing: head.body }
    }

    /// The next bytes of the body that are there; `None` at its end.
    fn poll_data(&mut self, cx: &mut Context<'_>, framing: &mut Framing) -> Poll<io::Result<Option<Bytes>>> {
        loop {
            match framing {
                Framing::Length(0) => return Poll::Ready(Ok(None)),
                Framing::Length(left) | Framing::Chunked(Chunk::Data(left)) if !self.input.is_empty() && *left > 0 => {
                    let n = self.input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= n as u64;
                    return Poll::Ready(Ok(Some(self.input.split_to(n).freeze())));
                }
                Framing::Close if !self.input.is_empty() => return Poll::Ready(Ok(Some(self.input.split().freeze()))),
                Framing::Chunked(chunk) => match self.next_chunk(*chunk)? {
                    Some(None) => {
                        *framing = Framing::Length(0);
                        continue;
                    }
                    Some(Some(next)) => {
                        *chunk = next;
                        continue;
                    }
                    None => {}
                },
                Framing::Length(_) | Framing::Close => {}
            }
            match (ready!(self.poll_fill(cx, READ))?, &framing) {
                (0, Framing::Close) => return Poll::Ready(Ok(None)),
                (0, _) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                _ => {}
            }
        }
    }

    /// One step through what stands around the data of chunks; `None` when more must be read first,
    /// `Some(None)` at the end of the body.
    fn next_chunk(&mut self, chunk: Chunk) -> io::Result<Option<Option<Chunk>>> {
        if let Chunk::Data(left @ 1..) = chunk {
            return Ok((!self.input.is_empty()).then_some(Some(Chunk::Data(left))));
        }
        if let Chunk::Data(0) = chunk {
            return Ok(Some(Some(Chunk::Break)));
        }
        let Some(end) = self.input.iter().take(MAX_LINE).position(|b| *b == b'\n') else {
            return if self.input.len() < MAX_LINE { Ok(None) } else { Err(invalid("a chunk's line too long")) };
        };
        let line = self.input.split_to(end + 1);
        let line = line[..end].strip_suffix(b"\r").unwrap_or(&line[..end]);
        Ok(Some(match chunk {
            Chunk::Size => match chunk_size(line)? {
                0 => Some(Chunk::Trailer),
                size => Some(Chunk::Data(size)),
            },
            Chunk::Break if line.is_empty() => Some(Chunk::Size),
            Chunk::Break => return Err(invalid("a chunk longer than announced")),
            Chunk::Trailer if line.is_empty() => None,
            Chunk::Trailer | Chunk::Data(_) => Some(chunk),
        }))
    }

    async fn fill(&mut self, room: usize) -> io::Result<()> {
        self.input.reserve(room);
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>, room: usize) -> Poll<io::Result<usize>> {
        self.input.reserve(room);
        tokio_util::io::poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.input)
    }
}

/// A body as it comes.
pub(super) struct Pieces<T = TcpStream> {
    connection: Connection<T>,
    framing: Framing,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for Pieces<T> {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { connection, framing } = self.get_mut();
        connection.poll_data(cx, framing).map(Result::transpose)
    }
}

/// What matters of the header fields.
fn read_fields(http_1_1: bool, status: StatusCode, fields: &[httparse::Header<'_>]) -> io::Result<(Head, bool)> {
    let (mut length, mut chunked, mut encoded) = (None, false, false);
    let (mut content_type, mut error) = (None, None);
    let mut keep = http_1_1;
    for field in fields {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            let announced = decimal(field.value).ok_or_else(|| invalid("a length that is no number"))?;
            if length.replace(announced).is_some_and(|other| other != announced) {
                return Err(invalid("two lengths"));
            }
        } else if is("transfer-encoding") {
            encoded = true;
            chunked = last_token(field.value).eq_ignore_ascii_case(b"chunked");
        } else if is("connection") {
            keep &= !field.value.split(|b| *b == b',').any(|t| t.trim_ascii().eq_ignore_ascii_case(b"close"));
        } else if is("content-type") {
            content_type = Some(Bytes::copy_from_slice(field.value));
        } else if is("micro-error") || is("x-micro-error") {
            error.get_or_insert_with(|| Bytes::copy_from_slice(field.value));
        }
    }
    let body = match (status, encoded, length) {
        (StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED, ..) => Framing::Length(0),
        (_, true, _) if chunked => Framing::Chunked(Chunk::Size),
        (_, true, _) | (_, false, None) => Framing::Close,
        (_, false, Some(length)) => Framing::Length(length),
    };
    // Both a length and an encoding is how answers are smuggled: trust this connection no further.
    keep &= body != Framing::Close && !(encoded && length.is_some());
    Ok((Head { status, content_type, error, body }, keep))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit); // `parse` would take a `+`
    std::str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()
}

fn last_token(value: &[u8]) -> &[u8] {
    value.rsplit(|b| *b == b',').next().unwrap_or(value).trim_ascii()
}

/// The size of a chunk, whose extensions are left aside.
fn chunk_size(line: &[u8]) -> io::Result<u64> {
    let digits = line.split(|b| *b == b';').next().unwrap_or(line).trim_ascii();
    let plain = (1..=16).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    let size = std::str::from_utf8(digits).ok().filter(|_| plain).and_then(|hex| u64::from_str_radix(hex, 16).ok());
    size.ok_or_else(|| invalid("a chunk without a size"))
}

fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the answer is not HTTP: {}", why.into()))
}

#[cfg(test)]
mod tests;
