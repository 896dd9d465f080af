//! Questions to legacy clients that wait for their answers.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use micro_mcp_proto::{Id, RpcError, method, write};
use parking_lot::Mutex;
use serde_json::value::RawValue;
use tokio::{sync::oneshot, time::timeout};

use super::AskError;
use crate::{
    KeyRing, TraceContext,
    outlet::Outlet,
    seal::{self, NONCE},
};

/// What a client answered: a result, or an error.
type Answer = Result<Box<RawValue>, RpcError>;

/// The questions of a server that wait. They live in this process alone: when the client's answer
/// reaches another replica, that one says 202 and the question here runs out of time, so replicas want
/// a balancer that keeps legacy sessions where they are.
pub(crate) struct Pending {
    /// None, once no answer can come.
    waiting: Mutex<Option<HashMap<Box<str>, Waiting>>>,
    /// Bind the names of pages to sessions.
    keys: KeyRing,
}

struct Waiting {
    session: [u8; NONCE],
    answer: oneshot::Sender<Answer>,
}

/// The way to one legacy client.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pending: Arc<Pending>,
    session: [u8; NONCE],
    /// The context of the client's own request: what we ask is a part of it.
    trace: Option<Arc<TraceContext>>,
}

/// Questions that wait at once, in all and of one session.
const MAX_PENDING: usize = 4096;
const MAX_OF_SESSION: usize = 64;

impl Pending {
    pub(crate) fn new(keys: KeyRing) -> Self {
        Self { waiting: Mutex::new(Some(HashMap::new())), keys }
    }

    /// Whether a page was named for the client of this session, by whichever replica.
    pub(crate) fn is_page_of(&self, session: [u8; NONCE], id: &str) -> bool {
        self.keys.open(&page_of(session), id).is_some()
    }

    /// Hands an answer to the question it names. Only the session that was asked can answer; whatever
    /// else comes is late, made up, or another replica's.
    pub(crate) fn resolve(&self, session: [u8; NONCE], id: Id<'_>, outcome: Result<&RawValue, &RawValue>) {
        let id = id.as_str().trim_matches('"');
        let mut pending = self.waiting.lock();
        let Some(pending) = pending.as_mut() else { return };
        if pending.get(id).is_none_or(|waiting| waiting.session != session) {
            return;
        }
        let Some(waiting) = pending.remove(id) else { return };
        let _ = waiting.answer.send(match outcome {
            Ok(result) => Ok(result.to_owned()),
            Err(error) => Err(serde_json::from_str(error.get()).unwrap_or_else(|_| RpcError::internal())),
        });
    }

    /// No answer comes any more: whoever waits for one, or asks from now on, is told so.
    pub(crate) fn close(&self) {
        self.waiting.lock().take();
    }

    fn open(&self, session: [u8; NONCE]) -> Option<(String, oneshot::Receiver<Answer>)> {
        let id = random_id();
        let (answer, answered) = oneshot::channel();
        let mut pending = self.waiting.lock();
        let pending = pending.as_mut()?;
        let full = pending.len() >= MAX_PENDING
            || pending.values().filter(|waiting| waiting.session == session).count() >= MAX_OF_SESSION;
        if full {
            return None;
        }
        pending.insert(id.as_str().into(), Waiting { session, answer });
        Some((id, answered))
    }
}

impl Line {
    pub(crate) fn new(pending: &Arc<Pending>, session: [u8; NONCE], trace: Option<TraceContext>) -> Self {
        Self { pending: pending.clone(), session, trace: trace.map(Arc::new) }
    }

    /// A name for a page that this client's user is sent to. It says nothing, and nobody else is told of it.
    pub(crate) fn name_page(&self) -> String {
        self.pending.keys.seal(&page_of(self.session), b"")
    }

    /// Sends a request on the stream of a call and waits for its result. Dropping this tells the client
    /// that the answer is no longer wanted.
    pub(crate) async fn ask(
        &self,
        outlet: &Outlet,
        method: &str,
        params: &RawValue,
        within: Duration,
    ) -> Result<Box<RawValue>, AskError> {
        if outlet.is_closed() {
            return Err(AskError::Unreachable);
        }
        let (id, answered) = self.pending.open(self.session).ok_or(AskError::Unreachable)?;
        let question = Open { pending: &self.pending, outlet, id };
        let exchange = async {
            let params = || self.trace.as_ref().map_or(params.get().into(), |trace| trace.put_into(params));
            outlet.send_with(|| write::request(&question.id, method, params().as_bytes())).await;
            answered.await
        };
        match timeout(within, exchange).await {
            Ok(Ok(Ok(result))) => Ok(result),
            Ok(Ok(Err(error))) => Err(AskError::Refused(error)),
            Ok(Err(_)) => Err(AskError::Unreachable),
            Err(_) => Err(AskError::TimedOut),
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending(…)")
    }
}

/// A question that waits, until this is dropped.
struct Open<'a> {
    pending: &'a Pending,
    outlet: &'a Outlet,
    id: String,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        // Still there: nobody answered.
        if self.pending.waiting.lock().as_mut().is_some_and(|pending| pending.remove(&*self.id).is_some()) {
            let params = format!(r#"{{"requestId":"{}"}}"#, self.id);
            self.outlet.try_send(write::notification(method::CANCELLED, Some(params.as_bytes())));
        }
    }
}

/// What the names of a session's pages are sealed for.
fn page_of(session: [u8; NONCE]) -> String {
    format!("mcp-page {}", URL_SAFE_NO_PAD.encode(session))
}

/// A name nobody can guess, and no replica uses again.
pub(crate) fn random_id() -> String {
    URL_SAFE_NO_PAD.encode(seal::random::<12>())
}
