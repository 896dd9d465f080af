//! The client: one for every era and transport.

mod cache;
mod call;
mod callbacks;
mod core;
mod error;
mod exchange;
mod features;
mod handshake;
mod http;
mod inbox;
mod link;
mod lists;
mod many;
mod message;
mod options;
mod pipe;
mod sending;
mod task;
mod verdicts;
mod watch;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use micro_mcp_proto::{Era, Revision};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::{sync::watch::Sender, time::timeout};
use tokio_util::task::AbortOnDropHandle;

pub use self::{
    call::Call,
    callbacks::{Changed, Declined, Form, Progress, UrlVisit},
    error::Error,
    http::{AuthError, Bearer, Credentials, Refused, Retry},
    lists::DroppedTool,
    many::{Balance, Listing, Many, ManyBuilder, ManyCall},
    options::Builder,
    task::{Begun, TaskHandle},
    verdicts::{Verdict, Verdicts},
};
use self::{
    core::{Ask, Core},
    lists::Known,
    message::Members,
    sending::Around,
    watch::{Standing, Wanted},
};
use crate::ServerInfo;

/// A client of one server. Cheap to clone; clones share the connection, the session and what is cached.
///
/// ```no_run
/// use micro_mcp::client::Client;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::connect("http://127.0.0.1:3000/mcp").await?;
/// for tool in client.tools().await?.iter() {
///     println!("{}: {}", tool.name, tool.description.as_deref().unwrap_or_default());
/// }
/// println!("{}", client.call("add").args(&serde_json::json!({ "a": 1, "b": 2 })).text().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    core: Arc<Core>,
    wanted: Sender<Wanted>,
    standing: Sender<Standing>,
    around: Around,
    _keeper: AbortOnDropHandle<()>,
}

impl Client {
    /// Connects to a Streamable HTTP endpoint, in whatever era it speaks, with everything at its default.
    ///
    /// # Errors
    /// When the address is none, the server cannot be reached, or there is no version in common.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::builder().connect(url).await
    }

    /// Begins a client with options.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// What the server says of itself.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{Server, client::Client, proto::Revision};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("greeter", "1.0").instructions("Greet whoever comes.").build()?;
    /// let client = Client::builder().in_process(Arc::new(server)).await?;
    /// assert_eq!(client.server().await?.instructions.as_deref(), Some("Greet whoever comes."));
    /// assert_eq!(client.revision().await?, Revision::LATEST);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When it has to be connected to again, and that fails.
    pub async fn server(&self) -> Result<ServerInfo, Error> {
        Ok(self.0.core.link().await?.server.clone())
    }

    /// The revision that was agreed on.
    ///
    /// # Errors
    /// When the server has to be connected to again, and that fails.
    pub async fn revision(&self) -> Result<Revision, Error> {
        Ok(self.0.core.link().await?.revision)
    }

    /// Calls a tool:
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), micro_mcp::client::Error> {
    /// let client = micro_mcp::client::Client::connect("http://127.0.0.1:3000/mcp").await?;
    /// let sum: serde_json::Value = client.call("add").args(&serde_json::json!({ "a": 1, "b": 2 })).json().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn call(&self, tool: impl Into<String>) -> Call<'_> {
        Call::new(self, tool.into())
    }

    /// Any request: raw params in, the raw `result` out.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{NoArgs, Server, client::Client};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello!" }).build()?;
    /// let client = Client::builder().in_process(Arc::new(server)).await?;
    /// let result = client.request("tools/call", &serde_json::json!({ "name": "hi" })).await?;
    /// assert!(result.get().contains(r#"{"type":"text","text":"Hello!"}"#));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When params are no object, and whatever else can go wrong.
    pub async fn request(
        &self,
        method: impl Into<String>,
        params: &(impl Serialize + ?Sized),
    ) -> Result<Box<RawValue>, Error> {
        let ask = Ask::read(method.into(), &to_raw_value(params)?, self.0.core.patience)?;
        Ok(self.send(ask).await?.result)
    }

    /// Ends the session and the connection, for good: what this client and its clones are asked after that ends
    /// with [`Error::Closed`].
    pub async fn close(&self) {
        self.0.core.close().await;
    }

    /// Wants to hear, through [`Builder::on_change`], when this resource changes. Returns when the server
    /// has agreed; the subscription then outlives the connection.
    ///
    /// ```no_run
    /// # use micro_mcp::client::{Changed, Client};
    /// # async fn example() -> Result<(), micro_mcp::client::Error> {
    /// let told = |change| match change {
    ///     Changed::Resource(uri) => println!("{uri} holds something else now"),
    ///     other => println!("another list of {other:?}"),
    /// };
    /// let client = Client::builder().on_change(told).connect("http://127.0.0.1:3000/mcp").await?;
    /// client.subscribe("sensor://kitchen").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the server does not agree, or not in time.
    pub async fn subscribe(&self, uri: impl Into<String>) -> Result<(), Error> {
        let uri = uri.into();
        let new = self.0.wanted.send_if_modified(|wanted| wanted.uris.insert(uri.clone()));
        let outcome = match self.agreed().await {
            Ok(left_out) if left_out.contains(&uri) => Err(Error::NotTold(uri.clone())),
            outcome => outcome.map(drop),
        };
        if outcome.is_err() && new {
            self.0.wanted.send_if_modified(|wanted| wanted.uris.remove(&uri));
        }
        outcome
    }

    /// Does not want to hear of it any more.
    ///
    /// # Errors
    /// When a legacy server cannot be told.
    pub async fn unsubscribe(&self, uri: &str) -> Result<(), Error> {
        if !self.0.wanted.send_if_modified(|wanted| wanted.uris.remove(uri)) {
            return Ok(());
        }
        if self.revision().await?.era() == Era::Legacy {
            self.0.core.plain("resources/unsubscribe", Members::default().text("uri", uri)).await?;
        }
        self.watching().await
    }

    /// Returns when the server tells of everything that this client wants to hear of.
    ///
    /// # Errors
    /// When the server refuses, or does not agree in time.
    pub async fn watching(&self) -> Result<(), Error> {
        self.agreed().await?.pop_first().map_or(Ok(()), |uri| Err(Error::NotTold(uri)))
    }

    /// Waits for the server's word on all that is wanted; what it leaves out.
    async fn agreed(&self) -> Result<BTreeSet<String>, Error> {
        let mut standing = self.0.standing.subscribe();
        let agreed = standing.wait_for(|standing| match standing {
            Standing::Held { wish, .. } | Standing::Refused { wish, .. } => *wish == *self.0.wanted.borrow(),
            Standing::Pending => false,
        });
        let agreed = timeout(self.0.core.patience.idle, self.0.core.closed.run_until_cancelled(agreed));
        match agreed.await.map_err(|_| Error::Timeout)?.and_then(Result::ok).as_deref() {
            Some(Standing::Held { left_out, .. }) => Ok(left_out.clone()),
            Some(Standing::Refused { error, .. }) => Err(error.clone().into()),
            Some(Standing::Pending) | None => Err(Error::Closed),
        }
    }

    fn known(&self) -> &Known {
        &self.0.core.inbox.known
    }
}

/// How long to wait before the next attempt: `base`, doubled for each attempt that failed, at most
/// `most`, and from the second on up to half of it more, so that many clients do not come at once.
pub(crate) fn pause(base: Duration, failed: u32, most: Duration) -> Duration {
    let pause = base.saturating_mul(1 << failed.min(16)).min(most);
    if failed == 0 {
        return pause;
    }
    let mut random = [0; 4];
    let _ = getrandom::fill(&mut random);
    pause + pause.mul_f64(f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX) / 2.0)
}
