//! The first words on an exchange (`basic/versioning`, "how a client tells").

use std::{borrow::Cow, sync::Arc, time::Duration};

use http::StatusCode;
use micro_mcp_proto::{Era, Implementation, Revision, RpcError, ServerCapabilities, code, write};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Error,
    core::{self, Ids},
    exchange::{Exchange, Outgoing},
    inbox::Inbox,
    link::{Found, Hello, Link},
    message::{self, Members},
};
use crate::ServerInfo;

/// The first words on an exchange.
pub(super) struct Handshake<'a> {
    pub(super) hello: &'a Hello,
    pub(super) inbox: &'a Arc<Inbox>,
    pub(super) ids: &'a Ids,
}

impl Handshake<'_> {
    /// Asks in the modern era. Whoever does not understand is of the other one, however he says it.
    pub(super) async fn discover(&self, exchange: &Arc<dyn Exchange>, patience: Duration) -> Result<Found, Error> {
        let params = Members::default().raw("_meta", &self.hello.meta().object());
        let mut again = true;
        loop {
            let outcome = self.ask(exchange, "server/discover", &params, Some(Revision::LATEST), patience).await;
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
                Err(error) if is_refusal(&error) => Found::Legacy,
                Err(other) => return Err(other),
            };
            return Ok(found);
        }
    }

    /// Opens a legacy session.
    pub(super) async fn initialize(&self, exchange: Arc<dyn Exchange>) -> Result<Link, Error> {
        let patience = self.hello.patience;
        let wanted = self.hello.only.unwrap_or(Revision::LATEST_LEGACY);
        let params = Members::default()
            .text("protocolVersion", wanted.as_str())
            .raw("capabilities", &self.hello.capabilities)
            .member("clientInfo", &self.hello.implementation)?;
        let result = self.ask(&exchange, "initialize", &params, None, patience).await?;
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
        exchange.tell(notification).await?;
        if let (Some(level), Some(_)) = (self.hello.log_level, &server.capabilities.logging) {
            let params = Members::default().text("level", level.as_str());
            self.ask(&exchange, "logging/setLevel", &params, Some(revision), patience).await?;
        }
        Ok(Link::new(exchange, revision, server))
    }

    async fn ask(
        &self,
        exchange: &Arc<dyn Exchange>,
        method: &'static str,
        params: &Members,
        revision: Option<Revision>,
        patience: Duration,
    ) -> Result<Box<RawValue>, Error> {
        let id = self.ids.next();
        let body = message::request(id, method, params);
        let request = Outgoing { body, id: Some(id), method: method.into(), revision, ..Outgoing::default() };
        core::exchange(exchange, self.inbox, request, None, patience).await
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

/// Whether a server that answers like this does not speak the way it was asked.
pub(super) fn is_refusal(error: &Error) -> bool {
    match error {
        Error::Status(status) => is_verdict(*status),
        Error::Rpc(_) | Error::Protocol(_) | Error::Json(_) => true,
        _ => false,
    }
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
