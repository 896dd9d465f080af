//! Asking the client: its user (elicitation), its model (sampling), its roots.

mod notes;
mod pending;
mod question;
mod rounds;

use std::{borrow::Cow, future::IntoFuture, time::Duration};

use futures_core::future::BoxFuture;
use micro_mcp_proto::{
    CreateMessage, CreateMessageResult, ElicitParams, EmptyParams, Era, FormSchema, InputRequest, NotAForm, Root,
    RpcError,
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, value::RawValue};

use self::question::Unread;
pub use self::rounds::{InputRequired, InvalidState};
pub(crate) use self::{
    notes::Notes,
    pending::{Line, Pending, random_id},
    rounds::{Round, Rounds, Scope, pages_within_task, within_task},
};
use crate::{CallContext, task::Running};

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
    /// The type has no form: a mistake of the server's.
    #[error(transparent)]
    NotAForm(#[from] NotAForm),
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
    question: Result<InputRequest, NotAForm>,
    key: Option<Cow<'static, str>>,
    timeout: Duration,
    read: Reader<T>,
}

/// Makes of an answer what the handler wants.
type Reader<T> = fn(&InputRequest, &RawValue) -> Result<T, Unread>;

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
        Ask::new(self, question::form::<T>(message), question::read_form)
    }

    /// The same with a form made at run time.
    ///
    /// ```
    /// # use micro_mcp::{CallContext, CallError, proto::{Field, FormSchema}};
    /// async fn survey(cx: CallContext, questions: Vec<String>) -> Result<String, CallError> {
    ///     let form = questions.into_iter().fold(FormSchema::new(), |form, name| form.required(name, Field::text()));
    ///     let answers = cx.elicit_form("A few questions.", form).await?;
    ///     Ok(format!("{} answers", answers.len()))
    /// }
    /// ```
    pub fn elicit_form(&self, message: impl Into<String>, form: FormSchema) -> Ask<'_, Map<String, Value>> {
        Ask::new(self, Ok(InputRequest::Elicit(ElicitParams::form(message, form))), question::read_form)
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
        Ask::new(self, Ok(question::url(message, url)), question::read_consent)
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
        Ask::new(self, Ok(InputRequest::Sample(Box::new(request))), question::read_message)
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
        Ask::new(self, Ok(InputRequest::Roots(EmptyParams::default())), question::read_roots)
    }
}

impl<'a, T> Ask<'a, T> {
    fn new(cx: &'a CallContext, question: Result<InputRequest, NotAForm>, read: Reader<T>) -> Self {
        Self { cx, question, key: None, timeout: TIMEOUT, read }
    }

    /// The name under which modern clients find the question and return the answer; unique within the
    /// call. Without one, questions are counted: `ask-1`, `ask-2`, …
    pub fn key(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The name under which [`crate::Notifier::elicitation_complete`] tells a client of 2025-11-25 that its
    /// user is done with a page; one of [`CallContext::elicitation_id`]. Means something to
    /// [`CallContext::elicit_url`] alone.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        if let Ok(InputRequest::Elicit(ElicitParams::Url(page))) = &mut self.question {
            page.elicitation_id = Some(id.into());
        }
        self
    }

    /// How long a legacy client may take. Default: ten minutes. Modern clients take as long as the
    /// state lives ([`crate::Builder::state_ttl`]).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn answer(self) -> Result<T, AskError> {
        let question = self.question?;
        question::check(&question, self.cx.capabilities)?;
        match (self.cx.task(), self.cx.era()) {
            (Some(task), _) => wait(&task, self.key.as_deref(), &question, self.read).await,
            (None, Era::Modern) => note(self.cx, self.key, question, self.read),
            (None, Era::Legacy) => send(self.cx, question, self.timeout, self.read).await,
        }
    }
}

/// The answer that came with the call, or a note that there is none.
fn note<T>(
    cx: &CallContext,
    key: Option<Cow<'static, str>>,
    question: InputRequest,
    read: Reader<T>,
) -> Result<T, AskError> {
    let notes = cx.outlet.notes();
    let (key, given) = notes.take(key).map_err(AskError::Malformed)?;
    let Some(given) = given else {
        notes.ask(key, question);
        return Err(AskError::Pending);
    };
    let answer = match read(&question, &given) {
        Ok(answer) => Ok(answer),
        Err(Unread::Declined) => Err(AskError::Declined),
        Err(Unread::Cancelled) => Err(AskError::Cancelled),
        Err(Unread::Content(_)) => {
            notes.ask(key, question);
            return Err(AskError::Pending);
        }
        Err(Unread::Shape(reason)) => return Err(malformed(reason)),
    };
    notes.keep(key, given);
    answer
}

/// The answer that comes to a task while it runs. What is none, or does not fit, is asked for anew.
async fn wait<T>(task: &Running, key: Option<&str>, question: &InputRequest, read: Reader<T>) -> Result<T, AskError> {
    let raw = serde_json::value::to_raw_value(question).expect("a question is plain JSON");
    loop {
        let answer = task.ask(key, &raw).await.ok_or(AskError::Unreachable)?;
        match read(question, &answer) {
            Ok(answer) => return Ok(answer),
            Err(Unread::Declined) => return Err(AskError::Declined),
            Err(Unread::Cancelled) => return Err(AskError::Cancelled),
            Err(Unread::Shape(_) | Unread::Content(_)) => {}
        }
    }
}

/// Asks a legacy client and waits.
async fn send<T>(cx: &CallContext, question: InputRequest, within: Duration, read: Reader<T>) -> Result<T, AskError> {
    let line = cx.line.as_ref().ok_or(AskError::Unreachable)?;
    let question = question::legacy(question, line, cx.revision)?;
    let answer = line.ask(&cx.outlet, question.method(), &question.params(), within).await?;
    read(&question, &answer).map_err(|unread| match unread {
        Unread::Declined => AskError::Declined,
        Unread::Cancelled => AskError::Cancelled,
        Unread::Shape(reason) => AskError::Refused(RpcError::invalid_params(reason)),
        Unread::Content(reason) => AskError::Refused(RpcError::invalid_params(reason)),
    })
}

/// The form of an answer; `None` when it is of another kind.
pub(crate) fn read_response<T: DeserializeOwned>(answer: &RawValue) -> Result<Option<T>, AskError> {
    match question::read_any_form(answer) {
        Ok(form) => Ok(Some(form)),
        Err(Unread::Content(_)) => Ok(None),
        Err(Unread::Declined) => Err(AskError::Declined),
        Err(Unread::Cancelled) => Err(AskError::Cancelled),
        Err(Unread::Shape(reason)) => Err(malformed(reason)),
    }
}

fn malformed(reason: &str) -> AskError {
    AskError::Malformed(RpcError::invalid_params(format!("params.inputResponses: {reason}")))
}

impl<'a, T: Send + 'a> IntoFuture for Ask<'a, T> {
    type Output = Result<T, AskError>;
    /// Boxed, so that handlers stay small.
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.answer())
    }
}
