//! What is written down (go-micro's field names, where it has them).

use std::{
    fmt::Display,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use micro_core::TraceId;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::Checkpoint;
use crate::{Digest, Scopes};

/// One line of the log. Its `kind` says which.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Event<'a> {
    /// A call, allowed or not.
    Call(&'a Record<'a>),
    /// A token was made for what a user asked, or was refused.
    Intent(&'a IntentRecord<'a>),
    /// Signs what is above it.
    Checkpoint(&'a Checkpoint),
    /// The first line of a segment.
    Segment {
        /// When it was begun.
        timestamp: Timestamp,
        /// The log's name for itself: random, the same in all its segments.
        log: &'a str,
        /// The hash of the last line of the segment before it; zeros in the first.
        previous: Digest,
    },
    /// A gateway began to write.
    Start {
        /// When.
        timestamp: Timestamp,
        /// Of this version.
        version: &'a str,
        /// Bytes of a line that was not finished when the last one died. No caller was answered for it.
        #[serde(skip_serializing_if = "is_zero")]
        torn: u64,
        /// The kept checkpoint was missing, or said that the lines up to this one were not those that had been written.
        #[serde(skip_serializing_if = "Option::is_none")]
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
}

/// What is written down about a call, allowed or not.
///
/// Borrows from the call: making one costs nothing until it is written.
#[derive(Debug, Clone, Serialize)]
pub struct Record<'a> {
    /// The trace the call belongs to.
    #[serde(serialize_with = "text")]
    pub trace_id: TraceId,
    /// When it came, RFC 3339 in UTC.
    #[serde(serialize_with = "text")]
    pub timestamp: Timestamp,
    /// The tool's canonical name, or what the caller asked for when there is no such tool. Empty when the
    /// caller was refused before its request was read.
    pub tool: &'a str,
    /// Who called, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<&'a str>,
    /// Who acts for the account, the one that calls first (`act`, RFC 8693 §4.1).
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub actors: &'a [Arc<str>],
    /// The tenant the account belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<&'a str>,
    /// The intent whose token was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<&'a str>,
    /// What the tool asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes_required: Option<&'a Scopes>,
    /// The way in: `mcp`, `stdio`, `websocket`, `rest` or `compat`.
    pub front: &'static str,
    /// The SHA-256 of the arguments, as they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments_digest: Option<Digest>,
    /// The arguments themselves, where that is configured, without what must not be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<&'a RawValue>,
    /// What was decided.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The rule that decided, when there is one to name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'a str>,
    /// What was asked on the way, in order, and how long each took.
    #[serde(skip_serializing_if = "Steps::is_empty")]
    pub decisions: &'a Steps,
    /// From arrival to answer, in nanoseconds.
    #[serde(serialize_with = "nanos")]
    pub duration: Duration,
    /// The SHA-256 of the result, as the service gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_digest: Option<Digest>,
    /// Why an allowed call failed, as the caller was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
}

/// What is written down when somebody asks for a token for what a user asked, whether it was made or refused.
#[derive(Debug, Clone, Serialize)]
pub struct IntentRecord<'a> {
    /// When.
    #[serde(serialize_with = "text")]
    pub timestamp: Timestamp,
    /// The intent's id, which every record of a call with its token carries. Of one that was refused there are none.
    pub intent: &'a str,
    /// The intent that it was narrowed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<&'a str>,
    /// Who asked.
    pub account_id: &'a str,
    /// Who acts for the account, the one that holds the token first.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub actors: &'a [Arc<str>],
    /// The tenant the account belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<&'a str>,
    /// What the user asked, when the text was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'a str>,
    /// Its SHA-256.
    pub message_digest: Digest,
    /// The tools that may be called; none means that the scopes say it.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub tools: &'a [Arc<str>],
    /// The scopes that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<&'a Scopes>,
    /// How many calls there may be.
    pub calls: u64,
    /// When the token ends.
    #[serde(serialize_with = "text")]
    pub expires: Timestamp,
    /// Whether it was made.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Allowed, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The call went to the service; the token was made.
    Allowed,
    /// It did not, it was not, for this reason.
    Denied(&'static str),
}

/// What was asked on the way of a call, and how long each step took. The last one is where it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    taken: [(&'static str, Duration); Self::MOST],
    count: usize,
    since: Instant,
}

impl Steps {
    /// More are not kept.
    const MOST: usize = 10;

    /// None yet; the first begins now.
    pub fn begin(now: Instant) -> Self {
        Self { taken: [("", Duration::ZERO); Self::MOST], count: 0, since: now }
    }

    /// A step ended, and the next one begins.
    pub fn took(&mut self, policy: &'static str, now: Instant) {
        if let Some(step) = self.taken.get_mut(self.count) {
            *step = (policy, now.saturating_duration_since(self.since));
            self.count += 1;
        }
        self.since = now;
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// `{"authorize":1200,…}`, in nanoseconds.
impl Serialize for Steps {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.taken[..self.count].iter().map(|(policy, took)| (policy, whole_nanos(*took))))
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("allowed", &matches!(self, Self::Allowed))?;
        if let Self::Denied(reason) = self {
            map.serialize_entry("denied_reason", reason)?;
        }
        map.end()
    }
}

fn text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn nanos<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(whole_nanos(*duration))
}

fn whole_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_json_object_and_injected_lines_stay_inside_it() {
        let began = Instant::now();
        let mut steps = Steps::begin(began);
        steps.took("authorize", began + Duration::from_nanos(7));
        let record = Record {
            trace_id: "0af7651916cd43dd8448eb211c80319c".parse().unwrap(),
            timestamp: "2026-01-01T00:00:00Z".parse().unwrap(),
            tool: "x\n{\"allowed\":true}",
            account_id: Some("alice"),
            actors: &["planner".into()],
            tenant: Some("acme"),
            intent: None,
            scopes_required: Some(&["blog:read"].into_iter().collect()),
            front: "mcp",
            arguments_digest: Some(Digest::from([0; 32])),
            arguments: None,
            verdict: Verdict::Denied("insufficient scopes"),
            rule: Some("scopes"),
            decisions: &steps,
            duration: Duration::from_micros(3),
            result_digest: None,
            error: None,
        };
        let expect = format!(
            r#"{{"kind":"call","trace_id":"0af7651916cd43dd8448eb211c80319c","timestamp":"2026-01-01T00:00:00Z","tool":"x\n{{\"allowed\":true}}","account_id":"alice","actors":["planner"],"tenant":"acme","scopes_required":["blog:read"],"front":"mcp","arguments_digest":"{}","allowed":false,"denied_reason":"insufficient scopes","rule":"scopes","decisions":{{"authorize":7}},"duration":3000}}"#,
            "0".repeat(64)
        );
        assert_eq!(serde_json::to_string(&Event::Call(&record)).unwrap(), expect);
    }

    #[test]
    fn more_steps_than_there_is_room_for_do_no_harm() {
        let now = Instant::now();
        let mut steps = Steps::begin(now);
        assert!(steps.is_empty());
        for _ in 0..20 {
            steps.took("limit", now);
        }
        assert_eq!(steps.count, Steps::MOST);
    }
}
