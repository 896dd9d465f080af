//! What both sides agreed on, and how a client finds out (`basic/versioning`).

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use micro_mcp_proto::{Era, Implementation, LogLevel, Revision, meta_key};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, oneshot},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    Error, Verdict, Verdicts,
    cache::Who,
    core::Ids,
    exchange::Exchange,
    handshake::{Handshake, is_refusal},
    http::{Endpoint, Http, legacy_sse},
    inbox::Inbox,
    message::Members,
    pipe::Piped,
};
use crate::{ServerInfo, transport::Pipe};

/// An exchange and what was agreed on over it.
pub(crate) struct Link {
    pub(crate) exchange: Arc<dyn Exchange>,
    pub(crate) revision: Revision,
    pub(crate) server: ServerInfo,
    /// `_meta` members of every request.
    pub(crate) meta: Members,
    /// Arguments are mirrored in headers.
    pub(crate) mirrors: bool,
    /// Nothing more will come of it.
    pub(crate) ended: CancellationToken,
    /// Told each time that something may have been missed.
    pub(crate) gaps: Arc<Notify>,
    /// Hears what the server says unasked.
    listening: Option<AbortOnDropHandle<()>>,
}

impl Link {
    pub(super) fn new(exchange: Arc<dyn Exchange>, revision: Revision, server: ServerInfo) -> Self {
        let (meta, ended) = (Members::default(), CancellationToken::new());
        Self { exchange, revision, server, meta, mirrors: false, ended, gaps: Arc::default(), listening: None }
    }

    /// Hears what the server says unasked, for as long as the link lives. Returns when it does, so that
    /// nothing the first request brings about is missed.
    async fn listen(&mut self, inbox: &Arc<Inbox>) {
        let (exchange, inbox, revision) = (self.exchange.clone(), inbox.clone(), self.revision);
        let (ended, gaps, (opened, open)) = (self.ended.clone(), self.gaps.clone(), oneshot::channel());
        self.listening = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            let mut messages = exchange.listen(revision).await;
            let _ = opened.send(());
            loop {
                match messages.next().await {
                    Some(Ok(message)) => inbox.unasked(&exchange, Some(revision), &message),
                    Some(Err(Error::SessionLost)) => return ended.cancel(),
                    Some(Err(Error::Disconnected)) => gaps.notify_one(),
                    Some(Err(_)) | None => return,
                }
            }
        })));
        // Some servers answer only once they have something to say.
        let _ = timeout(OPENING, open).await;
    }
}

/// How long a stream may take to open before requests are sent all the same.
const OPENING: Duration = Duration::from_secs(1);

/// Makes links to one server.
pub(crate) struct Connector {
    target: Target,
    hello: Hello,
    verdicts: Verdicts,
    /// What the server of a pipe spoke last.
    era: Mutex<Option<Era>>,
}

/// Where the server is.
pub(crate) enum Target {
    /// At an HTTP endpoint.
    Http(Endpoint),
    /// At the other end of a pipe, which can be made anew.
    Pipes(MakePipe),
}

/// Makes pipes to one server. [`Error::Closed`] means that there will be no other.
pub(crate) type MakePipe = Arc<dyn Fn() -> BoxFuture<'static, Result<Pipe, Error>> + Send + Sync>;

/// A server on a pipe that says nothing for this long is a legacy one.
const PROBE: Duration = Duration::from_secs(10);

/// What a client says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Hello {
    pub(crate) implementation: Implementation,
    /// A ClientCapabilities object.
    pub(crate) capabilities: Box<str>,
    /// Which log messages it wants.
    pub(crate) log_level: Option<LogLevel>,
    /// Speaks nothing else.
    pub(crate) only: Option<Revision>,
    /// For one answer.
    pub(crate) patience: Duration,
}

/// What the first question showed.
pub(super) enum Found {
    Modern(Box<ServerInfo>),
    Legacy,
}

impl Connector {
    pub(crate) fn new(target: Target, hello: Hello, verdicts: Verdicts) -> Self {
        Self { target, hello, verdicts, era: Mutex::default() }
    }

    /// Whose answers the server gives.
    pub(crate) async fn who(&self) -> Result<Who, Error> {
        match &self.target {
            Target::Http(endpoint) => endpoint.who().await,
            Target::Pipes(_) => Ok(Who::default()),
        }
    }

    /// A link in whatever era the server speaks.
    pub(crate) async fn connect(&self, inbox: &Arc<Inbox>, ids: &Ids) -> Result<Link, Error> {
        let shake = Handshake { hello: &self.hello, inbox, ids };
        let mut link = match self.reach(&shake).await {
            // What it spoke the last time it may not speak any more.
            Err(Error::NoCommonVersion(_)) if self.forget() => self.reach(&shake).await?,
            Err(refused) if is_refusal(&refused) && self.forget() => self.reach(&shake).await?,
            outcome => outcome?,
        };
        if inbox.callbacks.listen() || !link.exchange.is_http() {
            link.listen(inbox).await;
        }
        Ok(link)
    }

    async fn reach(&self, shake: &Handshake<'_>) -> Result<Link, Error> {
        match &self.target {
            Target::Http(endpoint) => self.http(endpoint, shake).await,
            Target::Pipes(make) => self.pipe(make, shake).await,
        }
    }

    /// Forgets that the server spoke the legacy era, if that was known and is not all that may be spoken.
    fn forget(&self) -> bool {
        let known = match &self.target {
            Target::Http(endpoint) => {
                let known = self.verdicts.get(&endpoint.url).map(|verdict| verdict.era);
                self.verdicts.forget(&endpoint.url);
                known
            }
            Target::Pipes(_) => self.era.lock().take(),
        };
        known == Some(Era::Legacy) && self.hello.only.is_none()
    }

    async fn http(&self, endpoint: &Endpoint, shake: &Handshake<'_>) -> Result<Link, Error> {
        let http = || Arc::new(Http::new(endpoint.clone())) as Arc<dyn Exchange>;
        let only = self.hello.only.map(Revision::era);
        let known = self.verdicts.get(&endpoint.url).filter(|_| only != Some(Era::Modern));
        let remember = |link: Link, http_sse| {
            let verdict = Verdict { era: link.revision.era(), http_sse, since: SystemTime::now() };
            self.verdicts.set(&endpoint.url, verdict);
            Ok(link)
        };
        if known.is_some_and(|known| known.http_sse)
            && let Ok(pipe) = legacy_sse::connect(endpoint, self.hello.patience).await
        {
            return shake.initialize(Arc::new(Piped::new(pipe))).await;
        }
        if only.or(known.map(|known| known.era)) != Some(Era::Legacy) {
            let exchange = http();
            match shake.discover(&exchange, self.hello.patience).await? {
                Found::Modern(server) => {
                    return remember(Link { mirrors: true, ..self.hello.modern(exchange, *server) }, false);
                }
                Found::Legacy if only.is_some() => return Err(Error::NoCommonVersion(Vec::new())),
                Found::Legacy => {}
            }
        }
        match shake.initialize(http()).await {
            // A server that knows nothing else refuses a POST in whatever words it has.
            Err(refused) if is_refusal(&refused) => match legacy_sse::connect(endpoint, self.hello.patience).await {
                Ok(pipe) => remember(shake.initialize(Arc::new(Piped::new(pipe))).await?, true),
                Err(_) => Err(refused),
            },
            outcome => remember(outcome?, false),
        }
    }

    async fn pipe(&self, make: &MakePipe, shake: &Handshake<'_>) -> Result<Link, Error> {
        let only = self.hello.only.map(Revision::era);
        let known = *self.era.lock();
        let exchange: Arc<dyn Exchange> = Arc::new(Piped::new(make().await?));
        let link = match only.or(known.filter(|era| *era == Era::Legacy)) {
            Some(Era::Legacy) => shake.initialize(exchange).await?,
            _ => match shake.discover(&exchange, self.hello.patience.min(PROBE)).await {
                Ok(Found::Modern(server)) => self.hello.modern(exchange, *server),
                Ok(Found::Legacy) if only.is_some() => return Err(Error::NoCommonVersion(Vec::new())),
                Ok(Found::Legacy) => shake.initialize(exchange).await?,
                Err(Error::Timeout) if only.is_none() => shake.initialize(exchange).await?,
                // Some end when they are asked anything before `initialize`.
                Err(lost @ (Error::Disconnected | Error::SessionLost)) if only.is_none() => match make().await {
                    Ok(pipe) => shake.initialize(Arc::new(Piped::new(pipe))).await?,
                    Err(_) => return Err(lost),
                },
                Err(error) => return Err(error),
            },
        };
        *self.era.lock() = Some(link.revision.era());
        Ok(link)
    }
}

impl Hello {
    fn modern(&self, exchange: Arc<dyn Exchange>, server: ServerInfo) -> Link {
        Link { meta: self.meta(), ..Link::new(exchange, Revision::LATEST, server) }
    }

    /// What every modern request says of its client.
    pub(super) fn meta(&self) -> Members {
        let meta = Members::default()
            .text(meta_key::PROTOCOL_VERSION, Revision::LATEST.as_str())
            .member(meta_key::CLIENT_INFO, &self.implementation)
            .expect("an implementation is plain JSON")
            .raw(meta_key::CLIENT_CAPABILITIES, &self.capabilities);
        match self.log_level {
            Some(level) => meta.text(meta_key::LOG_LEVEL, level.as_str()),
            None => meta,
        }
    }
}
