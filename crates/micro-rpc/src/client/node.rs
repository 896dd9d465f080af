//! One node: its connections, its condition, one attempt of a call.

use std::{collections::VecDeque, io, ops::Deref, sync::Arc, time::Duration};

use futures_util::StreamExt;
use micro_core::{Error, Result};
use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};

use super::http1::{Connection, Head};
use crate::{Outgoing, Reply, ndjson, selector::Condition, wire};

/// Largest answer that is read, in bytes.
const MAX_REPLY: usize = 64 * 1024 * 1024;
/// How long a node may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// How long an unused connection is kept. Services keep theirs a little longer.
pub(super) const IDLE: Duration = Duration::from_secs(30);
/// Unused connections kept to one node.
const MAX_IDLE: usize = 256;

/// A node of a service. Its connections are its own, so they go when it goes.
#[derive(Debug)]
pub(super) struct Node {
    id: String,
    address: String,
    idle: Mutex<VecDeque<Idle>>,
    condition: Arc<Condition>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

/// How an attempt ended.
pub(super) enum Attempt {
    /// The node was reached, for better or worse.
    Answered(Result<Reply>),
    /// The node cannot have seen the call.
    NotReached(io::Error),
}

impl Node {
    pub(super) fn new(record: &micro_registry::Node) -> Self {
        let (id, address) = (record.id.clone(), record.address.clone());
        Self { id, address, idle: Mutex::default(), condition: Arc::default() }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Closes connections nobody has used for a while.
    pub(super) fn sweep(&self) {
        let mut idle = self.idle.lock();
        while idle.front().is_some_and(|oldest| oldest.since.elapsed() >= IDLE) {
            idle.pop_front();
        }
    }

    pub(super) async fn attempt(&self, call: &Outgoing, deadline: Instant, now: u64) -> Attempt {
        let in_flight = self.condition.begin();
        let head = match wire::request(call, &self.address, deadline.saturating_duration_since(Instant::now())) {
            Ok(head) => head,
            Err(error) => return Attempt::Answered(Err(error)),
        };
        let answer = match timeout_at(deadline, self.exchange(call, &head)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(Broken::NotReached(error))) => {
                self.condition.failed(now);
                return Attempt::NotReached(error);
            }
            Ok(Err(Broken::Lost(error))) => {
                self.condition.failed(now);
                return Attempt::Answered(Err(lost(call, error)));
            }
            Err(_) => {
                self.condition.slow();
                let error = Error::timeout(format!("`{}` did not answer within the deadline", call.service));
                return Attempt::Answered(Err(error.with_id(&call.service)));
            }
        };
        self.condition.succeeded();
        Attempt::Answered(match answer {
            Answer::Whole(Some(body)) => Ok(Reply::Value(body)),
            Answer::Whole(None) => {
                Err(Error::internal(format!("`{}` answered with more than {MAX_REPLY} bytes", call.service)))
            }
            Answer::Failed(error) => Err(error),
            Answer::Stream(pieces) => {
                let items = ndjson::decode(pieces).inspect(move |_| {
                    let _ = &in_flight; // counts as in flight as long as the stream lives
                });
                Ok(Reply::Stream(items.boxed()))
            }
        })
    }

    /// One request and its answer. A kept connection may have been closed at the other end just now:
    /// a call of which nothing was written goes out on another.
    async fn exchange(&self, call: &Outgoing, head: &[u8]) -> Result<Answer, Broken> {
        while let Some(mut connection) = self.kept() {
            match connection.request(head, &call.body).await {
                Ok(answer) => return self.answer(call, connection, answer).await,
                Err((_, false)) => {}
                Err((error, true)) => return Err(Broken::Lost(error)),
            }
        }
        let mut connection = match tokio::time::timeout(CONNECT, Connection::open(&self.address)).await {
            Ok(opened) => opened.map_err(Broken::NotReached)?,
            Err(_) => return Err(Broken::NotReached(io::ErrorKind::TimedOut.into())),
        };
        match connection.request(head, &call.body).await {
            Ok(answer) => self.answer(call, connection, answer).await,
            Err((error, false)) => Err(Broken::NotReached(error)),
            Err((error, true)) => Err(Broken::Lost(error)),
        }
    }

    async fn answer(&self, call: &Outgoing, mut connection: Connection, head: Head) -> Result<Answer, Broken> {
        let failed = wire::failed(head.status, head.error.as_deref(), &call.service);
        if failed.is_none() && wire::streams(head.content_type.as_deref()) {
            return Ok(Answer::Stream(connection.pieces(&head)));
        }
        let body = connection.whole(&head, MAX_REPLY).await.map_err(Broken::Lost)?;
        if connection.is_reusable() {
            let mut idle = self.idle.lock();
            if idle.len() < MAX_IDLE {
                idle.push_back(Idle { connection, since: Instant::now() });
            }
        }
        Ok(failed.map_or(Answer::Whole(body), Answer::Failed))
    }

    /// A connection that was used before and is still open; the one used last, so that those not
    /// needed grow old.
    fn kept(&self) -> Option<Connection> {
        let mut idle = self.idle.lock();
        while let Some(Idle { connection, since }) = idle.pop_back() {
            if since.elapsed() < IDLE && connection.is_fresh() {
                return Some(connection);
            }
        }
        None
    }
}

/// What a node answered.
enum Answer {
    /// A body; `None` when it is too large.
    Whole(Option<bytes::Bytes>),
    Stream(super::http1::Pieces),
    Failed(Error),
}

/// Why there is no answer.
enum Broken {
    /// The node cannot have seen the call.
    NotReached(io::Error),
    /// It may have.
    Lost(io::Error),
}

/// The connection broke while the service may have been at work: it is not known what was done.
fn lost(call: &Outgoing, source: io::Error) -> Error {
    Error::unavailable(format!("the connection to `{}` was lost before it answered", call.service))
        .with_id(&call.service)
        .with_source(source)
}

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
