//! The events of one response.

use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use micro_mcp_proto::sse::{Decoder, Event};
use reqwest::Response;

use crate::client::Error;

/// The body of a response, read event by event.
pub(super) struct EventBody {
    bytes: BoxStream<'static, reqwest::Result<Bytes>>,
    chunk: Bytes,
    pub(super) decoder: Decoder,
}

impl EventBody {
    /// `limit`: of one event, in bytes.
    pub(super) fn new(response: Response, limit: usize) -> Self {
        Self { bytes: response.bytes_stream().boxed(), chunk: Bytes::new(), decoder: Decoder::new(limit) }
    }

    /// The next event; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Protocol`] when it is too long, after which nothing can be told apart; [`Error::Unreachable`] when
    /// the connection broke.
    pub(super) async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            let mut bytes: &[u8] = &self.chunk;
            let event = self.decoder.decode(&mut bytes).map_err(|error| Error::protocol(error.to_string()))?;
            self.chunk = self.chunk.slice_ref(bytes);
            if event.is_some() {
                return Ok(event);
            }
            match self.bytes.next().await {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(None),
            }
        }
    }
}
