//! Rounds: a request that asks ends, and begins anew with the answers (`basic/patterns/mrtr`, 2026-07-28).

use std::{fmt::Write, time::Duration};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::future::try_join_all;
use micro_mcp_proto::{
    ClientCapabilities, CreateMessage, ElicitParams, ElicitUrl, EmptyParams, Era, InputRequest, NotAForm, Params,
    Revision, RpcError, code,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};
use sha2::{Digest, Sha256};

use super::{
    AskError, TIMEOUT,
    notes::{Answers, Book},
    question,
};
use crate::{
    CallContext, CallError, Cx, KeyRing, Principal,
    result::{self, Identity},
    time::unix,
};

/// Ends a call with questions, and a state to get back with the answers. For handlers that must not run
/// again from their beginning; see [`crate::Ask`].
///
/// ```
/// # use micro_mcp::{CallContext, CallError, InputRequired};
/// # fn reserve() -> u32 { 7 }
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Pay {
///     /// The number on the card, without blanks.
///     account: String,
/// }
///
/// async fn book(cx: CallContext) -> Result<String, CallError> {
///     let Some(seat) = cx.state::<u32>()? else {
///         let seat = reserve(); // once, however often the client comes back
///         return Err(InputRequired::new().elicit::<Pay>("pay", "How will you pay?").state(&seat).into());
///     };
///     let Some(pay) = cx.response::<Pay>("pay")? else {
///         return Err(InputRequired::new().elicit::<Pay>("pay", "Once more?").state(&seat).into());
///     };
///     Ok(format!("seat {seat} is paid from {}", pay.account))
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct InputRequired {
    asks: Vec<(String, InputRequest)>,
    bad: Option<NotAForm>,
    state: Option<Box<RawValue>>,
}

/// The state that came with a call is not what the handler reads.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the state is of another kind")]
pub struct InvalidState;

/// Seals what travels between the rounds of a server's requests.
#[derive(Debug, Clone)]
pub(crate) struct Rounds {
    pub(crate) keys: KeyRing,
    pub(crate) ttl: Duration,
}

/// What a request asks for. A state is good for the same request of the same caller only.
pub(crate) struct Scope<'a> {
    pub(crate) method: &'static str,
    /// Of the tool or prompt, or the URI of the resource.
    pub(crate) name: &'a str,
    pub(crate) arguments: Option<&'a RawValue>,
    pub(crate) responses: Option<&'a RawValue>,
    pub(crate) state: Option<&'a RawValue>,
}

/// How a request ended.
pub(crate) enum Round<T> {
    /// With its result.
    Done(T),
    /// With questions: the raw result that says so.
    Asks(Bytes),
}

/// What is in a state.
#[derive(Serialize, Deserialize)]
struct Sealed {
    /// Unix seconds after which it is unknown.
    until: u64,
    #[serde(default, skip_serializing_if = "Answers::is_empty")]
    answers: Answers,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<Box<RawValue>>,
}

/// Longest state handed out, in bytes before sealing: it comes back in a body, which has its own bound.
const MAX_STATE: usize = 1 << 20;
/// Answers that one request may bring.
const MAX_ANSWERS: usize = 256;
/// Rounds of one legacy request; only a handler that never has enough gets that far.
const MAX_ROUNDS: u32 = 32;
/// How long a handler that asks nothing waits until it runs again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(5);

impl InputRequired {
    /// No question yet. Without one, the call begins anew a little later: that sheds load.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the user to fill in a form; see [`crate::CallContext::elicit`]. Keys are unique in here.
    #[must_use]
    pub fn elicit<T: JsonSchema>(mut self, key: impl Into<String>, message: impl Into<String>) -> Self {
        match question::form::<T>(message) {
            Ok(form) => self.ask(key, form),
            Err(bad) => {
                self.bad.get_or_insert(bad);
                self
            }
        }
    }

    /// Sends the user to a URL; see [`crate::CallContext::elicit_url`].
    #[must_use]
    pub fn elicit_url(self, key: impl Into<String>, message: impl Into<String>, url: impl Into<String>) -> Self {
        self.ask(key, question::url(message, url))
    }

    /// Asks the client's model.
    #[must_use]
    pub fn sample(self, key: impl Into<String>, request: CreateMessage) -> Self {
        self.ask(key, InputRequest::Sample(Box::new(request)))
    }

    /// Asks for the client's roots.
    #[must_use]
    pub fn roots(self, key: impl Into<String>) -> Self {
        self.ask(key, InputRequest::Roots(EmptyParams::default()))
    }

    /// Asks any question.
    #[must_use]
    pub fn ask(mut self, key: impl Into<String>, question: InputRequest) -> Self {
        self.asks.push((key.into(), question));
        self
    }

    /// What [`crate::CallContext::state`] gives when the client comes back. It travels sealed through
    /// the client, who can neither read nor change it, but may bring it more than once.
    ///
    /// # Panics
    /// When the value cannot be written as JSON (a map whose keys are no strings).
    #[must_use]
    pub fn state(mut self, state: &impl Serialize) -> Self {
        self.state = Some(to_raw_value(state).expect("a state is plain JSON"));
        self
    }
}

impl Rounds {
    /// Runs a handler until it has a result, or, with a modern client, questions.
    pub(crate) async fn run<T>(
        &self,
        cx: &Cx<'_>,
        scope: &Scope<'_>,
        identity: &Identity,
        start: impl Fn() -> BoxFuture<'static, Result<T, CallError>>,
    ) -> Result<Round<T>, CallError> {
        let modern = cx.era() == Era::Modern;
        if modern && (scope.responses.is_some() || scope.state.is_some()) {
            self.open(cx, scope)?;
        }
        for round in 0..MAX_ROUNDS {
            let outcome = start().await;
            let asked = match outcome {
                // A question that was asked is to be answered, even if the handler went on without.
                Ok(done) if !cx.back.outlet.notes().are_used() => return Ok(Round::Done(done)),
                Ok(done) => match cx.back.outlet.notes().close() {
                    Some(book) if !book.open.is_empty() => (book, InputRequired::default()),
                    _ => return Ok(Round::Done(done)),
                },
                Err(CallError::InputRequired(required)) => {
                    (cx.back.outlet.notes().close().unwrap_or_default(), *required)
                }
                Err(CallError::Rpc(error)) if error.code == code::URL_ELICITATION_REQUIRED => {
                    let book = cx.back.outlet.notes().close().unwrap_or_default();
                    let required = pages_first(cx.revision, cx.client_capabilities(), error, &book.given)?;
                    (book, required)
                }
                Err(error) => {
                    cx.back.outlet.notes().close();
                    return Err(error);
                }
            };
            let (book, required) = asked;
            if let Some(bad) = required.bad {
                return Err(AskError::from(bad).into());
            }
            if modern {
                return self.ask(cx, scope, identity, book, required).map(Round::Asks);
            }
            // Cold, and larger than all the rest.
            Box::pin(ask_legacy(cx, required, round)).await?;
        }
        tracing::error!(method = scope.method, name = scope.name, "a handler asks without end");
        Err(RpcError::internal().into())
    }

    /// Lays the answers that came with a request before its handler.
    fn open(&self, cx: &Cx<'_>, scope: &Scope<'_>) -> Result<(), RpcError> {
        let invalid = || RpcError::invalid_params("params.requestState is not valid");
        let sealed = match Params::optional_string(scope.state, "requestState")? {
            None => None,
            Some(token) => {
                let (_, plain) = self.keys.open(&purpose(cx.principal, scope), &token).ok_or_else(invalid)?;
                let sealed: Sealed = serde_json::from_slice(&plain).map_err(|_| invalid())?;
                Some(sealed).filter(|sealed| unix().as_secs() < sealed.until).ok_or_else(invalid).map(Some)?
            }
        };
        let wrong = |_| RpcError::invalid_params("params.inputResponses must be an object");
        let mut given: Answers =
            scope.responses.map(|raw| serde_json::from_str(raw.get()).map_err(wrong)).transpose()?.unwrap_or_default();
        if given.len() > MAX_ANSWERS {
            return Err(RpcError::invalid_params(format!("params.inputResponses holds over {MAX_ANSWERS} answers")));
        }
        let state = sealed.and_then(|sealed| {
            given.extend(sealed.answers); // what was answered once stays as it was
            sealed.state
        });
        cx.back.outlet.notes().begin(given, state);
        Ok(())
    }

    /// The result that asks.
    fn ask(
        &self,
        cx: &Cx<'_>,
        scope: &Scope<'_>,
        identity: &Identity,
        book: Book,
        required: InputRequired,
    ) -> Result<Bytes, CallError> {
        let Book { mut open, kept: answers, .. } = book;
        open.extend(required.asks);
        let client = cx.client_capabilities();
        open.iter().try_for_each(|(_, question)| question::check(question, client))?;
        let worded = |(key, question)| Ok((key, question::in_words_of(cx.revision, question)?));
        let open: Vec<(String, InputRequest)> = open.into_iter().map(worded).collect::<Result<_, AskError>>()?;
        let until = (unix() + self.ttl).as_secs();
        let sealed = serde_json::to_vec(&Sealed { until, answers, state: required.state });
        let sealed = sealed.ok().filter(|sealed| sealed.len() <= MAX_STATE).ok_or_else(|| {
            tracing::error!(method = scope.method, name = scope.name, "answers and state are too large to travel");
            RpcError::internal()
        })?;
        let token = self.keys.seal(&purpose(cx.principal, scope), &sealed);
        Ok(result::input_required(open.iter().map(|(key, question)| (key.as_str(), question)), Some(&token), identity))
    }
}

/// The way to pages that must be visited before a call (`-32042`): 2025-11-25 has that error, 2026-07-28 has
/// questions instead, and older clients can only read of it.
fn pages_first(
    revision: Revision,
    client: ClientCapabilities,
    error: RpcError,
    given: &Answers,
) -> Result<InputRequired, CallError> {
    #[derive(Default, Deserialize)]
    struct Data {
        elicitations: Vec<ElicitUrl>,
    }
    match revision {
        Revision::V2026_07_28 => {}
        Revision::V2025_11_25 if client.elicitation_url => return Err(error.into()),
        _ => return Err(CallError::Failed(error.message.into_owned())),
    }
    let data = error.data.as_ref().and_then(|data| serde_json::from_str::<Data>(data.get()).ok());
    let pages = data.unwrap_or_default().elicitations.into_iter().enumerate();
    pages.into_iter().try_fold(InputRequired::new(), |required, (i, page)| {
        let key = format!("page-{}", i + 1);
        // Whoever would not go is not asked for ever.
        if let Some(answer) = given.get(&key) {
            question::read_visit(answer)?;
        }
        Ok(required.ask(key, InputRequest::Elicit(ElicitParams::Url(page))))
    })
}

/// Asks a legacy client everything at once and lays the answers before the next run.
async fn ask_legacy(cx: &Cx<'_>, required: InputRequired, round: u32) -> Result<(), CallError> {
    let client = cx.client_capabilities();
    required.asks.iter().try_for_each(|(_, question)| question::check(question, client))?;
    let answers = required.asks.into_iter().map(async |(key, question)| {
        let line = cx.line().ok_or(AskError::Unreachable)?;
        let question = question::legacy(question, &line, cx.revision)?;
        let answer = line.ask(cx.back.outlet, question.method(), &question.params(), TIMEOUT).await?;
        Ok::<_, AskError>((key, answer))
    });
    let given: Answers = try_join_all(answers).await?.into_iter().collect();
    pause_without(&given, round).await;
    cx.back.outlet.notes().begin(given, required.state);
    Ok(())
}

/// Asks everything at once within a task, and lays the answers before the next run.
pub(crate) async fn within_task(cx: &CallContext, required: InputRequired, round: u32) -> Result<(), CallError> {
    if let Some(bad) = required.bad {
        return Err(AskError::from(bad).into());
    }
    required.asks.iter().try_for_each(|(_, question)| question::check(question, cx.capabilities))?;
    let task = cx.task().ok_or(AskError::Unreachable)?;
    let answers = required.asks.into_iter().map(async |(key, question)| {
        let question =
            to_raw_value(&question::in_words_of(cx.revision, question)?).map_err(|_| AskError::Unreachable)?;
        let answer = task.ask(Some(&key), &question).await.ok_or(AskError::Unreachable)?;
        Ok::<_, AskError>((key, answer))
    });
    let given: Answers = try_join_all(answers).await?.into_iter().collect();
    pause_without(&given, round).await;
    cx.outlet.notes().begin(given, required.state);
    Ok(())
}

/// Whoever asks nothing sheds load, and begins anew later, each time after twice as long.
async fn pause_without(given: &Answers, round: u32) {
    if given.is_empty() {
        tokio::time::sleep((FIRST_PAUSE * 2_u32.saturating_pow(round)).min(LAST_PAUSE)).await;
    }
}

/// The same for the pages of a `-32042`.
pub(crate) async fn pages_within_task(cx: &CallContext, error: RpcError, round: u32) -> Result<(), CallError> {
    let book = cx.outlet.notes().close().unwrap_or_default();
    let required = pages_first(cx.revision, cx.capabilities, error, &book.given)?;
    within_task(cx, InputRequired { state: book.state, ..required }, round).await
}

/// Binds a state to a caller and to what is asked for.
fn purpose(principal: &Principal, scope: &Scope<'_>) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    match &principal.subject {
        Some(subject) => part(format!("s{subject}").as_bytes()),
        None => part(b""), // nobody is not the same as an empty name
    }
    part(scope.method.as_bytes());
    part(scope.name.as_bytes());
    part(canonical(scope.arguments).as_bytes());
    let mut purpose = "mcp-request-state ".to_owned();
    for byte in &hash.finalize()[..16] {
        let _ = write!(purpose, "{byte:02x}"); // a String takes everything
    }
    purpose
}

/// Arguments as they would be written by anyone: a proxy may order and space them anew.
fn canonical(arguments: Option<&RawValue>) -> String {
    let Some(raw) = arguments else { return "{}".to_owned() };
    let Ok(mut value) = serde_json::from_str::<Value>(raw.get()) else { return raw.get().to_owned() };
    value.sort_all_objects();
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope<'a>(name: &'a str, arguments: &'a str) -> Scope<'a> {
        let arguments = Some(serde_json::from_str(arguments).unwrap());
        Scope { method: "tools/call", name, arguments, responses: None, state: None }
    }

    #[test]
    fn a_state_is_bound_to_caller_name_and_arguments() {
        let ann = Principal::named("ann");
        let one = purpose(&ann, &scope("t", r#"{"a":1,"b":{"c":2,"d":3}}"#));
        assert_eq!(one, purpose(&ann, &scope("t", r#"{ "b": {"d":3, "c":2}, "a": 1 }"#)), "order and blanks");
        for other in [
            purpose(&Principal::named("bob"), &scope("t", r#"{"a":1,"b":{"c":2,"d":3}}"#)),
            purpose(&Principal::anonymous(), &scope("t", r#"{"a":1,"b":{"c":2,"d":3}}"#)),
            purpose(&ann, &scope("u", r#"{"a":1,"b":{"c":2,"d":3}}"#)),
            purpose(&ann, &scope("t", r#"{"a":2,"b":{"c":2,"d":3}}"#)),
        ] {
            assert_ne!(one, other);
        }
        let nobody = purpose(&Principal::anonymous(), &scope("t", "{}"));
        assert_ne!(nobody, purpose(&Principal::named(""), &scope("t", "{}")));
    }
}
