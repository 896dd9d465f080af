//! Which records are looked for.

use std::time::Duration;

use jiff::Timestamp;
use micro_policy::audit::{CallEntry, Entry, IntentEntry};

use super::Read;

/// Which records are looked for. Everything that is named must hold.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Filter {
    /// Of this account
    #[arg(long)]
    account: Option<String>,
    /// Of this tool, by its canonical name; a `*` at the end stands for every end
    #[arg(long)]
    tool: Option<String>,
    /// Of this trace
    #[arg(long)]
    trace: Option<String>,
    /// Of this intent, and tokens that were asked for with its token
    #[arg(long)]
    intent: Option<String>,
    /// Not older: a time (2026-01-31T12:00:00Z), or so long ago (90s, 15m, 2h, 7d)
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// Only calls that were allowed
    #[arg(long, conflicts_with = "denied")]
    allowed: bool,
    /// Only what was refused: calls, and tokens for intents
    #[arg(long)]
    denied: bool,
    /// With this text anywhere in the record
    #[arg(value_name = "TEXT")]
    text: Option<String>,
}

impl Filter {
    /// Whether this record is looked for. Others than calls and intents never are.
    pub(crate) fn takes(&self, Read { text, entry }: &Read) -> bool {
        let there = self.text.as_ref().is_none_or(|part| text.contains(part.as_str()));
        there
            && match entry {
                Entry::Call(call) => self.takes_call(call),
                Entry::Intent(intent) => self.takes_intent(intent),
                _ => false,
            }
    }

    fn takes_call(&self, call: &CallEntry) -> bool {
        is(self.account.as_deref(), call.account_id.as_deref())
            && self.tool.as_deref().is_none_or(|tool| names(tool, &call.tool))
            && is(self.trace.as_deref(), Some(&call.trace_id))
            && is(self.intent.as_deref(), call.intent.as_deref())
            && self.since.is_none_or(|since| since <= call.timestamp)
            && (call.allowed || !self.allowed)
            && !(self.denied && call.allowed)
    }

    fn takes_intent(&self, intent: &IntentEntry) -> bool {
        is(self.account.as_deref(), Some(&intent.account_id))
            && (is(self.intent.as_deref(), Some(&intent.intent))
                || is(self.intent.as_deref(), intent.parent.as_deref()))
            && self.since.is_none_or(|since| since <= intent.timestamp)
            && self.tool.is_none()
            && self.trace.is_none()
            && !self.allowed
            && !(self.denied && intent.allowed)
    }
}

fn is(wanted: Option<&str>, there: Option<&str>) -> bool {
    wanted.is_none() || wanted == there
}

fn names(pattern: &str, tool: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == tool, |start| tool.starts_with(start))
}

fn since(text: &str) -> Result<Timestamp, String> {
    let ago = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 24 * 3600,
            _ => return None,
        };
        let ago = Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(unit)?);
        Timestamp::now().checked_sub(ago).ok()
    };
    ago()
        .or_else(|| text.parse().ok())
        .ok_or_else(|| "say a time like 2026-01-31T12:00:00Z, or how long ago: 90s, 15m, 2h, 7d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_either_way() {
        for good in ["90s", "15m", "2h", "7d", "2026-01-31T12:00:00Z"] {
            assert!(since(good).unwrap() < Timestamp::now() + Duration::from_secs(1), "{good}");
        }
        for bad in ["", "s", "5", "-5m", "5w", "99999999999999999999d", "yesterday", "é"] {
            assert!(since(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_star_at_the_end_stands_for_every_end() {
        assert!(names("users.*", "users.Users.Get") && names("*", "x") && names("x", "x"));
        assert!(!names("users", "users.Users.Get") && !names("us*rs", "users"));
    }
}
