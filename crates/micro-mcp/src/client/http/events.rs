//! Messages out of event streams, gone on with where they broke off (2025-11-25, "resumability").

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use micro_mcp_proto::{Revision, headers};
use reqwest::Response;

use super::{Media, Shared, body::EventBody, media_type, version};
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
    body: Option<EventBody>,
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
        let body = Some(EventBody::new(response, shared.endpoint.limit));
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
        Self { shared, revision, kind, body: None, last_id: None, retry: RETRY, barren: 0 }
    }

    pub(super) fn messages(self) -> Messages {
        let next = |events: Option<Self>| async move {
            let mut events = events?;
            match events.next().await {
                Ok(message) => message.map(|message| (Ok(message), Some(events))),
                // A gap, and no more.
                Err(Error::Disconnected) if events.kind == Kind::Listen => {
                    Some((Err(Error::Disconnected), Some(events)))
                }
                Err(error) => Some((Err(error), None)),
            }
        };
        stream::unfold(Some(self), next).boxed()
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
                // Nobody can say what went by meanwhile.
                Ok(true) if self.kind == Kind::Listen && self.body.is_some() && self.last_id.is_none() => {
                    return Err(Error::Disconnected);
                }
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
        while let Some(body) = &mut self.body {
            let event = body.next().await;
            if let Some(id) = body.decoder.last_id() {
                self.last_id = Some(id.to_owned()).filter(|id| !id.is_empty());
            }
            self.retry = body.decoder.retry().map_or(self.retry, |retry| retry.min(MAX_RETRY));
            match event {
                Ok(Some(event)) => {
                    self.barren = 0;
                    if matches!(event.kind.as_str(), "" | "message") && !event.data.is_empty() {
                        return Ok(Some(event.data.into()));
                    }
                }
                Ok(None) | Err(Error::Unreachable(_)) => self.body = None,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
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
                self.body = Some(EventBody::new(response, self.shared.endpoint.limit));
                Ok(true)
            }
            status if status.is_server_error() => Ok(true), // it may be better after a pause
            _ if self.kind == Kind::Listen => Ok(false),
            _ => Err(Error::Disconnected),
        }
    }
}
