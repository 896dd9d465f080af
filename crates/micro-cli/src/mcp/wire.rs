//! The wire to a server, bare: what is sent goes out as it is, and everything that comes back is seen.

mod http;

use std::io;

use ::http::{HeaderMap, Method, StatusCode};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use micro_mcp::transport::MessageSink;
use serde_json::Value;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::task::AbortOnDropHandle;

use self::http::Requests;
use super::target::{Place, Target};

/// Events that wait to be looked at; beyond, the server waits.
const UNSEEN: usize = 256;

/// A connection to a server.
pub(crate) struct Wire {
    way: Way,
    heard: mpsc::Receiver<Heard>,
}

enum Way {
    Http(Box<Requests>),
    Pipe { sink: Option<MessageSink>, _reader: AbortOnDropHandle<()> },
}

/// One HTTP request. On a pipe only its body is sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: Method,
    /// In place of the target's path.
    pub(crate) path: Option<String>,
    pub(crate) headers: HeaderMap,
    /// Whether the target's own headers, with the credentials, are sent too.
    pub(crate) credentials: bool,
    pub(crate) body: Bytes,
}

/// Something that came back.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// The number of the request it belongs to; on a pipe nothing belongs to anything.
    pub(crate) exchange: u64,
    pub(crate) event: Event,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// The beginning of an HTTP response.
    Head { status: StatusCode, headers: HeaderMap },
    /// A message.
    Message(Value),
    /// Something in place of a message that is no JSON.
    Text(String),
    /// Nothing more comes in this exchange; on a pipe, from this server.
    End,
    /// It broke off; this is why.
    Broken(String),
}

impl Event {
    /// What came as bytes; `None` for blanks.
    fn said(bytes: &[u8]) -> Option<Self> {
        match serde_json::from_slice(bytes) {
            Ok(message) => Some(Self::Message(message)),
            Err(_) if bytes.trim_ascii().is_empty() => None,
            Err(_) => Some(Self::Text(String::from_utf8_lossy(bytes).trim_end().to_owned())),
        }
    }
}

impl Wire {
    /// Connects; a command is started.
    ///
    /// # Errors
    /// When that fails. Over HTTP nothing is sent before the first request.
    pub(crate) async fn open(target: &Target) -> io::Result<Self> {
        let (tell, heard) = mpsc::channel(UNSEEN);
        let way = match (target.pipe(false).await, &target.place) {
            (None, Place::Address(url)) => {
                Way::Http(Box::new(Requests::new(url.clone(), target.headers.clone(), tell)?))
            }
            (pipe, _) => {
                let (sink, mut stream) = pipe.unwrap_or_else(|| Err(io::ErrorKind::Unsupported.into()))?.split();
                let reader = AbortOnDropHandle::new(tokio::spawn(async move {
                    let tell = async |event| tell.send(Heard { exchange: 0, event }).await.is_ok();
                    while let Some(message) = stream.next().await {
                        let event = match message {
                            Ok(message) => Event::said(&message),
                            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                                Some(Event::Text(error.to_string()))
                            }
                            Err(error) => Some(Event::Broken(error.to_string())),
                        };
                        if let Some(event) = event
                            && !tell(event).await
                        {
                            return;
                        }
                    }
                    tell(Event::End).await;
                }));
                Way::Pipe { sink: Some(sink), _reader: reader }
            }
        };
        Ok(Self { way, heard })
    }

    /// Whether each request has an answer of its own.
    pub(crate) fn is_http(&self) -> bool {
        matches!(self.way, Way::Http(_))
    }

    /// Sends a request; the number says what belongs to it.
    ///
    /// # Errors
    /// When a pipe does not take it. Over HTTP a failure is an event.
    pub(crate) async fn send(&mut self, sent: Sent) -> io::Result<u64> {
        match &mut self.way {
            Way::Http(requests) => Ok(requests.send(sent)),
            Way::Pipe { sink: Some(sink), .. } => sink.send(sent.body).await.map(|()| 0),
            Way::Pipe { sink: None, .. } => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Goes away from an exchange: what comes in it is not heard any more. On a pipe: says that nothing more will
    /// be sent.
    pub(crate) async fn cut(&mut self, exchange: u64) {
        match &mut self.way {
            Way::Http(requests) => requests.cut(exchange),
            Way::Pipe { sink, .. } => {
                if let Some(mut sink) = sink.take() {
                    let _ = sink.close().await; // who has gone already need not be told
                }
            }
        }
    }

    /// The next thing that comes back, before the deadline.
    pub(crate) async fn next(&mut self, deadline: Instant) -> Option<Heard> {
        tokio::time::timeout_at(deadline, self.heard.recv()).await.ok().flatten()
    }
}
