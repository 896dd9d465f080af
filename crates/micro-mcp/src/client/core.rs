//! The course of one request: sent, answered, gone on with when the server asks for more.

use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, StreamExt};
use http::{HeaderName, HeaderValue};
use micro_mcp_proto::{Era, Message, Revision, RpcError, code, method, parse, write};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{
    sync::{Mutex, watch},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    Error,
    callbacks::OnProgress,
    exchange::{Exchange, Outgoing},
    inbox::Inbox,
    link::{Connector, Link},
    message::{self, Members},
};

/// How often a server may ask for input before it answers.
const MAX_ROUNDS: usize = 16;
/// How often a request is sent again after its user has visited pages.
const MAX_VISITS: usize = 4;
/// Before a request without questions is sent again: the server sheds load.
const SHED_PAUSE: Duration = Duration::from_millis(100);

/// What all clones of a client share.
pub(crate) struct Core {
    pub(crate) connector: Connector,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) ids: Ids,
    pub(crate) patience: Patience,
    /// Calls may become tasks.
    pub(crate) tasks: bool,
    link: watch::Sender<Option<Arc<Link>>>,
    /// Only one connects at a time; the others wait and take what it made.
    linking: Mutex<()>,
    /// Nobody connects any more.
    pub(crate) closed: CancellationToken,
}

/// Ids of requests, never used twice.
#[derive(Debug, Default)]
pub(crate) struct Ids(AtomicU64);

/// One request, before it is known in which revision it will be written.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: Cow<'static, str>,
    /// Members of `params`, without `_meta`.
    pub(crate) members: Members,
    /// Members of `_meta`, beside those of the protocol.
    pub(crate) meta: Members,
    /// `Mcp-Name`.
    pub(crate) name: Option<String>,
    /// Of a tool or prompt.
    pub(crate) arguments: Option<Box<RawValue>>,
    /// `Mcp-Param-*`.
    pub(crate) params: Vec<(HeaderName, HeaderValue)>,
    pub(crate) progress: Option<OnProgress>,
    pub(crate) patience: Patience,
}

/// What came of a request.
pub(crate) struct Answer {
    pub(crate) result: Box<RawValue>,
    /// It answers what was asked and nothing else: no answers of ours went into it.
    pub(crate) bare: bool,
}

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For the answer or the next sign of progress.
    pub(crate) idle: Duration,
    /// For the answer, whatever the progress.
    pub(crate) total: Duration,
}

impl Core {
    pub(crate) fn new(connector: Connector, inbox: Arc<Inbox>, patience: Patience, tasks: bool) -> Self {
        let (link, linking, closed) = (watch::Sender::new(None), Mutex::new(()), CancellationToken::new());
        Self { connector, inbox, ids: Ids::default(), patience, tasks, link, linking, closed }
    }

    /// The link there is, or a new one.
    pub(crate) async fn link(&self) -> Result<Arc<Link>, Error> {
        let link = self.link.borrow().clone();
        match link {
            Some(link) if !self.closed.is_cancelled() => Ok(link),
            _ => self.relink(None).await,
        }
    }

    /// Ends the link, and makes no other.
    pub(crate) async fn close(&self) {
        self.closed.cancel();
        let _one = self.linking.lock().await;
        let link = self.link.borrow().clone();
        if let Some(link) = link {
            let _ = timeout(self.patience.idle, link.exchange.close()).await; // a server that is gone is closed
        }
    }

    /// A link in place of one that is of no use any more.
    pub(crate) async fn relink(&self, lost: Option<&Arc<Link>>) -> Result<Arc<Link>, Error> {
        let _one = self.linking.lock().await;
        if self.closed.is_cancelled() {
            return Err(Error::Closed);
        }
        let link = self.link.borrow().clone();
        match (link, lost) {
            (Some(link), Some(lost)) if !Arc::ptr_eq(&link, lost) => return Ok(link),
            (Some(link), None) => return Ok(link),
            _ => {}
        }
        let connecting = timeout(self.patience.total, self.connector.connect(&self.inbox, &self.ids));
        let connected = self.closed.run_until_cancelled(connecting).await.ok_or(Error::Closed)?;
        let link = Arc::new(connected.map_err(|_| Error::Timeout)??);
        self.link.send_replace(Some(link.clone()));
        Ok(link)
    }

    /// Tells of each new link.
    pub(crate) fn links(&self) -> watch::Receiver<Option<Arc<Link>>> {
        self.link.subscribe()
    }

    /// A request of the client's own.
    pub(crate) async fn plain(&self, method: &'static str, members: Members) -> Result<Box<RawValue>, Error> {
        Ok(self.answer(&Ask::new(method, members, self.patience)).await?.result)
    }

    /// Takes a request to its answer, whatever it needs on the way.
    pub(crate) async fn answer(&self, ask: &Ask) -> Result<Answer, Error> {
        let deadline = Instant::now() + ask.patience.total;
        timeout_at(deadline, self.course(ask)).await.unwrap_or(Err(Error::Timeout))
    }

    async fn course(&self, ask: &Ask) -> Result<Answer, Error> {
        let mut link = self.link().await?;
        let (mut relinked, mut answers) = (false, Members::default());
        let (mut pages, mut visits) = (HashSet::new(), 0);
        for round in 0..MAX_ROUNDS {
            let result = match self.once(&link, ask, &answers).await {
                Err(Error::SessionLost) if !relinked => Err(()),
                Err(Error::Rpc(error)) if error.code == code::UNSUPPORTED_VERSION && !relinked => Err(()),
                Err(Error::Rpc(error)) if self.visits(&link, &error) && visits < MAX_VISITS => {
                    self.inbox.visit(&error, &mut pages, ask.patience.idle).await?;
                    visits += 1;
                    continue;
                }
                other => Ok(other?),
            };
            let Ok(result) = result else {
                // The server has not looked at the request: it may be sent again.
                relinked = true;
                link = self.relink(Some(&link)).await?;
                continue;
            };
            let more = Typed::read(link.revision, &result)?;
            match more.result_type.as_deref() {
                None | Some("complete") => return Ok(Answer { result, bare: answers.is_empty() }),
                Some("task") if self.tasks && ask.method == "tools/call" => return Ok(Answer { result, bare: false }),
                Some("input_required") => {}
                Some(_) => return Err(Error::protocol("a result of a type that was not agreed on")),
            }
            if more.input_requests.is_none() {
                tokio::time::sleep(SHED_PAUSE * (round as u32 + 1)).await;
            }
            answers = self.inbox.input(&more).await?;
        }
        Err(Error::TooManyRounds(MAX_ROUNDS))
    }

    /// Whether an error sends the person to a page first, and there is a way to do so.
    fn visits(&self, link: &Link, error: &RpcError) -> bool {
        error.code == code::URL_ELICITATION_REQUIRED
            && link.revision == Revision::V2025_11_25
            && self.inbox.callbacks.url.is_some()
    }

    /// Sends the request once and waits for its result.
    async fn once(&self, link: &Arc<Link>, ask: &Ask, answers: &Members) -> Result<Box<RawValue>, Error> {
        let id = self.ids.next();
        let mut meta = link.meta.clone().and(&ask.meta);
        if ask.progress.is_some() {
            meta = meta.raw("progressToken", &id.to_string());
        }
        let mut params = ask.members.clone();
        if let Some(arguments) = &ask.arguments {
            params = params.raw("arguments", arguments.get());
        }
        params = params.and(answers);
        if !meta.is_empty() {
            params = params.raw("_meta", &meta.object());
        }
        let request = Outgoing {
            body: message::request(id, &ask.method, &params),
            id: Some(id),
            method: ask.method.clone(),
            name: ask.name.clone(),
            params: ask.params.clone(),
            revision: Some(link.revision),
        };
        exchange(&link.exchange, &self.inbox, request, ask.progress.as_ref(), ask.patience.idle).await
    }
}

impl Ask {
    pub(crate) fn new(method: impl Into<Cow<'static, str>>, members: Members, patience: Patience) -> Self {
        let (method, meta) = (method.into(), Members::default());
        Self { method, members, meta, name: None, arguments: None, params: Vec::new(), progress: None, patience }
    }
}

impl Ids {
    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Sends one request and waits for its response; what else comes meanwhile goes to the inbox.
///
/// Dropping the future cancels the request, unless it is `initialize`, which must not be cancelled.
pub(crate) async fn exchange(
    exchange: &Arc<dyn Exchange>,
    inbox: &Arc<Inbox>,
    request: Outgoing,
    progress: Option<&OnProgress>,
    idle: Duration,
) -> Result<Box<RawValue>, Error> {
    let (id, revision) = (request.id.unwrap_or_default(), request.revision);
    let mut guard = CancelOnDrop { exchange, revision, id: (request.method != "initialize").then_some(id) };
    let id_text = id.to_string();
    let mut messages = exchange.request(request);
    loop {
        let message = match timeout(idle, messages.next()).await {
            Err(_) if inbox.is_answering() => continue, // the server waits for us
            Err(_) => return Err(Error::Timeout),
            Ok(Some(Ok(message))) => message,
            Ok(ended) => {
                guard.id = None; // nobody is left who could be told
                return Err(ended.and_then(Result::err).unwrap_or(Error::Disconnected));
            }
        };
        match parse(&message) {
            // Over HTTP an error answers the request it came back with: without an id, or with one that a server
            // made up because it had not read the request.
            Ok(Message::Response { id, outcome })
                if id.is_none_or(|id| id.as_str() == id_text) || (outcome.is_err() && exchange.is_http()) =>
            {
                guard.id = None;
                // Taking the end of the stream, if it is there, leaves the connection usable.
                let _ = messages.next().now_or_never();
                return match outcome {
                    Ok(result) => Ok(result.to_owned()),
                    Err(error) => Err(read_error(error)),
                };
            }
            Ok(Message::Response { .. }) => tracing::debug!("a response to nobody"),
            Ok(Message::Notification { method, params }) => inbox.notification(&method, params, progress),
            Ok(Message::Request { id, method, params }) => inbox.request(exchange, revision, id, &method, params),
            Ok(Message::Batch(_)) => tracing::debug!("a batch within an answer"),
            Err(malformed) => return Err(Error::protocol(malformed.error.message)),
        }
    }
}

/// A JSON-RPC error, as far as it is one.
pub(crate) fn read_error(raw: &RawValue) -> Error {
    match serde_json::from_str::<RpcError>(raw.get()) {
        Ok(error) => Error::Rpc(error),
        Err(_) => Error::Rpc(RpcError::new(code::INTERNAL, "an error that cannot be read")),
    }
}

/// Tells the server when nobody waits for the answer any more.
pub(crate) struct CancelOnDrop<'e> {
    pub(crate) exchange: &'e Arc<dyn Exchange>,
    pub(crate) revision: Option<Revision>,
    /// `None` when there is nothing to tell any more.
    pub(crate) id: Option<u64>,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id, tokio::runtime::Handle::try_current()) else { return };
        let params = format!(r#"{{"requestId":{id}}}"#);
        let message = Outgoing {
            body: write::notification(method::CANCELLED, Some(params.as_bytes())).into(),
            method: method::CANCELLED.into(),
            revision: self.revision,
            ..Outgoing::default()
        };
        let telling = self.exchange.tell(message);
        runtime.spawn(async move {
            let _ = telling.await; // a server that cannot be told will find out
        });
    }
}

/// What a result says of itself. It is none yet when the server wants answers first (`basic/patterns/mrtr`).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Typed<'a> {
    /// Absent means `complete`.
    #[serde(borrow, default)]
    pub(crate) result_type: Option<Cow<'a, str>>,
    /// A map from keys to requests.
    #[serde(borrow, default)]
    pub(crate) input_requests: Option<&'a RawValue>,
    /// Echoed byte for byte.
    #[serde(borrow, default)]
    pub(crate) request_state: Option<&'a RawValue>,
}

impl<'a> Typed<'a> {
    /// Legacy results have no type.
    pub(crate) fn read(revision: Revision, result: &'a RawValue) -> Result<Self, Error> {
        match revision.era() {
            Era::Legacy => Ok(Self::default()),
            Era::Modern => Ok(serde_json::from_str(result.get())?),
        }
    }
}
