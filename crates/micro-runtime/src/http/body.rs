//! Bodies: whole or streamed, without a box for the usual case.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_core::Stream;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
pub use tokio::time::error::Elapsed;

/// A body of ours: all there, or coming. An error cuts the connection, which is what a reader of a
/// broken stream must see.
#[derive(Default)]
pub enum Body {
    /// Nothing, or nothing more.
    #[default]
    Empty,
    /// All there.
    Full(Bytes),
    /// All there, in pieces that go out one after the other.
    Pieces(Box<[Bytes; 3]>),
    /// Coming.
    Stream(Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send>>),
}

/// Why a streamed body broke off.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

impl Body {
    /// A body of three pieces that are all there.
    pub fn pieces(pieces: [Bytes; 3]) -> Self {
        Self::Pieces(Box::new(pieces))
    }

    /// A body that is the stream's chunks, each sent as soon as it is there.
    pub fn stream(chunks: impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static) -> Self {
        Self::Stream(Box::pin(chunks))
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self::Full(bytes.into())
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Self::Pieces(pieces) => {
                let next = pieces.iter_mut().find(|piece| !piece.is_empty()).map(std::mem::take);
                Poll::Ready(next.map(|piece| Ok(Frame::data(piece))))
            }
            Self::Stream(stream) => stream.as_mut().poll_next(cx).map(|item| item.map(|chunk| chunk.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(bytes) => bytes.is_empty(),
            Self::Pieces(pieces) => pieces.iter().all(Bytes::is_empty),
            Self::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Pieces(pieces) => SizeHint::with_exact(pieces.iter().map(|piece| piece.len() as u64).sum()),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// Longest time a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads a whole body of at most `limit` bytes, within a minute. `Ok(None)` means it is larger; it is
/// not read further.
///
/// # Errors
/// When the body breaks off, or with [`Elapsed`] when it takes too long.
pub async fn read<B>(body: B, limit: usize) -> Result<Option<Bytes>, BodyError>
where
    B: HttpBody,
    B::Error: Into<BodyError>,
{
    read_within(body, limit, PATIENCE).await
}

/// As [`read`], within a time of the caller's.
///
/// # Errors
/// As [`read`].
pub async fn read_within<B>(body: B, limit: usize, patience: Duration) -> Result<Option<Bytes>, BodyError>
where
    B: HttpBody,
    B::Error: Into<BodyError>,
{
    if body.size_hint().lower() > limit as u64 {
        return Ok(None);
    }
    // Costs no timer for a body that is there already: what is to be awaited is polled first.
    tokio::time::timeout(patience, gather(body, limit)).await?
}

/// Most bodies are one piece, which is passed on as it is.
async fn gather<B>(body: B, limit: usize) -> Result<Option<Bytes>, BodyError>
where
    B: HttpBody,
    B::Error: Into<BodyError>,
{
    let mut body = std::pin::pin!(body);
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame.map_err(Into::into)?.into_data() else { continue };
        if first.len().max(whole.len()) + data.remaining() > limit {
            return Ok(None);
        }
        if first.is_empty() {
            first = data.copy_to_bytes(data.remaining());
            continue;
        }
        if whole.is_empty() {
            whole.reserve(first.len() + data.remaining());
            whole.put_slice(&first);
        }
        whole.put(data);
    }
    Ok(Some(if whole.is_empty() { first } else { whole.freeze() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn gathered(pieces: &[&'static str], limit: usize) -> Option<Bytes> {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
        read(Body::stream(futures_util::stream::iter(pieces)), limit).await.unwrap()
    }

    #[tokio::test]
    async fn a_body_is_whole_however_many_pieces_it_comes_in() {
        for pieces in [&["", "hello"][..], &["hel", "lo"], &["h", "", "el", "lo"], &["hello"]] {
            assert_eq!(gathered(pieces, 5).await.unwrap(), "hello", "{pieces:?}");
            assert_eq!(gathered(pieces, 4).await, None, "{pieces:?}");
        }
        assert_eq!(gathered(&[], 0).await.unwrap(), "");
    }
}
