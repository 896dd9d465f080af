//! Calls that go on as tasks, seen from the client (the extension `io.modelcontextprotocol/tasks`,
//! 2026-07-28).

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use micro_mcp_proto::{CallToolResult, InputResponses, RpcError, Task, TaskStatus};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep_until};

use super::{Client, Error, core::Ask, inbox::Questions, message::Members, pause};

/// What a call came to ([`super::Call::begin`]).
#[derive(Debug)]
pub enum Begun {
    /// Its result.
    Done(CallToolResult),
    /// It goes on, as a task.
    Task(TaskHandle),
}

/// A task at the server. Cheap to clone; dropping it changes nothing at the server, where the task goes on
/// until it ends, is cancelled, or its time to live is over.
#[derive(Clone)]
pub struct TaskHandle {
    client: Client,
    id: Arc<str>,
    /// Between two looks, as far as the server has said.
    interval: Duration,
}

/// Between two looks, when the server does not say.
const INTERVAL: Duration = Duration::from_secs(1);
/// The least there is between two looks, whatever the server says.
const MIN_INTERVAL: Duration = Duration::from_millis(20);
/// How often in a row a server may not answer before its task is given up.
const MAX_FAILURES: u32 = 5;
const MAX_PAUSE: Duration = Duration::from_secs(30);

impl Client {
    /// A task that was begun before, perhaps by another process, by its id.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use micro_mcp::{NoArgs, Server, client::{Begun, Client, Error}, proto::TaskStatus, task::TaskMode};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("press", "1.0")
    ///     .tool("print_for_ever").task(TaskMode::Required).handler(|_: NoArgs| std::future::pending::<()>())
    ///     .build()?;
    /// let client = Client::builder().tasks().in_process(Arc::new(server)).await?;
    /// let Begun::Task(task) = client.call("print_for_ever").begin().await? else { panic!("it is done already") };
    ///
    /// let task = client.task(task.id()); // as another process would, that was told the id
    /// assert_eq!(task.look().await?.status, TaskStatus::Working);
    /// task.cancel().await?;
    /// assert!(matches!(task.result().await, Err(Error::Cancelled)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn task(&self, id: impl Into<Arc<str>>) -> TaskHandle {
        TaskHandle { client: self.clone(), id: id.into(), interval: Duration::ZERO }
    }
}

impl TaskHandle {
    /// The task that a result of `tools/call` speaks of, if it is one.
    pub(super) fn of(client: &Client, result: &RawValue) -> Result<Option<Self>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Created {
            #[serde(default)]
            result_type: Option<String>,
            #[serde(default)]
            task_id: Option<Arc<str>>,
            #[serde(default)]
            poll_interval_ms: Option<u64>,
        }
        if !client.0.core.tasks {
            return Ok(None);
        }
        let created: Created = serde_json::from_str(result.get())?;
        if created.result_type.as_deref() != Some("task") {
            return Ok(None);
        }
        let id = created.task_id.ok_or_else(|| Error::protocol("a task without an id"))?;
        Ok(Some(Self { client: client.clone(), id, interval: interval(created.poll_interval_ms) }))
    }

    /// Its name at the server. Not a secret, but nothing to show around either.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How it is (`tasks/get`).
    ///
    /// # Errors
    /// `-32602` when the server does not know it (any more), and whatever else can go wrong.
    pub async fn look(&self) -> Result<Task, Error> {
        Ok(serde_json::from_str(self.ask("tasks/get", Members::default()).await?.get())?)
    }

    /// Answers what it asks, by the keys of its questions (`tasks/update`). [`TaskHandle::result`] does so
    /// by itself, with the callbacks of the client.
    ///
    /// # Errors
    /// When the server does not know the task, and whatever else can go wrong.
    pub async fn answer(&self, responses: &InputResponses) -> Result<(), Error> {
        self.ask("tasks/update", Members::default().member("inputResponses", responses)?).await.map(drop)
    }

    /// Asks the server to stop it (`tasks/cancel`). It may end in another way all the same.
    ///
    /// # Errors
    /// When the server does not know the task, and whatever else can go wrong.
    pub async fn cancel(&self) -> Result<(), Error> {
        self.ask("tasks/cancel", Members::default()).await.map(drop)
    }

    /// Waits for its end: looks as often as the server says, and answers its questions with the callbacks
    /// of the client. Dropping the future leaves the task as it is.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`Error::Rpc`] with the error it failed with, and whatever else can go wrong.
    pub async fn result(&self) -> Result<CallToolResult, Error> {
        Ok(serde_json::from_str(self.follow().await?.get())?)
    }

    /// The same for a caller that holds no handle: when it goes away, the task is cancelled.
    pub(super) async fn finish(self) -> Result<Box<RawValue>, Error> {
        let mut guard = CancelOnDrop(Some(self.clone()));
        let outcome = self.follow().await;
        if matches!(outcome, Ok(_) | Err(Error::Rpc(_) | Error::Cancelled)) {
            guard.0 = None; // it has ended
        }
        outcome
    }

    async fn follow(&self) -> Result<Box<RawValue>, Error> {
        let mut following = Following { task: self, interval: self.interval, known: HashSet::new(), unsent: None };
        let (mut next, mut failed) = (Instant::now() + self.interval, 0);
        loop {
            sleep_until(next).await;
            let begun = Instant::now();
            match following.step().await {
                Ok(Some(result)) => return Ok(result),
                Ok(None) => (next, failed) = (begun + following.interval, 0),
                // The task does not mind.
                Err(error) if error.is_transient() && failed < MAX_FAILURES => {
                    next = begun + pause(following.interval.max(MIN_INTERVAL), failed, MAX_PAUSE);
                    failed += 1;
                }
                // The task was begun: whoever hears that nothing arrived would begin it again.
                Err(Error::SessionLost | Error::Closed) => return Err(Error::Disconnected),
                Err(error) => return Err(error),
            }
        }
    }

    async fn ask(&self, method: &'static str, members: Members) -> Result<Box<RawValue>, Error> {
        let members = Members::default().text("taskId", &self.id).and(&members);
        let ask = Ask { name: Some((*self.id).to_owned()), ..Ask::new(method, members, self.client.0.core.patience) };
        Ok(self.client.send(ask).await?.result)
    }
}

impl fmt::Debug for TaskHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskHandle").field(&self.id).finish()
    }
}

/// A task on its way to its end.
struct Following<'t> {
    task: &'t TaskHandle,
    interval: Duration,
    /// Keys of questions that were answered: a server may show them for a while longer.
    known: HashSet<String>,
    /// Answers that have not arrived yet. Nobody is asked twice because of that.
    unsent: Option<Members>,
}

impl Following<'_> {
    /// Sends what is to be sent, and looks once; the result when it is there.
    async fn step(&mut self) -> Result<Option<Box<RawValue>>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Look<'a> {
            status: TaskStatus,
            #[serde(default)]
            poll_interval_ms: Option<u64>,
            #[serde(borrow, default)]
            input_requests: Option<&'a RawValue>,
            #[serde(borrow, default)]
            result: Option<&'a RawValue>,
            #[serde(default)]
            error: Option<RpcError>,
        }
        self.send().await?;
        let raw = self.task.ask("tasks/get", Members::default()).await?;
        let look: Look<'_> = serde_json::from_str(raw.get())?;
        self.interval = interval(look.poll_interval_ms);
        match look.status {
            TaskStatus::Completed => {
                let result = look.result.ok_or_else(|| Error::protocol("a completed task without a result"))?;
                return Ok(Some(result.to_owned()));
            }
            TaskStatus::Failed => return Err(Error::Rpc(look.error.unwrap_or_else(RpcError::internal))),
            TaskStatus::Cancelled => return Err(Error::Cancelled),
            TaskStatus::Working | TaskStatus::InputRequired => {}
        }
        let Some(questions) = look.input_requests else { return Ok(None) };
        let mut questions = Questions::read(questions)?;
        questions.0.retain(|key, _| !self.known.contains(key));
        if !questions.0.is_empty() {
            self.known.extend(questions.0.keys().cloned());
            self.unsent = Some(self.task.client.0.core.inbox.answers(questions).await?);
            self.send().await?;
        }
        Ok(None)
    }

    async fn send(&mut self) -> Result<(), Error> {
        if let Some(responses) = &self.unsent {
            let members = Members::default().raw("inputResponses", &responses.object());
            self.task.ask("tasks/update", members).await?;
            self.unsent = None;
        }
        Ok(())
    }
}

/// Tells the server when nobody waits for the task any more.
struct CancelOnDrop(Option<TaskHandle>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        let (Some(task), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) else { return };
        runtime.spawn(async move {
            if let Err(error) = task.cancel().await {
                tracing::debug!(%error, "a task that nobody waits for goes on");
            }
        });
    }
}

fn interval(ms: Option<u64>) -> Duration {
    ms.map_or(INTERVAL, Duration::from_millis).max(MIN_INTERVAL)
}
