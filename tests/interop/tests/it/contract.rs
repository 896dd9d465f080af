//! What a client must see of a server that offers what every server here offers.
//!
//! | kind | name | what it does |
//! | --- | --- | --- |
//! | tool | `echo` | returns `message` |
//! | tool | `add` | returns `a` + `b` as `{"sum": …}`, structured |
//! | tool | `contents` | returns one of each kind of content |
//! | tool | `fail` | fails, and says `broken` |
//! | tool | `progress` | tells of steps 1, 2 and 3 of 3 |
//! | tool | `slow` | tells of step 1 of 2, then waits for a minute to be cancelled |
//! | tool | `cancelled` | waits until a `slow` was cancelled |
//! | tool | `reconnect` | our server ends its stream before it answers, so that clients of 2025-11-25 over HTTP come back for it |
//! | tool | `elicit` | asks the user for a `name`, with the argument `answer` as its message |
//! | tool | `sample` | asks the model `ping` |
//! | tool | `roots` | asks for the client's roots |
//! | tool | `log` | logs `hello` |
//! | tool | `change` | says that the list of tools has changed |
//! | tool | `touch` | says that `test://watched` has changed |
//! | resource | `test://text`, `test://blob`, `test://watched` | `hello`; the bytes 0, 1, 2; a text |
//! | template | `test://item/{id}` | `item ` and the id |
//! | prompt | `greet` | greets `name`, which completes to `ada`, `adam` or `eve` |
//!
//! The client's user accepts with the name `ada` when the message is `accept`, and declines or cancels when it says
//! so; its model is `toy` and answers `pong`; its root is `file:///work`. Our server lists five things a page.

use std::collections::BTreeMap;

use micro_mcp::proto::Era;
use serde_json::{Value, json};

use crate::{limits, peers::Cell};

/// What a client saw, by what it looked at.
pub(crate) type Report = BTreeMap<String, Value>;

/// What must be seen in a revision's era.
fn expected(era: Era) -> Report {
    let seen = json!({
        "revision": if era == Era::Modern { "2026-07-28" } else { "2025-11-25" },
        "tools": [
            "add", "cancelled", "change", "contents", "echo", "elicit", "fail", "log", "progress", "reconnect", "roots", "sample",
            "slow", "touch",
        ],
        "echo": "hello",
        "echo of odd text": "ok",
        "echo of a long text": "ok",
        "fifty calls at once": "ok",
        "contents": [
            "text hello", "image image/png AAEC", "audio audio/wav AAEC", "resource test://text hello",
            "resource_link test://text",
        ],
        "structured": { "sum": 3 },
        "failure": "broken",
        "unknown tool": "refused",
        "missing argument": "refused",
        "progress": ["1/3", "2/3", "3/3"],
        "cancel": "cancelled",
        "reconnect": "resumed",
        "elicit accept": "accept ada",
        "elicit decline": "decline",
        "elicit cancel": "cancel",
        "sample": "toy: pong",
        "roots": "file:///work",
        "log": "info: hello",
        "resources": ["test://blob", "test://text", "test://watched"],
        "text": "hello",
        "blob": "AAEC",
        "unknown resource": "refused",
        "templates": ["test://item/{id}"],
        "item": "item 7",
        "prompts": ["greet"],
        "prompt": "user: Hello, ada!",
        "prompt without its argument": "refused",
        "completion": ["ada", "adam"],
        "list change": "tools",
        "update": "test://watched",
    });
    let Value::Object(seen) = seen else { unreachable!("written above") };
    let mut seen: Report = seen.into_iter().collect();
    if era == Era::Legacy {
        seen.insert("ping".into(), json!("pong")); // 2026-07-28 has none
    }
    seen
}

/// Every difference between what was seen and what must be: the contract, but for the limits of the peer.
pub(crate) fn differences(cell: &Cell, report: &Report) -> Vec<String> {
    let mut expected = expected(cell.era);
    let limits: Vec<_> = limits::of(cell).collect();
    for limit in &limits {
        let instead = expected.insert(limit.sentence.to_owned(), json!(limit.seen));
        assert!(instead.is_some_and(|must| must != limit.seen), "{cell}: {} is no limit", limit.sentence);
    }
    let names = expected.keys().chain(report.keys().filter(|name| !expected.contains_key(*name)));
    let differs = names.filter(|name| expected.get(*name) != report.get(*name));
    let show = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    let line = |name: &String| {
        let limit = limits.iter().find(|limit| limit.sentence == name);
        let limit = limit.map_or(String::new(), |limit| format!(" (a limit: {})", limit.why));
        format!("{cell}: {name}: {} instead of {}{limit}", show(report.get(name)), show(expected.get(name)))
    };
    differs.map(line).collect()
}
