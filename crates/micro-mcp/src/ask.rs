//! Asking the client: its user (elicitation), its model (sampling), its roots.

mod form;
mod notes;
mod pending;
mod question;
mod rounds;

use std::{borrow::Cow, future::IntoFuture, marker::PhantomData, time::Duration};

use futures_core::future::BoxFuture;
use micro_mcp_proto::{CreateMessage, CreateMessageResult, Era, Root, RpcError};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

pub(crate) use self::{
    notes::Notes,
    pending::{Line, Pending},
    rounds::{Round, Rounds, Scope},
};
pub use self::{
    question::Question,
    rounds::{InputRequired, InvalidState},
};
use crate::CallContext;

/// Why an ask has no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// Not yet: it is on its way to the client, and the handler will run again. Let `?` carry it out.
    #[error("the answer is not there yet")]
    Pending,
    /// The person said no.
    #[error("the user declined to answer")]
    Declined,
    /// The person went away without saying anything.
    #[error("the user did not answer")]
    Cancelled,
    /// The client did not declare that it can be asked this (`-32021`).
    #[error("{}", .0.message)]
    Unsupported(RpcError),
    /// A modern client's answer has the wrong shape (`-32602`).
    #[error("{}", .0.message)]
    Malformed(RpcError),
    /// A legacy client answered with an error, or with something that is no answer.
    #[error("the client did not answer: {}", .0.message)]
    Refused(RpcError),
    /// A legacy client did not answer in time.
    #[error("no answer came in time")]
    TimedOut,
    /// There is no way to a legacy client: it takes no stream, or too many questions wait for it.
    #[error("the client cannot be asked now")]
    Unreachable,
}

/// How long a legacy client may take, unless [`Ask::timeout`] says otherwise.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(600);

/// A question on its way; `.await` it for the answer.
///
/// A handler asks in one way, whatever the revision: [`CallContext::elicit`] and its kin. What happens
/// then depends on the era:
///
/// * **Legacy**: the question goes to the client as a request of ours, on the stream of the call, and
///   the handler waits for the answer.
/// * **Modern** (2026-07-28): the server must not send requests. The question is noted, the ask ends
///   with [`AskError::Pending`], and `?` carries that out of the handler. The client gets a result that
///   lists all noted questions, asks its user, and calls again with the answers; the handler runs anew
///   from its beginning, and this time the ask returns.
///
/// # The rule for handlers that ask
///
/// In the modern era everything before an unanswered question runs once more after it was answered.
/// So, until the last question is answered, a handler must
///
/// * **ask the same questions in the same order** when it is given the same arguments and answers:
///   answers find their questions by key, and keys count up unless you name them with [`Ask::key`];
/// * **change nothing in the world**: do what cannot be undone after the last question.
///
/// Handlers that cannot keep the rule, because what comes before a question is costly or must not
/// happen twice, return an [`InputRequired`] instead: a state of their own, sealed, that they get back
/// with the answers. It works in both eras too.
///
/// ```
/// # use micro_mcp::{BuildError, CallContext, CallError, NoArgs, Server};
/// /// What the form asks for.
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Who {
///     /// Your first name.
///     name: String,
/// }
///
/// # fn main() -> Result<(), BuildError> {
/// let server = Server::builder("greeter", "1.0")
///     .tool("greet")
///     .handler(|cx: CallContext, _: NoArgs| async move {
///         let who = cx.elicit::<Who>("Who are you?").key("who").await?;
///         Ok::<_, CallError>(format!("Hello, {}!", who.name))
///     })
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a question is asked when it is awaited"]
#[derive(Debug)]
pub struct Ask<'a, T> {
    cx: &'a CallContext,
    question: Question,
    key: Option<Cow<'static, str>>,
    timeout: Duration,
    read: fn(&Question, &RawValue) -> Result<T, Unread>,
    answer: PhantomData<fn() -> T>,
}

/// Why an answer that came cannot be used.
enum Unread {
    /// It is no answer at all.
    Shape(&'static str),
    /// It is one, but not to what was asked: ask again.
    Content(String),
    Declined,
    Cancelled,
}

impl CallContext {
    /// Asks the user to fill in a form (since 2025-06-18). `T` is a flat struct of strings, numbers,
    /// booleans, enums and lists of enums; its doc comments, defaults and bounds are shown. Never ask
    /// for secrets this way.
    ///
    /// ```
    /// # use micro_mcp::{AskError, CallContext, CallError};
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Confirm {
    ///     /// Delete it for good?
    ///     #[serde(default)]
    ///     sure: bool,
    /// }
    ///
    /// async fn delete(cx: CallContext, file: String) -> Result<String, CallError> {
    ///     match cx.elicit::<Confirm>(format!("About to delete {file}.")).await {
    ///         Ok(Confirm { sure: true }) => Ok(format!("{file} is gone")),
    ///         Ok(_) | Err(AskError::Declined | AskError::Cancelled) => Ok("nothing was deleted".into()),
    ///         Err(error) => Err(error.into()),
    ///     }
    /// }
    /// ```
    pub fn elicit<T: DeserializeOwned + JsonSchema>(&self, message: impl Into<String>) -> Ask<'_, T> {
        Ask::new(self, Question::form::<T>(message), question::read_form)
    }

    /// Sends the user to a URL (since 2025-11-25): to sign in somewhere, to pay, to enter a secret. The
    /// answer only says that they agreed to go there.
    ///
    /// ```
    /// # use micro_mcp::{CallContext, CallError};
    /// async fn connect(cx: CallContext) -> Result<&'static str, CallError> {
    ///     cx.elicit_url("Please sign in.", "https://example.com/sign-in?ticket=7").await?;
    ///     Ok("welcome")
    /// }
    /// ```
    pub fn elicit_url(&self, message: impl Into<String>, url: impl Into<String>) -> Ask<'_, ()> {
        Ask::new(self, Question::Url { message: message.into(), url: url.into() }, question::read_consent)
    }

    /// Asks the client's model.
    ///
    /// ```
    /// # use micro_mcp::{CallContext, CallError, proto::CreateMessage};
    /// async fn summary(cx: CallContext, text: String) -> Result<String, CallError> {
    ///     let said = cx.sample(CreateMessage::ask(format!("Summarize: {text}"), 200)).await?;
    ///     Ok(said.to_text())
    /// }
    /// ```
    pub fn sample(&self, request: CreateMessage) -> Ask<'_, CreateMessageResult> {
        Ask::new(self, Question::Sample(Box::new(request)), question::read_message)
    }

    /// Asks for the places the client lets the server work in.
    ///
    /// ```
    /// # use micro_mcp::{CallContext, CallError};
    /// async fn count(cx: CallContext) -> Result<String, CallError> {
    ///     Ok(format!("{} roots", cx.roots().await?.len()))
    /// }
    /// ```
    pub fn roots(&self) -> Ask<'_, Vec<Root>> {
        Ask::new(self, Question::Roots, question::read_roots)
    }
}

impl<'a, T> Ask<'a, T> {
    fn new(cx: &'a CallContext, question: Question, read: fn(&Question, &RawValue) -> Result<T, Unread>) -> Self {
        Self { cx, question, key: None, timeout: TIMEOUT, read, answer: PhantomData }
    }

    /// The name under which modern clients find the question and return the answer; unique within the
    /// call. Without one, questions are counted: `ask-1`, `ask-2`, …
    pub fn key(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// How long a legacy client may take. Default: ten minutes. Modern clients take as long as the
    /// state lives ([`crate::Builder::state_ttl`]).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks with this schema instead of the one of `T`, for forms made at run time.
    pub fn schema(mut self, schema: micro_core::Schema) -> Self {
        if let Question::Form { schema: shown, .. } = &mut self.question {
            *shown = schema;
        }
        self
    }

    async fn answer(self) -> Result<T, AskError> {
        if let Some(error) = self.question.missing(self.cx.capabilities) {
            return Err(AskError::Unsupported(error));
        }
        match self.cx.era() {
            Era::Modern => self.note(),
            Era::Legacy => self.send().await,
        }
    }

    /// The answer that came with the call, or a note that there is none.
    fn note(self) -> Result<T, AskError> {
        let notes = self.cx.outlet.notes();
        let (key, given) = notes.take(self.key).map_err(AskError::Malformed)?;
        let Some(given) = given else {
            notes.ask(key, self.question);
            return Err(AskError::Pending);
        };
        let answer = match (self.read)(&self.question, &given) {
            Ok(answer) => Ok(answer),
            Err(Unread::Declined) => Err(AskError::Declined),
            Err(Unread::Cancelled) => Err(AskError::Cancelled),
            Err(Unread::Content(_)) => {
                notes.ask(key, self.question);
                return Err(AskError::Pending);
            }
            Err(Unread::Shape(reason)) => {
                let error = RpcError::invalid_params(format!("params.inputResponses: {reason}"));
                return Err(AskError::Malformed(error));
            }
        };
        notes.keep(key, given);
        answer
    }

    async fn send(self) -> Result<T, AskError> {
        let line = self.cx.line.as_ref().ok_or(AskError::Unreachable)?;
        let params = self.question.legacy_params();
        let raw = line.ask(&self.cx.outlet, self.question.method(), &params, self.timeout).await?;
        let refused = |reason: String| AskError::Refused(RpcError::invalid_params(reason));
        (self.read)(&self.question, &raw).map_err(|unread| match unread {
            Unread::Declined => AskError::Declined,
            Unread::Cancelled => AskError::Cancelled,
            Unread::Shape(reason) => refused(reason.to_owned()),
            Unread::Content(reason) => refused(reason),
        })
    }
}

/// The form of an answer; `None` when it is of another kind.
pub(crate) fn read_response<T: DeserializeOwned>(answer: &RawValue) -> Result<Option<T>, AskError> {
    match question::read_form(&Question::Roots, answer) {
        Ok(form) => Ok(Some(form)),
        Err(Unread::Content(_)) => Ok(None),
        Err(Unread::Declined) => Err(AskError::Declined),
        Err(Unread::Cancelled) => Err(AskError::Cancelled),
        Err(Unread::Shape(reason)) => {
            Err(AskError::Malformed(RpcError::invalid_params(format!("params.inputResponses: {reason}"))))
        }
    }
}

impl<'a, T: Send + 'a> IntoFuture for Ask<'a, T> {
    type Output = Result<T, AskError>;
    /// Boxed, so that handlers stay small.
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.answer())
    }
}
