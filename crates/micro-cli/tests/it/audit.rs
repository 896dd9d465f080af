//! `micro audit` and `micro trace`: a real gateway's log, and one that was tampered with.

use std::{fs, path::PathBuf, time::Duration};

use jiff::Timestamp;
use micro_policy::{
    Digest, Verdict,
    audit::{Event, Head, IntentRecord, Record, Steps},
};
use micro_test::{Home, http};
use serde_json::{Value, json, value::RawValue};

use crate::{
    users::{Running, check_ends_well, check_failure, command},
    vocabulary::micro,
};

const PATIENCE: Duration = Duration::from_secs(30);
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// A home with a log of three calls: one answered, one refused, one that failed.
fn recorded() -> Home {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let mut server = command(&home, &["server", "--address", "127.0.0.1:0", "--audit", "audit"]).start().unwrap();
    let url = server.wait_for_url(PATIENCE).unwrap();
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    for (body, headers) in [
        (json!({"id": "ada"}), &[("traceparent", traceparent.as_str())][..]),
        (json!({"id": 7}), &[]),
        (json!({"id": "nobody"}), &[]),
    ] {
        http::post_json(&format!("{}/api/users/Users.Get", url.trim_end_matches('/')), headers, &body).unwrap();
    }
    check_ends_well(&mut server);
    home
}

fn segment(home: &Home) -> PathBuf {
    home.path().join("audit/000000000001.jsonl")
}

/// Replaces the lines of the log by what `change` makes of them.
fn tamper(home: &Home, change: impl FnOnce(&mut Vec<String>)) {
    let text = fs::read_to_string(segment(home)).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(segment(home), lines.join("\n") + "\n").unwrap();
}

#[test]
fn a_log_that_nobody_touched_is_good_and_says_what_to_note_down() {
    let home = recorded();
    let output = micro(&home, &["audit", "verify"]);
    let said = output.success();
    assert!(said.contains("3 calls") && said.contains("signed to the end"), "{said}");
    let noted = said.trim_end().rsplit(' ').next().unwrap().to_owned();
    micro(&home, &["audit", "verify", "--expect", &noted]).success();
    let other = format!("2:{}", Digest::of(b"other"));
    check_failure(&micro(&home, &["audit", "verify", "--expect", &other]), 6, &["not as it was written"]);
    let report = micro(&home, &["audit", "verify", "--json"]).json();
    assert_eq!((&report["good"], &report["report"]["calls"]), (&json!(true), &json!(3)));
}

#[test]
fn every_kind_of_tampering_is_found_and_its_place_named() {
    let home = recorded();
    let good = fs::read_to_string(segment(&home)).unwrap();
    let call = good.lines().position(|line| line.contains("\"kind\":\"call\"")).unwrap();
    let (place, last) = (format!("000000000001.jsonl:{}", call + 1), good.lines().count());
    type Change = Box<dyn FnOnce(&mut Vec<String>)>;
    let cases: [(Change, [String; 2]); 5] = [
        (
            Box::new(move |lines| lines[call] = lines[call].replace("users.Users.Get", "users.Users.Put")),
            [place.clone(), "does not match its hash".into()],
        ),
        (
            Box::new(move |lines| drop(lines.remove(call))),
            [place.clone(), format!("missing before this: record {}", call + 1)],
        ),
        (
            Box::new(move |lines| lines.swap(call, call + 1)),
            [format!("000000000001.jsonl:{}", call + 2), format!("record {} stands in the wrong place", call + 1)],
        ),
        (
            Box::new(move |lines| drop(lines.pop())),
            [format!("000000000001.jsonl:{}", last - 1), format!("the end is missing: record {last}")],
        ),
        (Box::new(move |lines| lines[call].truncate(9)), [place, "no line of an audit log".into()]),
    ];
    for (change, [place, fault]) in cases {
        fs::write(segment(&home), &good).unwrap();
        tamper(&home, change);
        let output = micro(&home, &["audit", "verify"]);
        check_failure(&output, 6, &["the audit log is not as it was written: 1 thing found"]);
        let first = output.stdout.lines().next().unwrap();
        assert!(first.starts_with(&place) && first.contains(&fault), "{fault}: {first}");
        let found = micro(&home, &["audit", "verify", "--json"]);
        assert_eq!(serde_json::from_str::<Value>(&found.stdout).unwrap()["good"], false);
    }
}

#[test]
fn a_log_is_verified_with_the_public_key_that_is_given() {
    let home = recorded();
    let moved = home.path().join("elsewhere.pub");
    fs::rename(home.path().join("audit/checkpoint.pub"), &moved).unwrap();
    let output = micro(&home, &["audit", "verify"]);
    output.success();
    assert!(output.stderr.contains("there is no key"), "{}", output.stderr);
    assert!(micro(&home, &["audit", "verify", "--key", "elsewhere.pub"]).success().contains("signed to the end"));
    // The key of another gateway signs nothing here.
    let other = recorded();
    let key = other.path().join("audit/checkpoint.pub").display().to_string();
    let output = micro(&home, &["audit", "verify", "--key", &key]);
    assert_eq!(output.failure(), 6);
    assert!(output.stdout.contains("does not sign what stands above it"), "{}", output.stdout);
}

#[test]
fn records_are_found_by_what_they_say() {
    let home = recorded();
    let found = |args: &[&str]| {
        let output = micro(&home, &[&["audit", "search"], args].concat());
        output.success().lines().count()
    };
    for (args, count) in [
        (&[][..], 3),
        (&["--denied"], 1),
        (&["--allowed"], 2),
        (&["--tool", "users.*"], 3),
        (&["--tool", "users.Users.Rename"], 0),
        (&["--trace", TRACE], 1),
        (&["--account", "ada"], 0),
        (&["--since", "1h"], 3),
        (&["--since", "2999-01-01T00:00:00Z"], 0),
        (&["invalid arguments"], 1),
        (&["--denied", "no user"], 0),
    ] {
        assert_eq!(found(args), count, "{args:?}");
    }
    let line = micro(&home, &["audit", "search", "--denied"]);
    assert!(line.success().contains("denied   users.Users.Get  -  rest"), "{}", line.stdout);
    check_failure(&micro(&home, &["audit", "search", "--since", "yesterday"]), 2, &["say a time"]);
    check_failure(
        &micro(&home, &["audit", "search", "--log", "elsewhere"]),
        3,
        &["there is no audit log at elsewhere"],
    );
}

#[test]
fn records_are_exported_for_other_programs() {
    let home = recorded();
    let all = micro(&home, &["audit", "export"]).json();
    assert_eq!(all.as_array().unwrap().len(), 3);
    assert_eq!(all[0]["trace_id"], TRACE);
    let csv = micro(&home, &["audit", "export", "--format", "csv", "--denied"]);
    let rows: Vec<_> = csv.success().lines().collect();
    assert_eq!(rows.len(), 2);
    assert!(rows[0].starts_with("timestamp,trace_id,account_id") && rows[1].contains("invalid arguments,schema"));
    assert_eq!(micro(&home, &["audit", "export", "--account", "x"]).json(), json!([]));
}

#[test]
fn the_last_records_are_shown_and_those_that_come_are_followed() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let mut server = command(&home, &["server", "--address", "127.0.0.1:0", "--audit", "audit"]).start().unwrap();
    let url = server.wait_for_url(PATIENCE).unwrap();
    let call = |id: Value| {
        let url = format!("{}/api/users/Users.Get", url.trim_end_matches('/'));
        http::post_json(&url, &[], &json!({"id": id})).unwrap();
    };
    call(json!("ada"));
    let mut tail = command(&home, &["audit", "tail", "--follow"]).start().unwrap();
    tail.wait_for_line("allowed  users.Users.Get", PATIENCE).unwrap();
    let mut trace = command(&home, &["trace", "users.*", "--count", "1"]).start().unwrap();
    trace.wait_for_line("waiting for calls", PATIENCE).unwrap();
    call(json!(7));
    tail.wait_for_line("invalid arguments", PATIENCE).unwrap();
    assert!(trace.wait(PATIENCE).unwrap().success());
    let steps = trace.stdout();
    for part in ["denied   users.Users.Get", "✓ authorize", "✗ validate", "by the rule schema"] {
        assert!(steps.contains(part), "{part} is missing: {steps}");
    }
    tail.kill().unwrap();
    check_ends_well(&mut server);
    let last = micro(&home, &["audit", "tail", "--lines", "2"]);
    let last: Vec<_> = last.success().lines().collect();
    assert!(matches!(last[..], [denied, stopped] if denied.contains("denied") && stopped.contains("gateway stopped")));
}

/// The log of an intent and of one that was narrowed from it.
fn intents(path: &std::path::Path) {
    let (mut head, mut out) = (Head::default(), Vec::new());
    let time: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
    let mut write = |event: &Event<'_>| head.seal(&serde_json::to_vec(event).unwrap(), &mut out);
    let tools = ["blog.Posts.List".into(), "blog.Posts.Read".into()];
    let first = IntentRecord {
        timestamp: time,
        intent: "in_1",
        parent: None,
        account_id: "ada",
        actors: &["planner".into()],
        tenant: None,
        message: Some("summarise\nthe blog"),
        message_digest: Digest::of(b"summarise\nthe blog"),
        tools: &tools,
        scopes: None,
        calls: 5,
        expires: time + Duration::from_secs(300),
        verdict: Verdict::Allowed,
    };
    write(&Event::Intent(&first));
    let began = std::time::Instant::now();
    let mut steps = Steps::begin(began);
    steps.took("authorize", began + Duration::from_micros(2));
    let call = Record {
        trace_id: TRACE.parse().unwrap(),
        timestamp: time,
        tool: "blog.Posts.List",
        account_id: Some("ada"),
        actors: &["planner".into()],
        tenant: None,
        intent: Some("in_1"),
        scopes_required: None,
        front: "mcp",
        arguments_digest: None,
        arguments: None,
        verdict: Verdict::Allowed,
        rule: Some("scopes:service"),
        decisions: &steps,
        duration: Duration::from_millis(3),
        result_digest: Some(Digest::from([0; 32])),
        error: None,
    };
    write(&Event::Call(&call));
    let child = IntentRecord {
        timestamp: time + Duration::from_secs(1),
        intent: "in_2",
        parent: Some("in_1"),
        actors: &["reader".into(), "planner".into()],
        message: None,
        tools: &tools[1..],
        calls: 1,
        ..first.clone()
    };
    write(&Event::Intent(&child));
    let arguments = RawValue::from_string(r#"{"id":7}"#.to_owned()).unwrap();
    let refused = Record {
        tool: "blog.Posts.Delete",
        intent: Some("in_2"),
        actors: &["reader".into(), "planner".into()],
        verdict: Verdict::Denied("not in the intent"),
        rule: Some("intent"),
        timestamp: time + Duration::from_secs(1),
        result_digest: None,
        arguments: Some(&arguments),
        ..call.clone()
    };
    write(&Event::Call(&refused));
    let wider = IntentRecord {
        timestamp: time + Duration::from_secs(2),
        intent: "in_3",
        parent: Some("in_2"),
        tools: &["*".into()],
        verdict: Verdict::Denied("not allowed to the subject"),
        ..child.clone()
    };
    write(&Event::Intent(&wider));
    // What came after the sub-agent's token stands below it.
    write(&Event::Call(&Record { timestamp: time + Duration::from_secs(3), ..call }));
    fs::write(path, out).unwrap();
}

#[test]
fn an_intent_is_a_tree_of_what_was_asked_decided_and_done() {
    let home = Home::new().unwrap();
    intents(&home.path().join("log.jsonl"));
    let output = micro(&home, &["audit", "trace", "in_1", "--log", "log.jsonl"]);
    let zeros = "0".repeat(64);
    let expect = format!(
        "\
intent in_1  \"summarise the blog\"
│  asked by ada through planner  2026-01-31 12:00:00
│  allows   blog.Posts.List, blog.Posts.Read
│           5 calls (2 made, 1 given on), until 2026-01-31 12:05:00
├─ allowed blog.Posts.List  ada through planner  2026-01-31 12:00:00  3.0 ms
│    ✓ authorize 2.0 µs
│    rule      scopes:service
│    result    sha256:{zeros}
├─ intent in_2  for the same message
│  │  asked by ada through reader, planner  2026-01-31 12:00:01
│  │  allows   blog.Posts.Read
│  │           1 call (0 made, 0 given on), until 2026-01-31 12:05:00
│  ├─ denied  blog.Posts.Delete  ada through reader, planner  2026-01-31 12:00:01  3.0 ms
│  │    ✗ authorize 2.0 µs
│  │    rule      intent
│  │    because   not in the intent
│  │    arguments {{\"id\":7}}
│  └─ denied  an intent for the same message
│        asked by ada through reader, planner  2026-01-31 12:00:02
│        wanted   *
│                 1 call, until 2026-01-31 12:05:00
│        because  not allowed to the subject
└─ allowed blog.Posts.List  ada through planner  2026-01-31 12:00:03  3.0 ms
     ✓ authorize 2.0 µs
     rule      scopes:service
     result    sha256:{zeros}
"
    );
    assert_eq!(output.success(), expect);
    let tree = micro(&home, &["audit", "trace", "in_1", "--log", "log.jsonl", "--json"]).json();
    assert_eq!(tree["narrowed"][0]["calls"][0]["denied_reason"], "not in the intent");
    let found = micro(&home, &["audit", "search", "--intent", "in_2", "--log", "log.jsonl"]);
    assert_eq!(found.success().lines().count(), 3, "{}", found.stdout);
    let denied = micro(&home, &["audit", "search", "--denied", "--log", "log.jsonl"]);
    let denied: Vec<_> = denied.success().lines().collect();
    assert!(matches!(denied[..], [call, intent] if call.contains("blog.Posts.Delete") && intent.contains("an intent")));
    let newest = micro(&home, &["audit", "trace", "--log", "log.jsonl"]);
    assert_eq!(newest.success(), expect, "the newest one that was not narrowed");
    check_failure(&micro(&home, &["audit", "trace", "in_4", "--log", "log.jsonl"]), 3, &["no record speaks"]);
}
