//! One node: its connections, its condition, one attempt of a call.

use std::{
    ops::Deref,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::StreamExt;
use http::Uri;
use http_body_util::Full;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use micro_core::{Error, Result};

use crate::{Outgoing, Reply, ndjson, selector::Condition, wire};

/// Largest answer that is read, in bytes.
const MAX_REPLY: usize = 64 * 1024 * 1024;

/// A node of a service. Its connections are its own, so they go when it goes.
#[derive(Debug)]
pub(super) struct Node {
    id: String,
    address: String,
    /// Parsed once; None when the address makes no URI, which no call can then reach.
    uri: Option<Uri>,
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    condition: Arc<Condition>,
}

/// How an attempt ended.
pub(super) enum Attempt {
    /// The node was reached, for better or worse.
    Answered(Result<Reply>),
    /// The node cannot have seen the call.
    NotReached(legacy::Error),
}

impl Node {
    pub(super) fn new(record: &micro_registry::Node) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(2)));
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(256)
            .build(connector);
        let uri = format!("http://{}/", record.address).parse().ok();
        Self { id: record.id.clone(), address: record.address.clone(), uri, http, condition: Arc::default() }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) async fn attempt(&self, call: &Outgoing, deadline: Instant, now: u64) -> Attempt {
        let in_flight = self.condition.begin();
        let left = deadline.saturating_duration_since(Instant::now());
        let Some(uri) = &self.uri else {
            let error = Error::unavailable(format!("`{}` has a node with an unusable address", call.service));
            return Attempt::Answered(Err(error.with_id(&call.service)));
        };
        let request = match wire::request(call, uri, left) {
            Ok(request) => request,
            Err(error) => return Attempt::Answered(Err(error)),
        };
        let response = match tokio::time::timeout_at(deadline.into(), self.http.request(request)).await {
            Err(_) => {
                self.condition.slow();
                let error = Error::timeout(format!("`{}` did not answer within the deadline", call.service));
                return Attempt::Answered(Err(error.with_id(&call.service)));
            }
            Ok(answered) => answered,
        };
        let response = match response {
            Ok(response) => response,
            // Refused, or closed before a byte of the request was written.
            Err(error) if error.is_connect() => {
                self.condition.failed(now);
                return Attempt::NotReached(error);
            }
            Err(error) => {
                self.condition.failed(now);
                return Attempt::Answered(Err(lost(call, error)));
            }
        };
        self.condition.succeeded();
        let (parts, body) = response.into_parts();
        if let Some(error) = wire::failed(parts.status, &parts.headers, &call.service) {
            return Attempt::Answered(Err(error));
        }
        if wire::streams(&parts.headers) {
            let items = ndjson::decode(body).inspect(move |_| {
                let _ = &in_flight; // counts as in flight as long as the stream lives
            });
            return Attempt::Answered(Ok(Reply::Stream(items.boxed())));
        }
        Attempt::Answered(match micro_runtime::http::read(body, MAX_REPLY).await {
            Ok(Some(body)) => Ok(Reply::Value(body)),
            Ok(None) => Err(Error::internal(format!("`{}` answered with more than {MAX_REPLY} bytes", call.service))),
            Err(error) => Err(lost(call, BrokenBody(error))),
        })
    }
}

/// The connection broke while the service may have been at work: it is not known what was done.
fn lost(call: &Outgoing, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::unavailable(format!("the connection to `{}` was lost before it answered", call.service))
        .with_id(&call.service)
        .with_source(source)
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct BrokenBody(micro_runtime::http::BodyError);

/// The nodes of one service, with their conditions side by side for the selector.
#[derive(Debug)]
pub(super) struct Nodes {
    nodes: Vec<Arc<Node>>,
    conditions: Vec<Arc<Condition>>,
}

impl Nodes {
    pub(super) fn new(nodes: Vec<Arc<Node>>) -> Self {
        let conditions = nodes.iter().map(|n| n.condition.clone()).collect();
        Self { nodes, conditions }
    }

    pub(super) fn conditions(&self) -> &[Arc<Condition>] {
        &self.conditions
    }

    pub(super) fn find(&self, record: &micro_registry::Node) -> Option<Arc<Node>> {
        self.nodes.iter().find(|n| n.id == record.id && n.address == record.address).cloned()
    }
}

impl Deref for Nodes {
    type Target = [Arc<Node>];

    fn deref(&self) -> &Self::Target {
        &self.nodes
    }
}
