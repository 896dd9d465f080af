//! `micro mcp record` and `replay`, between clients and servers that nobody here wrote.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result};
use micro_test::{Client, Home, Mode, Process, Session, Tool, bins};
use rustix::process::Signal;
use serde_json::json;

use crate::servers::{everything, notes, serve};

const PATIENCE: Duration = Duration::from_secs(30);

/// What a client does while it is recorded.
fn work(session: &mut Session) -> Result<()> {
    assert_eq!(session.tool_names()?, ["add", "greet", "count"]);
    assert_eq!(session.call("greet", json!({"name": "Ada"}))?["content"][0]["text"], "Hello, Ada!");
    let (counted, steps) = session.call_with_progress("count", json!({"to": 3}))?;
    assert_eq!(counted["content"][0]["text"], "counted to 3");
    assert_eq!(steps.len(), 3, "progress passes the recorder: {steps:?}");
    Ok(())
}

/// `micro` with these arguments, then a command of words, in a home.
fn micro(home: &Home, args: &[&str], words: &[String]) -> Result<Command> {
    let mut command = home.command(bins::build(&["micro"])?.path("micro"));
    command.args(args).args(words).env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

/// A recorder in front of an address, and the address for clients.
fn recorder(home: &Home, file: &str, url: &str) -> Result<(Process, String)> {
    let process = Process::start("record", micro(home, &["mcp", "record", file, url], &[])?)?;
    let url = process.wait_for_url(PATIENCE)?;
    Ok((process, url))
}

#[test]
fn a_recording_on_stdio_passes_on_the_same_server_and_fails_on_a_changed_one() -> Result<()> {
    for (client, sdk) in [(Client::mcp1(), Tool::Mcp1), (Client::mcp2(Mode::Auto), Tool::Mcp2)] {
        let home = Home::new()?;
        work(&mut client.stdio(&micro(&home, &["mcp", "record", "calls.jsonl", "--"], &notes(sdk, &[])?)?)?)?;
        let replay = |args: &[&str], server: &[&str]| {
            let words = notes(sdk, server)?;
            let words =
                [&["mcp", "replay", "calls.jsonl"], args, &["--"]].concat().into_iter().map(str::to_owned).chain(words);
            let words: Vec<_> = words.collect();
            home.micro(&words.iter().map(String::as_str).collect::<Vec<_>>())?.run()
        };
        let same = replay(&[], &[])?;
        assert!(same.success().contains("same  "), "{client}: {}", same.stdout);
        assert!(!same.stdout.contains("DIFF"), "{client}: {}", same.stdout);

        let changed = replay(&["--junit", "replay.xml"], &["--greeting", "Bye", "--extra-tool"])?;
        assert_eq!(changed.failure(), 1);
        for difference in [
            r#"/result/content/0/text: recorded "Hello, Ada!", now "Bye, Ada!""#,
            "recorded 3 items, now 4, with subtract",
        ] {
            assert!(changed.stdout.contains(difference), "{client}: {}", changed.stdout);
        }
        let junit = fs::read_to_string(home.path().join("replay.xml"))?;
        assert!(junit.contains("failures=\"2\""), "{junit}");

        // A change that is expected is ignored, by name and by place.
        let ignored =
            replay(&["--ignore", "text", "--ignore", "/result/structuredContent/result"], &["--greeting", "Bye"])?;
        assert!(!ignored.success().contains("DIFF"), "{}", ignored.stdout);
    }
    Ok(())
}

#[test]
fn a_recording_over_http_has_no_credentials_and_replays_in_a_session_of_its_own() -> Result<()> {
    for (client, sdk) in [(Client::mcp1(), Tool::Mcp1), (Client::mcp2(Mode::Modern), Tool::Mcp2)] {
        let (home, server) = (Home::new()?, serve(&notes(sdk, &["--http"])?)?);
        let (mut process, url) = recorder(&home, "calls.jsonl", &server.url)?;
        work(&mut client.bearer("s3cret-token").header("Cookie", "s3cret-cookie").http(&url)?)?;
        process.signal(Signal::INT)?;
        assert!(process.wait(PATIENCE)?.success(), "{}", process.last_lines(20));

        let text = fs::read_to_string(home.path().join("calls.jsonl"))?;
        assert!(text.contains("(redacted)") && !text.contains("s3cret"), "{text}");
        let replayed = home.micro(&["mcp", "replay", "calls.jsonl", &server.url, "--json"])?.run()?.json();
        let steps = replayed.as_array().context("a list")?;
        assert!(steps.len() >= 3 && steps.iter().all(|step| step["outcome"] == "same"), "{replayed:#}");

        let other = serve(&notes(sdk, &["--http", "--greeting", "Bye"])?)?;
        let changed = home.micro(&["mcp", "replay", "calls.jsonl", &other.url])?.run()?;
        assert_eq!(changed.failure(), 1);
        assert!(changed.stdout.contains("DIFF"), "{}", changed.stdout);
    }
    Ok(())
}

#[test]
fn what_is_heard_on_an_open_stream_passes_at_once() -> Result<()> {
    let home = Home::new()?;
    let server = serve(&everything(&["--address", "127.0.0.1:0"])?)?;
    let (_process, url) = recorder(&home, "calls.jsonl", &server.url)?;
    let mut session = Client::mcp2(Mode::Modern).http(&url)?;
    session.watch()?;
    session.call("test_trigger_tool_change", json!({}))?;
    session.changed(PATIENCE).context("the stream is still open: a recorder that buffers would hold this back")
}

#[test]
fn a_capture_serves_clients_as_the_recorded_server_did() -> Result<()> {
    let home = Home::new()?;
    let client = Client::mcp1();
    work(&mut client.stdio(&micro(&home, &["mcp", "record", "calls.jsonl", "--"], &notes(Tool::Mcp1, &[])?)?)?)?;
    work(&mut client.stdio(&micro(&home, &["mcp", "replay", "calls.jsonl", "--serve"], &[])?)?)?;

    let serving = &["mcp", "replay", "calls.jsonl", "--serve", "--address", "127.0.0.1:0"];
    let process = Process::start("replay", micro(&home, serving, &[])?)?;
    let mut session = client.http(&process.wait_for_url(PATIENCE)?)?;
    work(&mut session)?;
    assert!(session.call("greet", json!({"name": "Bob"})).is_err(), "nobody asked this when it was recorded");
    Ok(())
}

#[test]
fn a_server_that_dies_and_a_file_that_is_no_capture_are_told() -> Result<()> {
    let home = Home::new()?;
    let write = |name: &str, text: &str| fs::write(Path::new(home.path()).join(name), text);
    let replay = |file: &str, server: &[&str]| {
        home.micro(&[&["mcp", "replay", file, "--timeout", "5s"], server].concat())?.run()
    };
    let head = r#"{"micro-capture":1,"transport":"pipe","recorded":"2026-11-21T00:00:00Z"}"#;
    let ask = r#"{"at":0,"from":"client","message":{"jsonrpc":"2.0","id":1,"method":"ping"}}"#;
    let answer = r#"{"at":1,"from":"server","message":{"jsonrpc":"2.0","id":1,"result":{}}}"#;
    write("one.jsonl", &format!("{head}\n{ask}\n{answer}\n{ask}\n{answer}\n"))?;
    let died = replay("one.jsonl", &["--", "sh", "-c", "read line; exit 3"])?;
    assert_eq!(died.failure(), 1);
    assert!(died.stdout.contains("DIFF  1 ping") && died.stdout.contains("skip  2 ping"), "{}", died.stdout);

    write("bad.jsonl", &format!("{head}\nnot json\n"))?;
    let bad = replay("bad.jsonl", &["--", "true"])?;
    assert_eq!(bad.failure(), 6);
    assert!(bad.stderr.contains("line 2"), "{}", bad.stderr);
    assert_eq!(replay("none.jsonl", &["--", "true"])?.failure(), 3);
    assert_eq!(replay("one.jsonl", &["http://127.0.0.1:1/mcp"])?.failure(), 2);
    Ok(())
}
