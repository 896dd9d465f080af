//! The course of tasks: begun by a call, seen and answered by its client, ended by its handler.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures_core::{future::BoxFuture, stream::BoxStream};
use futures_util::{FutureExt, StreamExt, stream};
use jiff::Timestamp;
use micro_mcp_proto::{ClientCapabilities, Revision, RpcError, TASKS_EXTENSION, TaskStatus};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::{Slot, StoreError, StoredTask, TaskConfig, TaskStore};
use crate::{
    KeyRing, Principal,
    result::{self, Identity, Writer},
    seal,
    session::digest,
    time::unix,
};

/// The tasks of a server.
pub(crate) struct Tasks {
    pub(super) store: Arc<dyn TaskStore>,
    config: TaskConfig,
    keys: KeyRing,
}

/// How a task ends: with the raw result of its call, or an error of the protocol.
pub(crate) type End = Result<Bytes, RpcError>;

/// Why there is no new task.
pub(crate) enum NoTask {
    /// The caller has too many.
    TooMany,
    Store(StoreError),
}

/// A task that is known and does not run yet.
pub(crate) struct New {
    task: StoredTask,
    /// Its name for the client.
    public: String,
}

/// What a request of the `tasks/` family names, checked.
struct Named<'a> {
    /// As the client knows it.
    public: &'a str,
    /// As the store knows it.
    id: String,
}

const PURPOSE: &str = "mcp-task";
/// Answers that one request may bring.
const MAX_ANSWERS: usize = 256;
/// How long to wait before a store that failed is asked again.
const PATIENCE: Duration = Duration::from_secs(1);

impl Tasks {
    pub(crate) fn new(config: TaskConfig, keys: KeyRing) -> Arc<Self> {
        Arc::new(Self { store: config.store.clone(), config, keys })
    }

    /// A new task of this caller's, known to the store before anyone hears of it.
    pub(crate) async fn create(&self, principal: &Principal) -> Result<New, NoTask> {
        let name: [u8; 16] = seal::random();
        let owner = digest(principal);
        let now = now();
        let task = StoredTask {
            id: URL_SAFE_NO_PAD.encode(name),
            owner: URL_SAFE_NO_PAD.encode(owner),
            version: 0,
            status: TaskStatus::Working,
            message: None,
            created_ms: now,
            updated_ms: now,
            ttl_ms: millis(self.config.ttl),
            questions: BTreeMap::new(),
            answers: BTreeMap::new(),
            keys: Vec::new(),
            result: None,
            error: None,
        };
        let created = self.store.create(task.clone(), self.config.per_principal).await.map_err(NoTask::Store)?;
        let public = || self.keys.seal(PURPOSE, &[owner, name].concat());
        if created { Ok(New { public: public(), task }) } else { Err(NoTask::TooMany) }
    }

    /// Runs a call as a task, on a task of tokio's; the result that says so.
    pub(crate) fn start(
        self: &Arc<Self>,
        New { task, public }: New,
        identity: &Identity,
        slot: &Slot,
        call: BoxFuture<'static, End>,
    ) -> Bytes {
        slot.begin(self, &task.id);
        let created = result::object(512).raw("resultType", br#""task""#);
        let created = self.head(created, &task, &public).identity(identity).finish();
        tokio::spawn(self.clone().run(task.id, call));
        created
    }

    /// Takes a call to its end, unless somebody cancels its task or its time is over.
    async fn run(self: Arc<Self>, id: String, call: BoxFuture<'static, End>) {
        let end = tokio::select! {
            biased;
            () = self.over(&id) => return,
            end = AssertUnwindSafe(call).catch_unwind() => end.unwrap_or_else(|_| Err(RpcError::internal())),
        };
        let end = end.and_then(|result| {
            let text = String::from_utf8(result.into()).ok();
            text.and_then(|text| RawValue::from_string(text).ok()).ok_or_else(RpcError::internal)
        });
        let noted = self.change(&id, |task| {
            task.questions.clear();
            match &end {
                Ok(result) => (task.status, task.result) = (TaskStatus::Completed, Some(result.clone())),
                Err(error) => (task.status, task.error) = (TaskStatus::Failed, Some(error.clone())),
            }
            Some(())
        });
        if let Err(error) = noted.await {
            tracing::error!(%error, "the end of a task is lost");
        }
    }

    /// Resolves when a task is cancelled or gone.
    async fn over(&self, id: &str) {
        loop {
            match self.store.read(id).await {
                Ok(Some(task)) if !task.status.is_final() => self.store.changed(id, task.version).await,
                Ok(_) => return,
                Err(_) => tokio::time::sleep(PATIENCE).await,
            }
        }
    }

    /// Changes a task that has not ended, however many do so at once; `None` when it has, or when `change`
    /// has nothing to change.
    pub(super) async fn change<T>(
        &self,
        id: &str,
        mut change: impl FnMut(&mut StoredTask) -> Option<T> + Send,
    ) -> Result<Option<T>, StoreError> {
        loop {
            let Some(task) = self.store.read(id).await?.filter(|task| !task.status.is_final()) else { return Ok(None) };
            let mut task = StoredTask::clone(&task);
            let Some(changed) = change(&mut task) else { return Ok(None) };
            task.version += 1;
            task.updated_ms = now();
            if self.store.write(task).await? {
                return Ok(Some(changed));
            }
        }
    }

    // === requests ===

    /// Answers `tasks/get`, `tasks/update` and `tasks/cancel`; `None` for anything else.
    pub(crate) async fn answer(
        &self,
        method: &str,
        params: Option<&RawValue>,
        principal: &Principal,
        client: ClientCapabilities,
        identity: &Identity,
    ) -> Option<Result<Bytes, RpcError>> {
        let done = || result::complete(Revision::LATEST, 128).identity(identity).finish();
        let params = params.map_or("{}", RawValue::get);
        let answered = async {
            needs_extension(client)?;
            let Params { task_id, input_responses } =
                serde_json::from_str(params).map_err(|e| RpcError::invalid_params(format!("Invalid params: {e}")))?;
            let named = self.named(&task_id, principal)?;
            match method {
                "tasks/get" => {
                    let task = self.find(&named).await?;
                    let writer = self.details(result::complete(Revision::LATEST, 512), &task, named.public);
                    Ok(writer.identity(identity).finish())
                }
                "tasks/update" => self.update(&named, input_responses).await.map(|()| done()),
                _ => self.cancel(&named).await.map(|()| done()),
            }
        };
        match method {
            "tasks/get" | "tasks/update" | "tasks/cancel" => Some(answered.await),
            _ => None,
        }
    }

    /// Which of these tasks are the caller's, and how they are, now and whenever it changes.
    pub(crate) fn watch(
        self: &Arc<Self>,
        principal: &Principal,
        ids: Vec<String>,
    ) -> (Vec<String>, BoxStream<'static, Bytes>) {
        let known = |public: String| self.named(&public, principal).ok().map(|named| named.id).map(|id| (public, id));
        let known: Vec<(String, String)> = ids.into_iter().filter_map(known).collect();
        let told = known.iter().cloned().map(|(public, id)| {
            let tasks = self.clone();
            stream::unfold(None, move |last: Option<Arc<StoredTask>>| {
                let (tasks, public, id) = (tasks.clone(), public.clone(), id.clone());
                async move {
                    if last.as_ref().is_some_and(|task| task.status.is_final()) {
                        return None;
                    }
                    let task = tasks.next(&id, last.map(|task| task.version)).await?;
                    Some((tasks.details(result::object(512), &task, &public).finish(), Some(task)))
                }
            })
            .boxed()
        });
        let told = stream::select_all(told).boxed();
        (known.into_iter().map(|(public, _)| public).collect(), told)
    }

    /// The next version of a task; `None` when it is gone.
    async fn next(&self, id: &str, last: Option<u64>) -> Option<Arc<StoredTask>> {
        loop {
            match self.store.read(id).await {
                Ok(Some(task)) if Some(task.version) == last => self.store.changed(id, task.version).await,
                Ok(task) => return task,
                Err(StoreError) => tokio::time::sleep(PATIENCE).await,
            }
        }
    }

    async fn update(
        &self,
        named: &Named<'_>,
        answers: Option<BTreeMap<String, Box<RawValue>>>,
    ) -> Result<(), RpcError> {
        let answers = answers.ok_or_else(|| RpcError::invalid_params("params.inputResponses is required"))?;
        if answers.len() > MAX_ANSWERS {
            return Err(RpcError::invalid_params(format!("params.inputResponses holds over {MAX_ANSWERS} answers")));
        }
        self.find(named).await?;
        // Answers to what was not asked, or no longer is, are passed over.
        let answered = self.change(&named.id, |task| {
            let before = task.questions.len();
            for (key, answer) in &answers {
                if task.questions.remove(key).is_some() {
                    task.answers.insert(key.clone(), answer.clone());
                }
            }
            if task.questions.is_empty() {
                task.status = TaskStatus::Working;
            }
            (task.questions.len() < before).then_some(())
        });
        answered.await.map(drop).map_err(failed)
    }

    async fn cancel(&self, named: &Named<'_>) -> Result<(), RpcError> {
        self.find(named).await?;
        let cancelled = self.change(&named.id, |task| {
            task.questions.clear();
            task.status = TaskStatus::Cancelled;
            Some(())
        });
        cancelled.await.map(drop).map_err(failed)
    }

    /// Whoever guesses or finds a name learns nothing: other people's tasks are as unknown as those that
    /// never were.
    fn named<'a>(&self, public: &'a str, principal: &Principal) -> Result<Named<'a>, RpcError> {
        let opened = self.keys.open(PURPOSE, public).and_then(|(_, plain)| {
            let (owner, name) = plain.split_first_chunk::<16>()?;
            (*owner == digest(principal) && name.len() == 16).then(|| URL_SAFE_NO_PAD.encode(name))
        });
        opened.map(|id| Named { public, id }).ok_or_else(unknown)
    }

    async fn find(&self, named: &Named<'_>) -> Result<Arc<StoredTask>, RpcError> {
        self.store.read(&named.id).await.map_err(failed)?.ok_or_else(unknown)
    }

    // === what clients read ===

    fn head(&self, writer: Writer, task: &StoredTask, public: &str) -> Writer {
        let mut writer = writer.member("taskId", public).member("status", &task.status);
        if let Some(message) = &task.message {
            writer = writer.member("statusMessage", message);
        }
        writer
            .member("createdAt", &time(task.created_ms))
            .member("lastUpdatedAt", &time(task.updated_ms))
            .member("ttlMs", &task.ttl_ms)
            .member("pollIntervalMs", &millis(self.config.poll_interval).max(1))
    }

    fn details(&self, writer: Writer, task: &StoredTask, public: &str) -> Writer {
        let mut writer = self.head(writer, task, public);
        if !task.questions.is_empty() {
            writer = writer.member("inputRequests", &task.questions);
        }
        if let Some(result) = &task.result {
            writer = writer.raw("result", result.get().as_bytes());
        }
        if let Some(error) = &task.error {
            writer = writer.member("error", error);
        }
        writer
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    task_id: String,
    input_responses: Option<BTreeMap<String, Box<RawValue>>>,
}

/// `-32021` for clients that did not declare the extension.
///
/// # Errors
/// That.
pub(crate) fn needs_extension(client: ClientCapabilities) -> Result<(), RpcError> {
    let required = || json!({ "extensions": { TASKS_EXTENSION: {} } });
    let missing = || RpcError::missing_capability("This needs a client that knows tasks", &required());
    if client.tasks { Ok(()) } else { Err(missing()) }
}

fn unknown() -> RpcError {
    RpcError::invalid_params("Unknown task")
}

fn failed(_: StoreError) -> RpcError {
    RpcError::internal()
}

fn time(unix_ms: u64) -> String {
    let ms = i64::try_from(unix_ms).unwrap_or_default();
    Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}

fn now() -> u64 {
    millis(unix())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
