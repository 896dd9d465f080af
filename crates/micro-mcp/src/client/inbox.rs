//! What the server says that is no answer: notifications, and requests of its own.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use micro_mcp_proto::{
    ElicitAction, ElicitationCompleteParams, Era, Id, Message, Revision, RpcError, method, parse, write,
};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{sync::watch, task::AbortHandle, time::timeout};

use super::{
    Error,
    callbacks::{Callbacks, Changed, DECLINED, OnProgress, UrlVisit, tell},
    core::Typed,
    exchange::{Exchange, Outgoing},
    lists::Known,
    message::Members,
};

/// Questions of the server's that are answered at the same time; more are refused.
const MAX_QUESTIONS: usize = 64;
/// Pages that are remembered to be done.
const MAX_VISITED: usize = 256;

/// Where everything goes that is no answer.
#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) callbacks: Callbacks,
    pub(crate) known: Known,
    /// Names of pages whose user is done, the last ones (2025-11-25).
    visited: watch::Sender<VecDeque<String>>,
    /// Questions that are being answered, by their ids.
    questions: Mutex<HashMap<Box<str>, AbortHandle>>,
    answering: AtomicUsize,
}

impl Inbox {
    pub(crate) fn new(callbacks: Callbacks) -> Self {
        Self { callbacks, ..Self::default() }
    }

    /// Whether the server waits for an answer of ours: it has not forgotten us then.
    pub(crate) fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Relaxed) > 0
    }

    /// Takes a whole message that belongs to no request.
    pub(crate) fn unasked(self: &Arc<Self>, exchange: &Arc<dyn Exchange>, revision: Option<Revision>, bytes: &[u8]) {
        match parse(bytes) {
            Ok(Message::Notification { method, params }) => self.notification(&method, params, None),
            Ok(Message::Request { id, method, params }) => self.request(exchange, revision, id, &method, params),
            Ok(Message::Response { .. } | Message::Batch(_)) => tracing::debug!("a message that nobody waits for"),
            Err(malformed) => tracing::debug!(error = %malformed.error, "a message that cannot be read"),
        }
    }

    pub(crate) fn notification(&self, method: &str, params: Option<&RawValue>, progress: Option<&OnProgress>) {
        match method {
            "notifications/progress" => {
                if let (Some(told), Some(how_far)) = (progress, read(params)) {
                    tell(told, how_far);
                }
            }
            "notifications/message" => {
                if let (Some(told), Some(line)) = (&self.callbacks.log, read(params)) {
                    tell(told, line);
                }
            }
            "notifications/tools/list_changed" => self.changed(Changed::Tools),
            "notifications/prompts/list_changed" => self.changed(Changed::Prompts),
            "notifications/resources/list_changed" => self.changed(Changed::Resources),
            "notifications/resources/updated" => {
                #[derive(Deserialize)]
                struct Updated {
                    uri: String,
                }
                if let Some(Updated { uri }) = read(params) {
                    self.changed(Changed::Resource(uri));
                }
            }
            method::ELICITATION_COMPLETE => {
                if let Some(ElicitationCompleteParams { elicitation_id, .. }) = read(params) {
                    self.visited.send_modify(|visited| {
                        visited.push_back(elicitation_id);
                        visited.drain(..visited.len().saturating_sub(MAX_VISITED));
                    });
                }
            }
            method::CANCELLED => {
                #[derive(Deserialize)]
                #[serde(rename_all = "camelCase")]
                struct Cancelled<'a> {
                    #[serde(borrow)]
                    request_id: &'a RawValue,
                }
                if let Some(Cancelled { request_id }) = read(params)
                    && let Some(question) = self.questions.lock().remove(request_id.get())
                {
                    question.abort();
                }
            }
            _ => tracing::trace!(method, "a notification that says nothing to this client"),
        }
    }

    /// Sends the person to the pages of a `-32042`, and waits until they are done or `patience` is over; the
    /// server need not tell. Pages that are known already are only waited for.
    pub(crate) async fn visit(
        &self,
        required: &RpcError,
        known: &mut HashSet<String>,
        patience: Duration,
    ) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Data {
            elicitations: Vec<UrlVisit>,
        }
        let unclear = || Error::protocol("it asks to visit pages, and names none");
        let data = required.data.as_deref().ok_or_else(unclear)?;
        let Data { elicitations } = serde_json::from_str(data.get()).map_err(|_| unclear())?;
        if elicitations.is_empty() || elicitations.len() > MAX_QUESTIONS {
            return Err(unclear());
        }
        let mut open = HashSet::new();
        for page in elicitations {
            let id = page.elicitation_id.clone().ok_or_else(unclear)?;
            open.insert(id.clone());
            if known.insert(id) && self.callbacks.visit(page).await != ElicitAction::Accept {
                return Err(Error::Declined);
            }
        }
        let mut visited = self.visited.subscribe();
        let all = visited.wait_for(|visited| open.iter().all(|id| visited.contains(id)));
        let _ = timeout(patience, all).await;
        Ok(())
    }

    /// Forgets what is not so any more, and tells the application.
    pub(crate) fn changed(&self, what: Changed) {
        self.known.forget(&what);
        if let Some(told) = &self.callbacks.change {
            tell(told, what);
        }
    }

    /// Answers a request of the server's, in a task of its own: it may take a person's time.
    pub(crate) fn request(
        self: &Arc<Self>,
        exchange: &Arc<dyn Exchange>,
        revision: Option<Revision>,
        id: Id<'_>,
        method: &str,
        params: Option<&RawValue>,
    ) {
        if revision.is_some_and(|revision| revision.era() == Era::Modern) {
            tracing::debug!(method, "a modern server sends no requests: ignored");
            return;
        }
        let reply = |body: Vec<u8>| Outgoing { body: body.into(), revision, ..Outgoing::default() };
        let question = Question::begin(self, id);
        let sending = match (method, question) {
            ("ping", _) => exchange.tell(reply(write::response(id, b"{}"))),
            (_, None) => exchange.tell(reply(write::error(Some(id), &RpcError::internal()))),
            (_, Some(question)) => {
                let (inbox, exchange) = (self.clone(), exchange.clone());
                let (method, params) = (method.to_owned(), params.map(ToOwned::to_owned));
                let answering = tokio::spawn(async move {
                    let answer = inbox.callbacks.answer(&method, params.as_deref()).await;
                    let id = question.id();
                    let body = match answer {
                        Ok(result) => write::response(id, result.to_string().as_bytes()),
                        Err(error) => write::error(Some(id), &error),
                    };
                    let message = Outgoing { body: body.into(), revision, ..Outgoing::default() };
                    let _ = exchange.tell(message).await; // a server that is gone needs no answer
                });
                let mut questions = self.questions.lock();
                if !answering.is_finished() {
                    questions.insert(id.as_str().into(), answering.abort_handle());
                }
                return;
            }
        };
        tokio::spawn(async move {
            let _ = sending.await;
        });
    }

    /// Answers what the server wants to know before it goes on (`basic/patterns/mrtr`).
    pub(crate) async fn input(&self, more: &Typed<'_>) -> Result<Members, Error> {
        let questions = more.input_requests.map(Questions::read).transpose()?.unwrap_or_default();
        let responses = self.answers(questions).await?;
        let mut answers = Members::default();
        if !responses.is_empty() {
            answers = answers.raw("inputResponses", &responses.object());
        }
        if let Some(state) = more.request_state {
            answers = answers.raw("requestState", state.get());
        }
        Ok(answers)
    }

    /// Answers questions side by side; the members of `inputResponses`.
    pub(crate) async fn answers(&self, questions: Questions) -> Result<Members, Error> {
        let answering = questions.0.into_iter().map(async |(key, question)| {
            let answer = self.callbacks.answer(&question.method, question.params.as_deref()).await;
            (key, question.method, answer)
        });
        let mut responses = Members::default();
        for (key, method, answer) in join_all(answering).await {
            match answer {
                Ok(answer) => responses = responses.member(&key, &answer)?,
                Err(error) if error.code == DECLINED => return Err(Error::Declined),
                Err(error) => {
                    tracing::debug!(method, %error, "a question without an answer");
                    return Err(Error::protocol(format!("it asks for {method:.60}, which this client cannot do")));
                }
            }
        }
        Ok(responses)
    }
}

/// `inputRequests`: questions by key.
#[derive(Default)]
pub(crate) struct Questions(pub(crate) HashMap<String, InputRequest>);

/// One question; its params stay as they were written.
#[derive(Deserialize)]
pub(crate) struct InputRequest {
    method: String,
    #[serde(default)]
    params: Option<Box<RawValue>>,
}

impl Questions {
    /// # Errors
    /// When they cannot be read, or are too many.
    pub(crate) fn read(raw: &RawValue) -> Result<Self, Error> {
        let questions: HashMap<String, InputRequest> = serde_json::from_str(raw.get())?;
        if questions.len() > MAX_QUESTIONS {
            return Err(Error::protocol("too many questions at once"));
        }
        Ok(Self(questions))
    }
}

/// A question that is being answered, until it is dropped.
struct Question {
    inbox: Arc<Inbox>,
    id: Box<RawValue>,
}

impl Question {
    fn begin(inbox: &Arc<Inbox>, id: Id<'_>) -> Option<Self> {
        let id = RawValue::from_string(id.as_str().to_owned()).ok()?;
        let question = Self { inbox: inbox.clone(), id };
        (inbox.answering.fetch_add(1, Ordering::Relaxed) < MAX_QUESTIONS).then_some(question)
    }

    fn id(&self) -> Id<'_> {
        Id::new(&self.id).expect("it was one before")
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.inbox.answering.fetch_sub(1, Ordering::Relaxed);
        self.inbox.questions.lock().remove(self.id.get());
    }
}

fn read<'a, T: Deserialize<'a>>(params: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(params?.get()).ok()
}
