//! Messages out of event streams, gone on with where they broke off (2025-11-25, "resumability").

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use micro_mcp_proto::{Revision, headers, sse::Decoder};
use reqwest::Response;

use super::{Media, Shared, media_type, version};
use crate::client::{Error, exchange::Messages, pause};

/// How often in a row a stream may break off without having said anything.
const MAX_BARREN: u32 = 5;
/// Until the server says otherwise.
const RETRY: Duration = Duration::from_secs(1);
/// Whatever the server says.
const MAX_RETRY: Duration = Duration::from_secs(60);

/// An event stream that is opened again, with `Last-Event-ID`, when it breaks off.
pub(super) struct Events {
    shared: Arc<Shared>,
    revision: Option<Revision>,
    kind: Kind,
    body: Option<BoxStream<'static, reqwest::Result<Bytes>>>,
    chunk: Bytes,
    decoder: Decoder,
    last_id: Option<String>,
    retry: Duration,
    /// Connections in a row that said nothing.
    barren: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The answer to one request, in an era that can resume it or not.
    Answer { resumable: bool },
    /// What the server says unasked; it may say nothing for hours.
    Listen,
}

impl Events {
    /// The answer to one request.
    pub(super) fn answer(shared: Arc<Shared>, response: Response, revision: Option<Revision>, resumable: bool) -> Self {
        let body = Some(response.bytes_stream().boxed());
        Self { body, ..Self::closed(shared, revision, Kind::Answer { resumable }) }
    }

    /// The stream of a session.
    pub(super) async fn listen(shared: Arc<Shared>, revision: Revision) -> Messages {
        let mut events = Self::closed(shared, Some(revision), Kind::Listen);
        match events.open().await {
            Ok(true) | Err(Error::Unreachable(_)) => events.messages(),
            Ok(false) => stream::empty().boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    fn closed(shared: Arc<Shared>, revision: Option<Revision>, kind: Kind) -> Self {
        let decoder = Decoder::new(shared.endpoint.limit);
        let (body, chunk, last_id) = (None, Bytes::new(), None);
        Self { shared, revision, kind, body, chunk, decoder, last_id, retry: RETRY, barren: 0 }
    }

    pub(super) fn messages(self) -> Messages {
        let next = |mut events: Self| async move {
            let message = events.next().await?;
            Ok(message.map(|message| (message, events)))
        };
        stream::try_unfold(self, next).boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(message) = self.message().await? {
                return Ok(Some(message));
            }
            let resumes = match self.kind {
                Kind::Answer { resumable } => resumable && self.last_id.is_some() && self.barren < MAX_BARREN,
                Kind::Listen => true,
            };
            if !resumes {
                return Err(Error::Disconnected);
            }
            tokio::time::sleep(pause(self.retry, self.barren, MAX_RETRY)).await;
            self.barren += 1;
            match self.open().await {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(Error::Unreachable(_)) => {}
                // The request itself was accepted: whoever hears "session lost" would make it again.
                Err(Error::SessionLost) if self.kind != Kind::Listen => return Err(Error::Disconnected),
                Err(error) => return Err(error),
            }
        }
    }

    /// The next message on the open stream; `None` when it ended.
    async fn message(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let mut bytes: &[u8] = &self.chunk;
            let event = self.decoder.decode(&mut bytes).map_err(|e| Error::protocol(e.to_string()))?;
            self.chunk = self.chunk.slice_ref(bytes);
            if let Some(id) = self.decoder.last_id() {
                self.last_id = Some(id.to_owned()).filter(|id| !id.is_empty());
            }
            self.retry = self.decoder.retry().map_or(self.retry, |retry| retry.min(MAX_RETRY));
            if let Some(event) = event {
                self.barren = 0;
                if matches!(event.kind.as_str(), "" | "message") && !event.data.is_empty() {
                    return Ok(Some(event.data.into()));
                }
                continue;
            }
            let Some(body) = &mut self.body else { return Ok(None) };
            match body.next().await {
                Some(Ok(chunk)) => self.chunk = chunk,
                Some(Err(_)) | None => {
                    self.body = None;
                    return Ok(None);
                }
            }
        }
    }

    /// Opens the stream, where it broke off. `false` when there is nothing to open.
    async fn open(&mut self) -> Result<bool, Error> {
        let mut headers: HeaderMap = version(self.revision);
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(id) = self.last_id.as_deref().and_then(|id| HeaderValue::from_str(id).ok()) {
            headers.insert(&headers::LAST_EVENT_ID, id);
        }
        let response = self.shared.send(Method::GET, headers, Bytes::new()).await?;
        match response.status() {
            StatusCode::OK if matches!(media_type(&response), Media::Events) => {
                self.decoder = Decoder::new(self.shared.endpoint.limit);
                self.chunk = Bytes::new();
                self.body = Some(response.bytes_stream().boxed());
                Ok(true)
            }
            status if status.is_server_error() => Ok(true), // it may be better after a pause
            _ if self.kind == Kind::Listen => Ok(false),
            _ => Err(Error::Disconnected),
        }
    }
}
