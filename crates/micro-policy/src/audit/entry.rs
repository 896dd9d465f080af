//! Lines of the log, read back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Checkpoint;
use crate::Digest;

/// One line of the log. What is not known is passed over, so that older programs read newer logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Entry {
    /// See [`super::Record`].
    Call(Box<CallEntry>),
    /// See [`super::IntentRecord`].
    Intent(Box<IntentEntry>),
    /// See [`Checkpoint`].
    Checkpoint(Checkpoint),
    /// The first line of a segment.
    Segment {
        /// When it was begun.
        timestamp: Timestamp,
        /// The log's name for itself.
        log: String,
        /// The hash of the last line before it.
        previous: Digest,
    },
    /// A gateway began to write.
    Start {
        /// When.
        timestamp: Timestamp,
        /// Of this version.
        #[serde(default)]
        version: String,
        /// Bytes of a line that was not finished.
        #[serde(default)]
        torn: u64,
        /// Lines up to this one could not be confirmed.
        #[serde(default)]
        unconfirmed_through: Option<u64>,
    },
    /// A gateway ended as it should.
    Stop {
        /// When.
        timestamp: Timestamp,
    },
    /// Records that could not be written.
    Lost {
        /// When this was written.
        timestamp: Timestamp,
        /// How many there were.
        lost: u64,
    },
    /// Of a kind that this program does not know.
    #[serde(other)]
    Unknown,
}

/// A call, as it was written down.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CallEntry {
    /// The trace it belongs to.
    pub trace_id: String,
    /// When it came.
    pub timestamp: Timestamp,
    /// The tool.
    pub tool: String,
    /// Who called, or asked.
    pub account_id: Option<String>,
    /// Who acts for the account, the one that calls first.
    #[serde(default)]
    pub actors: Vec<String>,
    /// The tenant of the account.
    pub tenant: Option<String>,
    /// The intent.
    pub intent: Option<String>,
    /// What the tool asks for.
    #[serde(default)]
    pub scopes_required: Vec<String>,
    /// The way in.
    #[serde(default)]
    pub front: String,
    /// The SHA-256 of the arguments.
    pub arguments_digest: Option<Digest>,
    /// The arguments, where they are kept.
    pub arguments: Option<Value>,
    /// Whether it went to the service.
    pub allowed: bool,
    /// Why not.
    pub denied_reason: Option<String>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Policy by policy, in order, how many nanoseconds it took.
    #[serde(default)]
    pub decisions: Map<String, Value>,
    /// In nanoseconds.
    #[serde(default)]
    pub duration: u64,
    /// The SHA-256 of the result.
    pub result_digest: Option<Digest>,
    /// Why an allowed call failed.
    pub error: Option<String>,
}

/// An intent, as it was written down.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IntentEntry {
    /// When the token was made.
    pub timestamp: Timestamp,
    /// The intent.
    pub intent: String,
    /// The intent that it was narrowed from.
    pub parent: Option<String>,
    /// Who called, or asked.
    pub account_id: String,
    /// Who acts for the account, the one that calls first.
    #[serde(default)]
    pub actors: Vec<String>,
    /// The tenant of the account.
    pub tenant: Option<String>,
    /// What the user asked, when the text was given.
    pub message: Option<String>,
    /// Its SHA-256.
    pub message_digest: Digest,
    /// The tools that may be called.
    #[serde(default)]
    pub tools: Vec<String>,
    /// The scopes that it has.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// How many calls there may be.
    pub calls: u64,
    /// When its token ends.
    pub expires: Timestamp,
    /// Whether it was made.
    #[serde(default = "yes")]
    pub allowed: bool,
    /// Why not.
    pub denied_reason: Option<String>,
}

/// Older logs have only those that were made.
fn yes() -> bool {
    true
}

impl Entry {
    /// Reads a line, without looking at its hash.
    pub fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}
