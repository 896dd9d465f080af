//! What both sides agreed on: which era, which revision (`basic/versioning`, "how a client tells").

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::StreamExt;
use http::StatusCode;
use micro_mcp_proto::{Era, Implementation, LogLevel, Revision, RpcError, ServerCapabilities, code, meta_key, write};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{sync::oneshot, time::timeout};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    Error, Verdict, Verdicts,
    core::{Ids, exchange},
    exchange::{Exchange, Outgoing},
    http::{Endpoint, Http},
    inbox::Inbox,
    message::{self, Members},
};
use crate::ServerInfo;

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
    /// Hears what the server says unasked.
    listening: Option<AbortOnDropHandle<()>>,
}

impl Link {
    fn new(exchange: Arc<dyn Exchange>, revision: Revision, server: ServerInfo) -> Self {
        let (meta, ended) = (Members::default(), CancellationToken::new());
        Self { exchange, revision, server, meta, mirrors: false, ended, listening: None }
    }

    /// Hears what the server says unasked, for as long as the link lives. Returns when it does, so that
    /// nothing the first request brings about is missed.
    async fn listen(&mut self, inbox: &Arc<Inbox>) {
        let (exchange, inbox, revision) = (self.exchange.clone(), inbox.clone(), self.revision);
        let (ended, (opened, open)) = (self.ended.clone(), oneshot::channel());
        self.listening = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            let mut messages = exchange.listen(revision).await;
            let _ = opened.send(());
            loop {
                match messages.next().await {
                    Some(Ok(message)) => inbox.unasked(&exchange, Some(revision), &message),
                    Some(Err(Error::SessionLost)) => return ended.cancel(),
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
    pub(crate) endpoint: Endpoint,
    pub(crate) hello: Hello,
    pub(crate) verdicts: Verdicts,
}

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
enum Found {
    Modern(Box<ServerInfo>),
    Legacy,
}

impl Connector {
    pub(crate) async fn connect(&self, inbox: &Arc<Inbox>, ids: &Ids) -> Result<Link, Error> {
        let known = self.verdicts.get(&self.endpoint.url).map(|verdict| verdict.era);
        let era = self.hello.only.map(Revision::era).or(known.filter(|era| *era == Era::Legacy));
        let shake =
            || Handshake { hello: &self.hello, inbox, ids, exchange: Arc::new(Http::new(self.endpoint.clone())) };
        let mut link = match era {
            Some(Era::Legacy) => shake().initialize().await?,
            _ => match shake().discover().await? {
                (exchange, Found::Modern(server)) => self.hello.modern(exchange, *server),
                (_, Found::Legacy) if era.is_some() => return Err(Error::NoCommonVersion(Vec::new())),
                (_, Found::Legacy) => shake().initialize().await?,
            },
        };
        link.mirrors = link.revision.era() == Era::Modern;
        if inbox.callbacks.listen() {
            link.listen(inbox).await;
        }
        let verdict = Verdict { era: link.revision.era(), http_sse: false, since: SystemTime::now() };
        self.verdicts.set(&self.endpoint.url, verdict);
        Ok(link)
    }
}

impl Hello {
    fn modern(&self, exchange: Arc<dyn Exchange>, server: ServerInfo) -> Link {
        Link { meta: self.meta(), ..Link::new(exchange, Revision::LATEST, server) }
    }

    /// What every modern request says of its client.
    fn meta(&self) -> Members {
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

/// The first words on an exchange.
struct Handshake<'a> {
    hello: &'a Hello,
    inbox: &'a Arc<Inbox>,
    ids: &'a Ids,
    exchange: Arc<dyn Exchange>,
}

impl Handshake<'_> {
    /// Asks in the modern era. Whoever does not understand is of the other one, however he says it.
    async fn discover(self) -> Result<(Arc<dyn Exchange>, Found), Error> {
        let params = Members::default().raw("_meta", &self.hello.meta().object());
        let mut again = true;
        loop {
            let outcome = self.ask("server/discover", &params, Some(Revision::LATEST)).await;
            let found = match outcome {
                Ok(result) => discovered(&result)?,
                Err(Error::Rpc(error)) if error.code == code::UNSUPPORTED_VERSION => {
                    let supported = supported(&error);
                    if supported.iter().any(|v| v == Revision::LATEST.as_str()) && std::mem::take(&mut again) {
                        continue;
                    }
                    legacy_of(supported)?
                }
                // These are ours to mend: a legacy server does not know them.
                Err(Error::Rpc(error)) if matches!(error.code, code::HEADER_MISMATCH | code::MISSING_CAPABILITY) => {
                    return Err(error.into());
                }
                Err(Error::Rpc(_) | Error::Protocol(_) | Error::Json(_)) => Found::Legacy,
                Err(Error::Status(status)) if is_verdict(status) => Found::Legacy,
                Err(other) => return Err(other),
            };
            return Ok((self.exchange, found));
        }
    }

    /// Opens a legacy session.
    async fn initialize(self) -> Result<Link, Error> {
        let wanted = self.hello.only.unwrap_or(Revision::LATEST_LEGACY);
        let params = Members::default()
            .text("protocolVersion", wanted.as_str())
            .raw("capabilities", &self.hello.capabilities)
            .member("clientInfo", &self.hello.implementation)?;
        let result = self.ask("initialize", &params, None).await?;
        let initialized: Initialized<'_> = serde_json::from_str(result.get())?;
        let agreed = Revision::parse(&initialized.protocol_version).filter(|revision| revision.era() == Era::Legacy);
        let agreed = agreed.filter(|revision| self.hello.only.is_none_or(|only| only == *revision));
        let revision = agreed.ok_or_else(|| Error::NoCommonVersion(vec![initialized.protocol_version.to_string()]))?;
        let server = initialized.says.info(initialized.server_info);
        let notification = Outgoing {
            body: write::notification("notifications/initialized", None).into(),
            method: "notifications/initialized".into(),
            revision: Some(revision),
            ..Outgoing::default()
        };
        self.exchange.send(notification).await?;
        if let (Some(level), Some(_)) = (self.hello.log_level, &server.capabilities.logging) {
            let params = Members::default().text("level", level.as_str());
            self.ask("logging/setLevel", &params, Some(revision)).await?;
        }
        Ok(Link::new(self.exchange, revision, server))
    }

    async fn ask(
        &self,
        method: &'static str,
        params: &Members,
        revision: Option<Revision>,
    ) -> Result<Box<RawValue>, Error> {
        let id = self.ids.next();
        let body = message::request(id, method, params);
        let request = Outgoing { body, id: Some(id), method: method.into(), revision, ..Outgoing::default() };
        exchange(&self.exchange, self.inbox, request, None, self.hello.patience).await
    }
}

/// 401 and 403 speak of the caller, 5xx of the moment; neither says which era it is.
fn is_verdict(status: StatusCode) -> bool {
    status.is_client_error()
        && !matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_MANY_REQUESTS
                | StatusCode::PROXY_AUTHENTICATION_REQUIRED
        )
}

/// The versions of a `-32022`.
fn supported(error: &RpcError) -> Vec<String> {
    #[derive(Default, Deserialize)]
    struct Data {
        #[serde(default)]
        supported: Vec<String>,
    }
    let data = error.data.as_ref().and_then(|data| serde_json::from_str::<Data>(data.get()).ok());
    data.unwrap_or_default().supported
}

fn legacy_of(supported: Vec<String>) -> Result<Found, Error> {
    let legacy = |version: &String| Revision::parse(version).is_some_and(|revision| revision.era() == Era::Legacy);
    if supported.iter().any(legacy) { Ok(Found::Legacy) } else { Err(Error::NoCommonVersion(supported)) }
}

fn discovered(result: &RawValue) -> Result<Found, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Discovered<'a> {
        supported_versions: Vec<String>,
        #[serde(borrow, flatten)]
        says: Says<'a>,
        #[serde(default, rename = "_meta")]
        meta: Meta,
    }
    #[derive(Default, Deserialize)]
    struct Meta {
        #[serde(default, rename = "io.modelcontextprotocol/serverInfo")]
        server: Option<Implementation>,
    }
    let discovered: Discovered<'_> = match serde_json::from_str(result.get()) {
        Ok(discovered) => discovered,
        Err(_) => return Ok(Found::Legacy), // something that answers anything with something
    };
    if discovered.supported_versions.iter().any(|version| version == Revision::LATEST.as_str()) {
        let server = discovered.says.info(discovered.meta.server.unwrap_or_default());
        return Ok(Found::Modern(Box::new(server)));
    }
    legacy_of(discovered.supported_versions)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initialized<'a> {
    #[serde(borrow)]
    protocol_version: Cow<'a, str>,
    #[serde(default)]
    server_info: Implementation,
    #[serde(borrow, flatten)]
    says: Says<'a>,
}

/// What servers of both eras say of themselves.
#[derive(Deserialize)]
struct Says<'a> {
    #[serde(default)]
    capabilities: serde_json::Value,
    #[serde(borrow, default)]
    instructions: Option<Cow<'a, str>>,
}

impl Says<'_> {
    fn info(self, implementation: Implementation) -> ServerInfo {
        let capabilities: ServerCapabilities = serde_json::from_value(self.capabilities).unwrap_or_default();
        ServerInfo { implementation, capabilities, instructions: self.instructions.map(Cow::into_owned) }
    }
}
