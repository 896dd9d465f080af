//! Every call leaves a record, through a bounded queue and off the way of the call.

use std::{io::Write, path::Path, sync::Arc, time::Instant};

use jiff::Timestamp;
use micro_policy::{Record, Scopes, Verdict};
use tokio::sync::mpsc;

use super::{Call, Error, Json};
use crate::Tool;

/// Where records go.
#[derive(Clone)]
pub enum AuditSink {
    /// Nowhere.
    None,
    /// A function of the embedder's, called from one task. It must not block for long.
    Function(Arc<dyn Fn(&Record) + Send + Sync>),
}

impl std::fmt::Debug for AuditSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Function(_) => "Function(..)",
        })
    }
}

/// Takes records. When the queue is full the call waits: nothing is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Audit(Option<mpsc::Sender<Record>>);

/// One call's record in the making. Dropped before [`Entry::end`], it says that the caller left.
pub(crate) struct Entry<'a> {
    audit: &'a Audit,
    record: Option<Record>,
    began: Instant,
}

impl AuditSink {
    /// Appends JSON lines to a file, made with its owner's rights only.
    pub fn file(path: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        let file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let path = path.to_owned();
        Ok(Self::Function(Arc::new(move |record| {
            let mut line = serde_json::to_vec(record).expect("a record is plain JSON");
            line.push(b'\n');
            // One write a line, so that lines of several processes do not mix.
            if let Err(error) = (&file).write_all(&line) {
                tracing::error!(%error, path = %path.display(), trace_id = record.trace_id, "audit record lost");
            }
        })))
    }
}

impl Audit {
    const QUEUE: usize = 4096;

    /// Starts the writing task. It ends when the last clone is gone and the queue is empty; await the
    /// handle to be sure that everything is written.
    pub(crate) fn start(sink: AuditSink) -> (Self, tokio::task::JoinHandle<()>) {
        let AuditSink::Function(write) = sink else { return (Self(None), tokio::spawn(async {})) };
        let (sender, mut records) = mpsc::channel(Self::QUEUE);
        let writer = tokio::spawn(async move {
            let mut batch = Vec::new();
            while records.recv_many(&mut batch, Self::QUEUE).await > 0 {
                let (write, full) = (write.clone(), std::mem::take(&mut batch));
                // A slow disk must not hold a runtime thread.
                let _ = tokio::task::spawn_blocking(move || full.iter().for_each(|record| write(record))).await;
            }
        });
        (Self(Some(sender)), writer)
    }

    pub(super) fn begin(&self, call: &Call<'_>, account: Option<&str>) -> Entry<'_> {
        let record = self.0.as_ref().map(|_| Record {
            trace_id: call.trace.id.to_string(),
            timestamp: Timestamp::now().to_string(),
            tool: call.tool.chars().take(200).collect(),
            account_id: account.map(str::to_owned),
            scopes_required: Scopes::default(),
            front: call.front,
            verdict: Verdict::Allowed,
            duration: Default::default(),
            error: Some("the caller left before the answer".to_owned()),
        });
        Entry { audit: self, record, began: Instant::now() }
    }
}

impl Entry<'_> {
    /// The call was answered. Waits while the queue is full.
    pub(super) async fn end(mut self, tool: Option<&Tool>, answer: &Result<Json, Error>) {
        self.settle(tool, answer.as_ref().err());
        if let (Some(record), Some(queue)) = (self.record.take(), &self.audit.0) {
            let _ = queue.send(record).await; // fails only when the writer has panicked and said so
        }
    }

    /// The call was refused before it could be made.
    pub(super) fn refused(mut self, tool: Option<&Tool>, error: &Error) {
        self.settle(tool, Some(error)); // and is sent by being dropped
    }

    fn settle(&mut self, tool: Option<&Tool>, error: Option<&Error>) {
        let Some(record) = &mut self.record else { return };
        if let Some(tool) = tool {
            record.tool.clone_from(&tool.name.canonical);
            record.scopes_required = tool.requirement.any_of.clone();
        }
        record.verdict = error.map_or(Verdict::Allowed, Error::verdict);
        record.error = match error {
            Some(Error::Upstream(error)) => Some(error.to_string()),
            _ => None,
        };
        record.duration = self.began.elapsed();
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        let (Some(mut record), Some(queue)) = (self.record.take(), &self.audit.0) else { return };
        if record.duration.is_zero() {
            record.duration = self.began.elapsed();
        }
        if let Err(mpsc::error::TrySendError::Full(record)) = queue.try_send(record) {
            // Nothing can wait in this place; a task does.
            let queue = queue.clone();
            tokio::spawn(async move {
                let _ = queue.send(record).await;
            });
        }
    }
}
