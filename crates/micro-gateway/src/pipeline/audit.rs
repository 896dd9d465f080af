//! Every call leaves a record, before it is answered.

mod log;

use std::{path::Path, sync::Arc, time::Instant};

use jiff::Timestamp;
use micro_policy::{Caller, Record, Verdict};
use serde::Deserialize;

use self::log::{Log, Lost};
use super::{Call, Error, Json};
use crate::Tool;

/// Where records go.
#[derive(Clone)]
pub enum AuditSink {
    /// Nowhere.
    None,
    /// To a file, a line of JSON each.
    File(AuditFile),
    /// To a function of the embedder's. It is called on the way of every call and must not block.
    Function(Arc<dyn Fn(&Record<'_>) + Send + Sync>),
}

/// A file that records are appended to. Clones are the same file.
#[derive(Clone)]
pub struct AuditFile {
    log: Arc<Log>,
    fail: AuditFail,
}

/// What becomes of a call whose record cannot be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditFail {
    /// It is answered with an error, whatever the tool did.
    #[default]
    Closed,
    /// It is answered as if nothing had happened. The loss is counted, and the next record that can be
    /// written comes behind a line that says how many are missing.
    Open,
}

impl std::fmt::Debug for AuditSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::File(_) => "File(..)",
            Self::Function(_) => "Function(..)",
        })
    }
}

impl AuditSink {
    /// Appends JSON lines to a file, made with its owner's rights only.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn file(path: &Path, fail: AuditFail) -> std::io::Result<Self> {
        Ok(Self::File(AuditFile { log: Arc::new(Log::open(path)?), fail }))
    }
}

/// Takes records.
#[derive(Debug, Clone)]
pub(crate) struct Audit(AuditSink);

/// One call's record in the making. Dropped before [`Entry::end`], it says that the caller left.
pub(crate) struct Entry<'a> {
    audit: &'a Audit,
    call: &'a Call<'a>,
    account: Option<&'a str>,
    tool: Option<&'a Tool>,
    timestamp: Timestamp,
    began: Instant,
    ended: bool,
}

impl Audit {
    pub(crate) fn new(sink: AuditSink) -> Self {
        Self(sink)
    }

    /// Waits until every record is in the file.
    pub(crate) async fn settled(&self) {
        if let AuditSink::File(AuditFile { log, .. }) = &self.0 {
            log.settled().await;
        }
    }

    pub(super) fn begin<'a>(
        &'a self,
        call: &'a Call<'a>,
        caller: Option<&'a Caller>,
        tool: Option<&'a Tool>,
    ) -> Entry<'a> {
        let account = caller.and_then(Caller::account);
        Entry { audit: self, call, account, tool, timestamp: Timestamp::now(), began: Instant::now(), ended: false }
    }
}

impl Entry<'_> {
    /// The call ended like this; gives what to answer, once the record is written or lost.
    pub(super) async fn end(mut self, answer: Result<Json, Error>) -> Result<Json, Error> {
        self.ended = true;
        let error = answer.as_ref().err();
        match &self.audit.0 {
            AuditSink::None => answer,
            AuditSink::Function(write) => {
                self.with_record(error, |record| write(record));
                answer
            }
            AuditSink::File(AuditFile { log, fail }) => match (log.append(&self.line(error)).await, fail) {
                (Err(Lost), AuditFail::Closed) => Err(Error::Unrecorded),
                (Ok(()), _) | (_, AuditFail::Open) => answer,
            },
        }
    }

    /// The call was refused before it could be made.
    pub(super) fn refused(mut self, error: &Error) {
        self.ended = true;
        self.note(Some(error));
    }

    /// Hands the record in without waiting for the file.
    fn note(&self, error: Option<&Error>) {
        match &self.audit.0 {
            AuditSink::None => {}
            AuditSink::Function(write) => self.with_record(error, |record| write(record)),
            AuditSink::File(AuditFile { log, .. }) => log.note(&self.line(error)),
        }
    }

    fn line(&self, error: Option<&Error>) -> Vec<u8> {
        let mut line = Vec::with_capacity(512);
        self.with_record(error, |record| {
            serde_json::to_writer(&mut line, record).expect("a record is plain JSON");
        });
        line.push(b'\n');
        line
    }

    fn with_record(&self, error: Option<&Error>, f: impl FnOnce(&Record<'_>)) {
        let told = match error {
            Some(Error::Upstream(error)) => Some(error.to_string()),
            _ if !self.ended => Some("the caller left before the answer".to_owned()),
            _ => None,
        };
        let scopes = self.tool.map(|tool| &tool.requirement.any_of).filter(|scopes| !scopes.is_empty());
        f(&Record {
            trace_id: self.call.trace.id,
            timestamp: self.timestamp,
            tool: self.tool.map_or_else(|| clip(self.call.tool), |tool| &tool.name.canonical),
            account_id: self.account,
            scopes_required: scopes,
            front: self.call.front,
            verdict: error.map_or(Verdict::Allowed, Error::verdict),
            duration: self.began.elapsed(),
            error: told.as_deref(),
        });
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.note(None);
        }
    }
}

/// A name that no tool has may be as long as a request.
fn clip(name: &str) -> &str {
    name.char_indices().nth(200).map_or(name, |(end, _)| &name[..end])
}
