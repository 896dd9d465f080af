//! What a closure may keep of the request it answers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use micro_mcp_proto::{ClientCapabilities, Era, Id, LogLevel, Revision, write};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    AskError, Cx, InvalidState, Principal, TraceContext,
    ask::{self, Line},
    cx,
    outlet::Outlet,
    task::{Running, Slot},
};

/// [`Cx`], owned, so that a closure's future can hold it.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// The revision the client speaks.
    pub revision: Revision,
    /// Who asks.
    pub principal: Principal,
    /// What the client can do.
    pub capabilities: ClientCapabilities,
    /// The caller's trace context, for what is called in its name.
    pub trace: Option<TraceContext>,
    log_level: Option<LogLevel>,
    progress_token: Option<Arc<RawValue>>,
    pub(crate) outlet: Arc<Outlet>,
    /// The way to ask a legacy client.
    pub(crate) line: Option<Line>,
    slot: Option<Arc<Slot>>,
}

impl CallContext {
    pub(super) fn of(cx: &Cx<'_>) -> Self {
        let token = cx.progress_token().and_then(|token| RawValue::from_string(token.as_str().to_owned()).ok());
        Self {
            revision: cx.revision,
            principal: cx.principal.clone(),
            capabilities: cx.client_capabilities(),
            trace: cx.trace(),
            log_level: cx.log_level(),
            progress_token: token.map(Arc::from),
            outlet: cx.back.outlet.clone(),
            line: cx.line(),
            slot: cx.back.task.clone(),
        }
    }

    /// The era of the revision.
    pub fn era(&self) -> Era {
        self.revision.era()
    }

    /// The task that the call is, once it is one.
    pub(crate) fn task(&self) -> Option<Arc<Running>> {
        self.slot.as_ref()?.task()
    }

    /// Goes on as a task: the client gets one now, and what is asked from here on is asked within it. For
    /// tools with [`crate::ToolBuilder::task_on_demand`] and clients that know tasks; else nothing happens.
    ///
    /// ```
    /// # use micro_mcp::{CallContext, CallError, Server, task::TaskMode};
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Print {
    ///     copies: u32,
    /// }
    ///
    /// let server = Server::builder("press", "1.0")
    ///     .tool("print").task_on_demand(TaskMode::Optional).handler(|cx: CallContext, args: Print| async move {
    ///         if args.copies > 10_000 {
    ///             return Err(CallError::from("that is too many")); // at once, and no task was made
    ///         }
    ///         cx.become_task().await;
    ///         // … print …
    ///         Ok("printed")
    ///     })
    ///     .build()?;
    /// # Ok::<(), micro_mcp::BuildError>(())
    /// ```
    pub async fn become_task(&self) {
        if let Some(slot) = &self.slot {
            slot.become_task().await;
        }
    }

    /// See [`Cx::progress`]. In a task, only the message counts: it is the task's `statusMessage`.
    ///
    /// ```
    /// # use std::sync::{Arc, mpsc};
    /// # use micro_mcp::{CallContext, NoArgs, Server, client::Client};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("press", "1.0")
    ///     .tool("print").handler(|cx: CallContext, _: NoArgs| async move {
    ///         for page in 1..=3 {
    ///             cx.progress(f64::from(page), Some(3.0), Some("printing")).await;
    ///         }
    ///         "printed"
    ///     })
    ///     .build()?;
    /// let client = Client::builder().in_process(Arc::new(server)).await?;
    /// let (told, steps) = mpsc::channel();
    /// client.call("print").progress(move |step| drop(told.send(step.progress))).await?;
    /// assert_eq!(steps.try_iter().collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        if let Some(task) = self.task() {
            if let Some(message) = message {
                task.say(message).await;
            }
            return;
        }
        if let Some(token) = self.progress_token.as_deref().and_then(Id::new) {
            self.outlet.send_with(|| write::progress(token, progress, total, message)).await;
        }
    }

    /// See [`Cx::close_stream`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use micro_mcp::CallContext;
    /// async fn simulate(cx: CallContext) -> &'static str {
    ///     cx.close_stream(Duration::from_secs(30)).await; // the client comes back in half a minute
    ///     // … half an hour of work …
    ///     "42"
    /// }
    /// ```
    pub async fn close_stream(&self, retry: Duration) {
        cx::close_stream(&self.outlet, self.revision, retry).await;
    }

    /// See [`Cx::log`]. Tasks do not log.
    pub async fn log(&self, level: LogLevel, logger: Option<&str>, data: &impl Serialize) {
        if self.task().is_none() && self.log_level.is_some_and(|least| level >= least) {
            self.outlet.send_with(|| write::log(level, logger, data)).await;
        }
    }

    /// A new name for a page that this client's user is sent to (2025-11-25). With it in the page's address,
    /// whoever serves the page knows which visit it was, and says so with
    /// [`crate::Notifier::elicitation_complete`].
    ///
    /// ```
    /// # use micro_mcp::{CallContext, CallError, proto::{ElicitUrl, RpcError}};
    /// # fn is_signed_in(_: &CallContext) -> bool { false }
    /// async fn mail(cx: CallContext) -> Result<&'static str, CallError> {
    ///     if !is_signed_in(&cx) {
    ///         let id = cx.elicitation_id();
    ///         let (message, url) = ("Please sign in.", format!("https://example.com/sign-in?visit={id}"));
    ///         let page = ElicitUrl { message: message.into(), url, elicitation_id: Some(id), ..ElicitUrl::default() };
    ///         return Err(RpcError::url_elicitation_required(message, &[page]).into());
    ///     }
    ///     Ok("no new mail")
    /// }
    /// ```
    ///
    /// Clients of 2026-07-28, who do not know that error, are asked to send their user to the page, and call
    /// again; older ones read the message.
    pub fn elicitation_id(&self) -> String {
        self.line.as_ref().map_or_else(ask::random_id, Line::name_page)
    }

    /// The state of an [`crate::InputRequired`] that the client came back with; `None` when it came for
    /// the first time.
    ///
    /// # Errors
    /// When it is of another kind than it was.
    pub fn state<S: DeserializeOwned>(&self) -> Result<Option<S>, InvalidState> {
        let state = self.outlet.notes().with(|book| book.state.clone());
        state.map(|raw| serde_json::from_str(raw.get()).map_err(|_| InvalidState)).transpose()
    }

    /// The form that was filled in under this key of an [`crate::InputRequired`]; `None` when it is not
    /// there or does not fit: ask again.
    ///
    /// # Errors
    /// When the person declined or went away, or the answer is none at all.
    pub fn response<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, AskError> {
        let answer = self.outlet.notes().with(|book| book.given.get(key).cloned());
        answer.map_or(Ok(None), |answer| ask::read_response(&answer))
    }

    /// All answers the client came back with, raw, by key.
    pub fn responses(&self) -> BTreeMap<String, Box<RawValue>> {
        self.outlet.notes().with(|book| book.given.clone())
    }
}
