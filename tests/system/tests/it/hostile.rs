//! Input nobody should send: each gets a clear answer, the process lives, its memory stays bounded.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use micro_test::{Home, bins, http};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::blog::{Blog, breathe};

const HEADERS: [(&str, &str); 4] = [
    ("content-type", "application/json"),
    ("accept", "application/json, text/event-stream"),
    ("mcp-protocol-version", "2026-07-28"),
    ("mcp-method", "tools/call"),
];

/// A modern call of `posts_Create` with these raw arguments.
fn call(arguments: &str) -> Vec<u8> {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"posts_Create","arguments":{arguments},"_meta":{meta}}}}}"#).into_bytes()
}

fn post(blog: &Blog, extra: &[(&str, &str)], body: &[u8]) -> Result<(u16, Value)> {
    let headers = [&HEADERS, extra].concat();
    let answer = http::request("POST", &blog.mcp(), &headers, body)?;
    Ok((answer.status(), answer.json().with_context(|| answer.text())?))
}

#[test]
fn a_service_whose_log_nobody_reads_any_more_still_stops_when_asked() -> Result<()> {
    let home = Home::new()?;
    let mut hello = home.command(bins::build(&["hello"])?.path("hello"));
    hello.env("HELLO_MCP", "127.0.0.1:0").stderr(Stdio::piped());
    let mut hello = hello.spawn()?;
    let mut log = BufReader::new(hello.stderr.take().context("a pipe")?).lines();
    let up = log.find(|line| line.as_ref().is_ok_and(|line| line.contains("service is up")));
    up.context("it has ended")??;
    drop(log); // from here on every line it writes fails
    kill_process(Pid::from_child(&hello), Signal::TERM)?;
    let end = Instant::now() + Duration::from_secs(20);
    let status = loop {
        if let Some(status) = hello.try_wait()? {
            break status;
        }
        if Instant::now() > end {
            hello.kill()?;
            bail!("it goes on");
        }
        breathe();
    };
    ensure!(status.success(), "{status}");
    ensure!(fs::read_dir(home.registry_dir())?.next().is_none(), "it has not left the registry");
    Ok(())
}

#[test]
fn bad_input_gets_a_specified_error_and_harms_nothing() -> Result<()> {
    let blog = Blog::start(&["--no-watch"])?;
    let name = ("mcp-name", "posts_Create");
    let before = resident(&blog)?;

    for (what, arguments) in [
        ("wrong types", r#"{"author":"two","title":1,"body":[]}"#.to_owned()),
        ("missing fields", "{}".to_owned()),
        ("not an object", "[1]".to_owned()),
        ("deep nesting", format!(r#"{{"author":2,"title":"x","body":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000))),
    ] {
        let (status, answer) = post(&blog, &[name], &call(&arguments))?;
        let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_default();
        let as_error = answer["error"]["code"] == -32602;
        assert!(
            status < 500 && (answer["result"]["isError"] == true && text.len() > 10 || as_error),
            "{what}: {status} {answer}"
        );
        assert_eq!(answer["id"], 7, "{what}");
    }

    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (what, extra, body, status, code) in [
        (
            "unknown tool",
            &[("mcp-name", "nobody_Nothing")][..],
            String::from_utf8(call("{}"))?.replace("posts_Create", "nobody_Nothing").into_bytes(),
            200,
            -32602,
        ),
        ("not JSON", &[name], b"{\"jsonrpc\":".to_vec(), 400, -32700),
        ("invalid UTF-8", &[name], b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"\xff\xfe\"}".to_vec(), 400, -32700),
        ("nothing but nesting", &[name], deep.into_bytes(), 400, -32600),
        ("a batch", &[name], [b"[".to_vec(), call("{}"), b"]".to_vec()].concat(), 400, -32600),
        ("a header that says something else", &[("mcp-name", "users_Get")], call("{}"), 400, -32020),
        ("20 MB", &[name], call(&format!(r#"{{"body":"{}"}}"#, "x".repeat(20 << 20))), 413, -32600),
    ] {
        let (got, answer) = post(&blog, extra, &body)?;
        assert_eq!((got, answer["error"]["code"].as_i64()), (status, Some(code)), "{what}: {answer}");
    }

    let (status, _) = post(&blog, &[name, ("origin", "https://evil.example")], &call("{}"))?;
    assert_eq!(status, 403);

    assert_eq!(blog.rest("users/Users.Get", &json!({"id": 1}))?.status(), 200, "all is well");
    let grown = resident(&blog)?.saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB more than before");
    Ok(())
}

/// Resident memory of `micro run`, in KiB.
fn resident(blog: &Blog) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", blog.process.id()))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
