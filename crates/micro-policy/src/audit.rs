//! The record of one call (go-micro's field names).

use std::{fmt::Display, time::Duration};

use jiff::Timestamp;
use micro_core::TraceId;
use serde::{Serialize, Serializer};

use crate::Scopes;

/// What is written down about a call, allowed or not. Arguments and results are not part of it.
///
/// Borrows from the call: making one costs nothing until it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    /// What the tool asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes_required: Option<&'a Scopes>,
    /// The way in: `mcp`, `stdio`, `rest` or `compat`.
    pub front: &'static str,
    /// What was decided.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// From arrival to answer, in nanoseconds.
    #[serde(serialize_with = "nanos")]
    pub duration: Duration,
    /// Why an allowed call failed, as the caller was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
}

fn text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Allowed, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The call went to the service.
    Allowed,
    /// It did not, for this reason.
    Denied(&'static str),
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("allowed", &matches!(self, Self::Allowed))?;
        if let Self::Denied(reason) = self {
            map.serialize_entry("denied_reason", reason)?;
        }
        map.end()
    }
}

fn nanos<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_json_object_and_injected_lines_stay_inside_it() {
        let record = Record {
            trace_id: "0af7651916cd43dd8448eb211c80319c".parse().unwrap(),
            timestamp: "2026-01-01T00:00:00Z".parse().unwrap(),
            tool: "x\n{\"allowed\":true}",
            account_id: Some("alice"),
            scopes_required: Some(&["blog:read"].into_iter().collect()),
            front: "mcp",
            verdict: Verdict::Denied("insufficient scopes"),
            duration: Duration::from_micros(3),
            error: None,
        };
        assert_eq!(
            serde_json::to_string(&record).unwrap(),
            r#"{"trace_id":"0af7651916cd43dd8448eb211c80319c","timestamp":"2026-01-01T00:00:00Z","tool":"x\n{\"allowed\":true}","account_id":"alice","scopes_required":["blog:read"],"front":"mcp","allowed":false,"denied_reason":"insufficient scopes","duration":3000}"#
        );
    }
}
