//! What a running call knows of the task it is, or may become.

use std::{fmt, sync::Arc};

use micro_mcp_proto::TaskStatus;
use serde_json::value::RawValue;
use tokio::{runtime::Handle, sync::watch};

use super::{StoredTask, Tasks};

/// The place of a task in its call. Empty until the task has begun.
#[derive(Debug)]
pub(crate) struct Slot(watch::Sender<Stage>);

#[derive(Debug, Clone)]
enum Stage {
    Call,
    /// The handler wants to be a task.
    Wanted,
    Task(Arc<Running>),
    /// The caller has too many tasks: it stays a call.
    Refused,
}

/// A task, seen from inside.
pub(crate) struct Running {
    tasks: Arc<Tasks>,
    id: String,
}

/// Questions of one task; a client that never answers well is asked no more.
const MAX_KEYS: usize = 256;

impl Slot {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(Stage::Call)))
    }

    /// Asks to become a task, and waits until it is one, or is to stay a call.
    pub(crate) async fn become_task(&self) {
        self.0.send_if_modified(|stage| {
            let call = matches!(stage, Stage::Call);
            if call {
                *stage = Stage::Wanted;
            }
            call
        });
        let decided = |stage: &Stage| matches!(stage, Stage::Task(_) | Stage::Refused);
        let _ = self.0.subscribe().wait_for(decided).await; // we hold the sender
    }

    /// Resolves when the handler wants to become a task.
    pub(crate) async fn wanted(&self) {
        let _ = self.0.subscribe().wait_for(|stage| matches!(stage, Stage::Wanted)).await; // we hold the sender
    }

    /// It does not become one.
    pub(crate) fn stay_call(&self) {
        self.0.send_replace(Stage::Refused);
    }

    pub(super) fn begin(&self, tasks: &Arc<Tasks>, id: &str) {
        self.0.send_replace(Stage::Task(Arc::new(Running { tasks: tasks.clone(), id: id.to_owned() })));
    }

    /// The task, once it has begun.
    pub(crate) fn task(&self) -> Option<Arc<Running>> {
        match &*self.0.borrow() {
            Stage::Task(task) => Some(task.clone()),
            Stage::Call | Stage::Wanted | Stage::Refused => None,
        }
    }
}

impl Running {
    /// Says how far it is.
    pub(crate) async fn say(&self, message: &str) {
        let said = self.tasks.change(&self.id, |task| {
            task.message = Some(message.to_owned());
            Some(())
        });
        let _ = said.await; // the task does not fail over a word
    }

    /// Asks the client and waits for the answer; `None` when there will be none. The key is changed when
    /// it was there before.
    pub(crate) async fn ask(&self, key: Option<&str>, question: &RawValue) -> Option<Box<RawValue>> {
        let key = self.tasks.change(&self.id, |task| {
            let key = free_key(task, key)?;
            task.keys.push(key.clone());
            task.questions.insert(key.clone(), question.to_owned());
            task.status = TaskStatus::InputRequired;
            Some(key)
        });
        let mut asked = Asked { task: self, key: Some(key.await.ok()??) };
        let answer = asked.answer().await;
        asked.key = None;
        answer
    }
}

/// A question of a task. Dropped without an answer, it is asked no more.
struct Asked<'a> {
    task: &'a Running,
    key: Option<String>,
}

impl Asked<'_> {
    async fn answer(&self) -> Option<Box<RawValue>> {
        let (Running { tasks, id }, key) = (self.task, self.key.as_deref()?);
        loop {
            let task = tasks.store.read(id).await.ok()??;
            if task.answers.contains_key(key) {
                return tasks.change(id, |task| task.answers.remove(key)).await.ok()?;
            }
            tasks.store.changed(id, task.version).await;
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let (Some(key), Ok(runtime)) = (self.key.take(), Handle::try_current()) else { return };
        let (tasks, id) = (self.task.tasks.clone(), self.task.id.clone());
        runtime.spawn(async move {
            let forgotten = tasks.change(&id, |task| {
                task.answers.remove(&key);
                task.questions.remove(&key);
                if task.questions.is_empty() {
                    task.status = TaskStatus::Working;
                }
                Some(())
            });
            let _ = forgotten.await; // whoever answers it is passed over
        });
    }
}

fn free_key(task: &StoredTask, wanted: Option<&str>) -> Option<String> {
    let count = task.keys.len() + 1;
    let free = |key: &String| !task.keys.contains(key);
    let named = wanted.map(str::to_owned).filter(free);
    let counted = || format!("{}-{count}", wanted.unwrap_or("ask"));
    (count <= MAX_KEYS).then(|| named.unwrap_or_else(counted)).filter(free)
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running(…)")
    }
}
