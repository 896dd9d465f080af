//! Calls to other services over the network.

mod directory;
mod http1;
mod node;

use std::{sync::Arc, time::Duration};

use futures_core::future::BoxFuture;
use futures_util::{StreamExt, stream};
use micro_core::{Context, Error, Result};
use micro_registry::Registry;
use tokio::time::{Instant, timeout_at};

use self::{
    directory::Directory,
    node::{Attempt, Node},
};
use crate::{Caller, Items, Outgoing, Reply, selector};

/// Calls services by name: finds their nodes, picks one, keeps connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    directory: Directory,
    timeout: Duration,
}

impl Client {
    /// How long a call may take when neither the context nor the endpoint says.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
    /// Nodes tried for one idempotent call.
    const ATTEMPTS: usize = 3;

    /// A client that watches this registry. Must be made inside a tokio runtime.
    pub fn new(registry: Arc<dyn Registry>) -> Self {
        Self { directory: Directory::watch(registry), timeout: Self::DEFAULT_TIMEOUT }
    }

    /// Another default timeout.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Makes a call with raw JSON and reads the whole answer.
    pub async fn call_raw(
        &self,
        service: &str,
        endpoint: &str,
        cx: Context,
        body: impl Into<bytes::Bytes>,
    ) -> Result<Reply> {
        let (service, endpoint, body) = (service.into(), endpoint.into(), body.into());
        self.send(Outgoing { service, endpoint, cx, body, idempotent: false, timeout: None }).await
    }

    async fn send(&self, call: Outgoing) -> Result<Reply> {
        let now = Instant::now();
        let own = now + call.timeout.unwrap_or(self.timeout);
        let deadline = call.cx.deadline.map_or(own, |outer| own.min(outer.into()));
        match self.attempts(&call, deadline).await {
            Ok(Reply::Stream(items)) => Ok(Reply::Stream(bounded(items, own - now, call.cx.deadline, &call.service))),
            reply => reply,
        }
    }

    /// Tries nodes until one was reached. Only an idempotent call moves on to another node, and only
    /// when the one before cannot have seen it.
    async fn attempts(&self, call: &Outgoing, deadline: Instant) -> Result<Reply> {
        let nodes = self.directory.nodes(&call.service, deadline).await?;
        let mut tried = Vec::new(); // allocates only when a node failed
        loop {
            let Some(i) = selector::pick(nodes.conditions(), &tried, self.directory.now(), |n| fastrand::usize(..n))
            else {
                return Err(unreachable(call));
            };
            let node: &Node = &nodes[i];
            match node.attempt(call, deadline, self.directory.now()).await {
                Attempt::Answered(reply) => return reply,
                Attempt::NotReached(error) => {
                    tracing::debug!(service = %call.service, node = %node.address(), %error, "node not reached");
                    tried.push(i);
                    if !call.idempotent || tried.len() == Self::ATTEMPTS {
                        return Err(unreachable(call));
                    }
                }
            }
        }
    }
}

impl Caller for Client {
    fn call(&self, call: Outgoing) -> BoxFuture<'_, Result<Reply>> {
        Box::pin(self.send(call))
    }
}

/// A stream that ends with an error when no item has come for `pause`, or at the caller's deadline.
fn bounded(items: Items, pause: Duration, deadline: Option<std::time::Instant>, service: &str) -> Items {
    let silent = Error::timeout(format!("`{service}` sent nothing for {}", seconds(pause))).with_id(service);
    let next = move |state: Option<(Items, Error)>| async move {
        let (mut items, silent) = state?;
        let until = Instant::now() + pause;
        let until = deadline.map_or(until, |end| until.min(end.into()));
        match timeout_at(until, items.next()).await {
            Ok(item) => Some((item?, Some((items, silent)))),
            Err(_) => Some((Err(silent), None)),
        }
    };
    stream::unfold(Some((items, silent)), next).boxed()
}

fn unreachable(call: &Outgoing) -> Error {
    Error::unavailable(format!("no node of `{}` can be reached", call.service)).with_id(&call.service)
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
