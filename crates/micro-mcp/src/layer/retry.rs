//! Trying again.

use std::{collections::HashSet, time::Duration};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use micro_mcp_proto::Tool;
use parking_lot::RwLock;
use serde::Deserialize;

use super::{Layer, Next};
use crate::{
    Cx, Failure, Request,
    client::{Error, pause},
};

/// Sends a request again that failed in passing ([`Error::is_transient`]), after a pause that doubles each time
/// and is drawn a little, so that many clients do not come at once; a longer `Retry-After` is kept to. For clients.
///
/// Only what does no harm twice: requests that read, and tools that are said to be idempotent, by
/// [`Retry::idempotent`] or by their own hints in the list that was last seen (read-only ones are). A tool's
/// hints are its server's word: leave servers that you do not trust without this layer.
///
/// ```no_run
/// # use micro_mcp::{client::{Client, Error}, layer::Retry};
/// # async fn example() -> Result<(), Error> {
/// let retry = Retry::new(3).idempotent("find");
/// let client = Client::builder().layer(retry).connect("https://mcp.example/mcp").await?;
/// # Ok(())
/// # }
/// ```
pub struct Retry {
    attempts: u32,
    first: Duration,
    most: Duration,
    idempotent: HashSet<String>,
    /// Those whose hints say so.
    hinted: RwLock<HashSet<String>>,
}

impl Retry {
    /// So many attempts in all, 200 ms after the first, at most 10 s apart.
    pub fn new(attempts: u32) -> Self {
        let (idempotent, hinted) = (HashSet::new(), RwLock::default());
        Self { attempts, first: Duration::from_millis(200), most: Duration::from_secs(10), idempotent, hinted }
    }

    /// How long to wait after the first attempt, and at most, up to half as much more not counted.
    #[must_use]
    pub fn pauses(mut self, first: Duration, most: Duration) -> Self {
        (self.first, self.most) = (first, most);
        self
    }

    /// A tool that may be called twice, whatever it says of itself.
    #[must_use]
    pub fn idempotent(mut self, tool: impl Into<String>) -> Self {
        self.idempotent.insert(tool.into());
        self
    }

    fn is_safe(&self, request: &Request<'_>) -> bool {
        match request {
            Request::ListTools { .. } => true,
            Request::CallTool(call) => {
                self.idempotent.contains(&*call.name) || self.hinted.read().contains(&*call.name)
            }
            Request::Other { method, .. } => READING.contains(&&**method),
        }
    }

    /// Learns which tools may be called twice.
    fn learn(&self, page: &[u8]) {
        #[derive(Deserialize)]
        struct Page {
            tools: Vec<Tool>,
        }
        let Ok(Page { tools }) = serde_json::from_slice(page) else { return };
        let mut hinted = self.hinted.write();
        for tool in tools.into_iter().take(MAX_HINTED.saturating_sub(hinted.len())) {
            let hints = tool.annotations.unwrap_or_default();
            match hints.read_only_hint == Some(true) || hints.idempotent_hint == Some(true) {
                true => hinted.insert(tool.name),
                false => hinted.remove(&tool.name),
            };
        }
    }
}

/// Tools whose hints are remembered.
const MAX_HINTED: usize = 10_000;

/// Requests that change nothing, or the same thing twice.
const READING: [&str; 12] = [
    "completion/complete",
    "logging/setLevel",
    "ping",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/templates/list",
    "server/discover",
    "tasks/cancel",
    "tasks/get",
    "tasks/update",
];

impl Layer for Retry {
    fn handle<'a>(
        &'a self,
        cx: &'a Cx<'a>,
        request: &'a Request<'a>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Bytes, Failure>> {
        Box::pin(async move {
            for attempt in 1.. {
                let answer = next.handle(cx, request).await;
                match &answer {
                    Err(failure) if attempt < self.attempts && self.is_safe(request) => {
                        let Some(error) = passing(failure) else { return answer };
                        tracing::debug!(method = request.method(), attempt, "a request is tried again");
                        let usual = pause(self.first, attempt - 1, self.most);
                        tokio::time::sleep(error.pause(usual, self.most)).await;
                        continue;
                    }
                    Ok(page) if matches!(request, Request::ListTools { .. }) => self.learn(page),
                    _ => {}
                }
                return answer;
            }
            unreachable!("the last attempt returns")
        })
    }
}

fn passing(failure: &Failure) -> Option<&Error> {
    match failure {
        Failure::Inner(error) => error.downcast_ref::<Error>().filter(|error| error.is_transient()),
        Failure::Rpc(_) | Failure::Refused(_) => None,
    }
}
