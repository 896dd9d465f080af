//! Every call leaves a record, before it is answered.

mod chained;
mod database;
mod folder;
mod location;
mod log;
mod read;
mod redact;
mod sink;
mod stream;

use std::{
    io::{self, ErrorKind},
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use micro_policy::{
    Caller, Digest, Identity, Record, Rule, Verdict,
    audit::{Event, IntentRecord, Signer, Steps},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::task::JoinHandle;

use self::{
    chained::Chained,
    log::{Log, Lost},
    redact::Redaction,
};
pub use self::{
    location::AuditLocation,
    read::{AuditReader, AuditText},
    sink::{AuditSink, Resumed},
};
use super::{Call, Error, Json};
use crate::{AuditConfig, Tool, key_file};

/// Where records go.
#[derive(Clone)]
pub enum AuditTo {
    /// Nowhere.
    Nowhere,
    /// Into a log, a line of JSON each.
    Log(AuditLog),
    /// To a function of the embedder's. It is called on the way of every call and must not block.
    Function(Arc<dyn Fn(&Record<'_>) + Send + Sync>),
}

/// A chained log that records are appended to. Clones are the same log.
#[derive(Clone)]
pub struct AuditLog {
    log: Arc<Log>,
    fail: AuditFail,
}

/// What becomes of a call whose record cannot be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuditFail {
    /// It is answered with an error, whatever the tool did.
    #[default]
    Closed,
    /// It is answered as if nothing had happened. The loss is counted, and the next record that can be
    /// written comes behind a line that says how many are missing.
    Open,
}

/// How often what was written is signed, when something was.
const SIGN_EVERY: Duration = Duration::from_secs(1);

impl std::fmt::Debug for AuditTo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nowhere => "Nowhere",
            Self::Log(_) => "Log(..)",
            Self::Function(_) => "Function(..)",
        })
    }
}

impl AuditConfig {
    /// Opens the log that the config names.
    ///
    /// # Errors
    /// When it cannot be opened, its end is none of a log, or another gateway writes it.
    pub fn open(&self) -> io::Result<AuditTo> {
        let Some(to) = &self.to else { return Ok(AuditTo::Nowhere) };
        let (sink, resumed): (Box<dyn AuditSink>, _) = match to {
            AuditLocation::Stdout => (Box::new(stream::Stream::stdout()), Resumed::default()),
            AuditLocation::Folder(path) if is_stream(path) => {
                (Box::new(stream::Stream::open(path)?), Resumed::default())
            }
            AuditLocation::Folder(path) if path.is_file() => {
                return Err(io::Error::new(ErrorKind::NotADirectory, "this is a file; an audit log is a folder"));
            }
            AuditLocation::Folder(path) => {
                let (folder, resumed) = folder::Folder::open(path, self.segment_size)?;
                (Box::new(folder), resumed)
            }
            AuditLocation::Sqlite(path) => {
                let (database, resumed) = database::Database::open(path)?;
                (Box::new(database), resumed)
            }
        };
        let signer = self.key_file().map(|path| key_file::read_or_make(&path)).transpose()?;
        Ok(AuditTo::Log(AuditLog::new(to.to_string(), sink, resumed, signer, self.fail)))
    }

    /// The file of the key that checkpoints are signed with.
    fn key_file(&self) -> Option<PathBuf> {
        self.key.clone().or_else(|| self.to.as_ref()?.key_file())
    }
}

impl AuditLocation {
    /// Where the key is when nobody says.
    fn key_file(&self) -> Option<PathBuf> {
        match self {
            Self::Folder(path) if !is_stream(path) => Some(path.join("checkpoint.key")),
            Self::Sqlite(path) => Some(database::beside(path, ".key")),
            Self::Folder(_) | Self::Stdout => None,
        }
    }
}

/// A pipe or a device.
fn is_stream(path: &Path) -> bool {
    path.metadata().is_ok_and(|there| there.file_type().is_fifo() || there.file_type().is_char_device())
}

impl AuditLog {
    /// A log into a sink of the embedder's, which goes on where it stands.
    pub fn new(
        place: String,
        sink: Box<dyn AuditSink>,
        resumed: Resumed,
        signer: Option<Signer>,
        fail: AuditFail,
    ) -> Self {
        if let Some(through) = resumed.unconfirmed_through {
            tracing::error!(
                log = place,
                through,
                "audit records are missing, or were changed: see `micro audit verify`"
            );
        }
        Self { log: Arc::new(Log::new(place, Chained::new(sink, resumed, signer))), fail }
    }
}

/// Takes records.
#[derive(Debug)]
pub(crate) struct Audit {
    to: AuditTo,
    redaction: Option<Redaction>,
    /// Signs the log from time to time.
    signing: Option<JoinHandle<()>>,
}

/// One call's record in the making. Dropped before [`Entry::end`], it says that the caller left.
pub(crate) struct Entry<'a> {
    audit: &'a Audit,
    call: &'a Call<'a>,
    identity: Option<&'a Identity>,
    tool: Option<&'a Tool>,
    rule: Option<&'a Rule>,
    timestamp: Timestamp,
    began: Instant,
    /// What was asked on the way.
    pub(super) steps: Steps,
    ended: bool,
}

impl Audit {
    pub(crate) fn new(to: AuditTo, config: &AuditConfig) -> Self {
        let signing = match &to {
            AuditTo::Log(AuditLog { log, .. }) => Some(tokio::spawn(sign(log.clone()))),
            _ => None,
        };
        Self { to, redaction: config.arguments.then(|| Redaction::of(&config.redact)), signing }
    }

    /// Waits until every record is in the log, and ends it.
    pub(crate) async fn close(&self) {
        self.signing.iter().for_each(JoinHandle::abort);
        if let AuditTo::Log(AuditLog { log, .. }) = &self.to {
            let _ = log.finish(&line(&Event::Stop { timestamp: Timestamp::now() })).await; // said in the process's log
        }
    }

    /// Records that a token was made for what a user asked.
    ///
    /// # Errors
    /// [`Error::Unrecorded`] when that cannot be done, and there must not be a token without a record.
    pub(crate) async fn intent(&self, record: &IntentRecord<'_>) -> Result<(), Error> {
        match &self.to {
            AuditTo::Log(AuditLog { log, fail }) => match (log.append(&line(&Event::Intent(record))).await, fail) {
                (Err(Lost), AuditFail::Closed) => Err(Error::Unrecorded),
                (Ok(()), _) | (_, AuditFail::Open) => Ok(()),
            },
            AuditTo::Nowhere | AuditTo::Function(_) => Ok(()),
        }
    }

    pub(super) fn begin<'a>(&'a self, call: &'a Call<'a>, caller: Option<&'a Caller>) -> Entry<'a> {
        let identity = caller.and_then(Caller::identity).map(|identity| &**identity);
        let began = Instant::now();
        let steps = Steps::begin(began);
        let (tool, rule, timestamp) = (None, None, Timestamp::now());
        Entry { audit: self, call, identity, tool, rule, timestamp, began, steps, ended: false }
    }
}

/// Until it is aborted.
async fn sign(log: Arc<Log>) {
    let mut ticks = tokio::time::interval(SIGN_EVERY);
    loop {
        ticks.tick().await;
        log.sign();
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        self.signing.iter().for_each(JoinHandle::abort);
    }
}

impl<'a> Entry<'a> {
    /// The tool that was asked for.
    pub(super) fn tool(&mut self, tool: Option<&'a Tool>) {
        self.tool = tool;
    }

    /// The tool that is called, if there is one, and the rule that said whether it may be.
    pub(super) fn decided(&mut self, tool: Option<&'a Tool>, rule: &'a Rule) {
        (self.tool, self.rule) = (tool, Some(rule));
        self.steps.took("authorize", Instant::now());
    }

    /// The call ended like this; gives what to answer, once the record is written or lost.
    pub(super) async fn end(mut self, answer: Result<Json, Error>) -> Result<Json, Error> {
        self.ended = true;
        match &self.audit.to {
            AuditTo::Nowhere => answer,
            AuditTo::Function(write) => {
                self.with_record(answer.as_ref(), |record| write(record));
                answer
            }
            AuditTo::Log(AuditLog { log, fail }) => match (log.append(&self.line(answer.as_ref())).await, fail) {
                (Err(Lost), AuditFail::Closed) => Err(Error::Unrecorded),
                (Ok(()), _) | (_, AuditFail::Open) => answer,
            },
        }
    }

    /// The call was refused before it could be made.
    pub(super) fn refused(mut self, error: &Error) {
        self.ended = true;
        self.note(Err(error));
    }

    /// Hands the record in without waiting for the log.
    fn note(&self, answer: Result<&Json, &Error>) {
        match &self.audit.to {
            AuditTo::Nowhere => {}
            AuditTo::Function(write) => self.with_record(answer, |record| write(record)),
            AuditTo::Log(AuditLog { log, .. }) => log.note(&self.line(answer)),
        }
    }

    fn line(&self, answer: Result<&Json, &Error>) -> Vec<u8> {
        let mut text = Vec::new();
        self.with_record(answer, |record| text = line(&Event::Call(record)));
        text
    }

    fn with_record(&self, answer: Result<&Json, &Error>, f: impl FnOnce(&Record<'_>)) {
        let error = answer.err();
        let told = match error {
            Some(Error::Upstream(error)) => Some(error.to_string()),
            Some(Error::Abandoned) => Some("the caller left before the answer".to_owned()),
            _ => None,
        };
        let Call { arguments, .. } = self.call;
        let kept: Option<Box<RawValue>> =
            self.audit.redaction.as_ref().zip(*arguments).map(|(redaction, arguments)| redaction.apply(arguments));
        let scopes = self.tool.map(|tool| &tool.gate.scopes).filter(|scopes| !scopes.is_empty());
        let identity = self.identity;
        f(&Record {
            trace_id: self.call.trace.id,
            timestamp: self.timestamp,
            tool: self.tool.map_or_else(|| clip(self.call.tool), |tool| &tool.name.canonical),
            account_id: identity.map(|identity| &*identity.account),
            actors: identity.map_or(&[], |identity| &identity.actors),
            tenant: identity.and_then(|identity| identity.tenant.as_deref()),
            intent: identity.and_then(|identity| Some(&*identity.intent.as_ref()?.id)),
            scopes_required: scopes,
            front: self.call.front,
            arguments_digest: arguments.map(|arguments| Digest::of(arguments.as_bytes())),
            arguments: kept.as_deref(),
            verdict: error.map_or(Verdict::Allowed, Error::verdict),
            rule: error.and_then(Error::rule).or(self.rule.map(Rule::as_str)),
            decisions: &self.steps,
            duration: self.began.elapsed(),
            result_digest: answer.ok().map(|result| Digest::of(result.as_bytes())),
            error: told.as_deref(),
        });
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.note(Err(&Error::Abandoned));
        }
    }
}

/// One line of JSON, with its newline.
fn line(event: &Event<'_>) -> Vec<u8> {
    let mut line = Vec::with_capacity(1024);
    serde_json::to_writer(&mut line, event).expect("a record is plain JSON");
    line.push(b'\n');
    line
}

/// A name that no tool has may be as long as a request.
fn clip(name: &str) -> &str {
    name.char_indices().nth(200).map_or(name, |(end, _)| &name[..end])
}
