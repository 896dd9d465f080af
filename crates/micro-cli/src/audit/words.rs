//! Records in words.

use jiff::Timestamp;
use micro_policy::audit::{CallEntry, Entry, IntentEntry};
use owo_colors::OwoColorize;
use serde_json::Value;

use crate::words::plain;

/// One line about an entry; none about those that only hold the log together.
pub(crate) fn line(entry: &Entry) -> Option<String> {
    Some(match entry {
        Entry::Call(call) => of_call(call),
        Entry::Intent(intent) => of_intent(intent),
        Entry::Start { timestamp, torn: 0, .. } => format!("{}  {}", time(*timestamp), "gateway started".dimmed()),
        Entry::Start { timestamp, torn, .. } => {
            let torn = format!("gateway started; {torn} bytes of an unfinished record were taken away");
            format!("{}  {}", time(*timestamp), torn.dimmed())
        }
        Entry::Stop { timestamp } => format!("{}  {}", time(*timestamp), "gateway stopped".dimmed()),
        Entry::Lost { timestamp, lost } => {
            format!("{}  {}", time(*timestamp), format!("{lost} records could not be written").yellow())
        }
        Entry::Checkpoint(_) | Entry::Segment { .. } | Entry::Unknown => return None,
    })
}

fn of_call(call: &CallEntry) -> String {
    let verdict = if call.allowed { "allowed".green().to_string() } else { "denied ".red().to_string() };
    let mut text = format!(
        "{}  {verdict}  {}  {}  {}  {}  {}",
        time(call.timestamp),
        if call.tool.is_empty() { "-".to_owned() } else { plain(&call.tool) },
        who(call.account_id.as_deref(), &call.actors),
        call.front,
        took(call.duration),
        call.trace_id,
    );
    if let Some(intent) = &call.intent {
        text.push_str(&format!("  intent {}", plain(intent)));
    }
    if let Some(why) = call.denied_reason.as_ref().or(call.error.as_ref()) {
        text.push_str(&format!("  {}", plain(why)));
    }
    text
}

fn of_intent(intent: &IntentEntry) -> String {
    let what = intent.message.as_deref().map_or_else(|| format!("sha256:{}", intent.message_digest), plain);
    let who = who(Some(&intent.account_id), &intent.actors);
    let (time, id) = (time(intent.timestamp), plain(&intent.intent));
    match &intent.denied_reason {
        None => format!("{time}  {}   {id}  {who}  {what}", "intent".cyan()),
        Some(why) => format!("{time}  {}  an intent  {who}  {what}  {}", "denied ".red(), plain(why)),
    }
}

/// An account, and who acts for it.
pub(crate) fn who(account: Option<&str>, actors: &[String]) -> String {
    let account = plain(account.unwrap_or("-"));
    match actors {
        [] => account,
        actors => format!("{account} through {}", plain(&actors.join(", "))),
    }
}

/// One policy of a call's way, and how long it took. `denied` when the call ended there.
pub(crate) fn step(policy: &str, nanos: &Value, denied: bool) -> String {
    let mark = if denied { "✗".red().to_string() } else { "✓".green().to_string() };
    format!("{mark} {} {}", plain(policy), took(nanos.as_u64().unwrap_or(0)))
}

/// Nanoseconds, in the unit that fits.
pub(crate) fn took(nanos: u64) -> String {
    match nanos {
        0..10_000 => format!("{}.{} µs", nanos / 1000, nanos % 1000 / 100),
        10_000..1_000_000 => format!("{} µs", nanos / 1000),
        1_000_000..10_000_000 => format!("{}.{} ms", nanos / 1_000_000, nanos % 1_000_000 / 100_000),
        10_000_000..10_000_000_000 => format!("{} ms", nanos / 1_000_000),
        _ => format!("{} s", nanos / 1_000_000_000),
    }
}

/// A moment, to the second.
pub(crate) fn time(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_the_unit_that_fits() {
        for (nanos, text) in [
            (0, "0.0 µs"),
            (1234, "1.2 µs"),
            (12_345, "12 µs"),
            (1_234_567, "1.2 ms"),
            (123_456_789, "123 ms"),
            (12_345_678_901, "12 s"),
        ] {
            assert_eq!(took(nanos), text);
        }
    }
}
