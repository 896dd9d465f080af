//! The official suite, by the strict count.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use anyhow::Result;
use micro_test::conformance::{self, Case, Side, Subjects, Verdict};

/// The negative control: in the suite's own count such a server passes both of these.
#[test]
fn a_server_that_knows_nothing_passes_no_scenario() -> Result<()> {
    let url = server_that_knows_nothing()?;
    let cases = ["tools-list", "http-header-validation"].map(|scenario| case(Side::Server, scenario));
    for outcome in conformance::run(Subjects { server: &url, client: "" }, &cases, |_| {})? {
        assert!(!matches!(outcome.verdict, Verdict::Passed { .. }), "{outcome}");
    }
    Ok(())
}

/// The other one: in the suite's own count a client that does nothing passes the second of these.
#[test]
fn a_client_that_does_nothing_passes_no_scenario() -> Result<()> {
    let cases = ["tools_call", "http-standard-headers"].map(|scenario| case(Side::Client, scenario));
    for outcome in conformance::run(Subjects { server: "", client: "/bin/true" }, &cases, |_| {})? {
        assert!(!matches!(outcome.verdict, Verdict::Passed { .. }), "{outcome}");
    }
    Ok(())
}

fn case(side: Side, scenario: &'static str) -> Case {
    Case { side, version: "2026-07-28", scenario }
}

#[test]
fn a_closed_port_is_an_error() -> Result<()> {
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let server = format!("http://{free}/mcp");
    let cases = [case(Side::Server, "tools-list")];
    assert!(conformance::run(Subjects { server: &server, client: "" }, &cases, |_| {}).is_err());
    Ok(())
}

/// Answers 404 to everything; its URL.
fn server_that_knows_nothing() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/mcp", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer_404(stream));
        }
    });
    Ok(url)
}

fn answer_404(stream: TcpStream) -> Option<()> {
    let mut from = BufReader::new(stream.try_clone().ok()?);
    let mut to = stream;
    loop {
        let mut length = 0;
        let mut line = String::new();
        while from.read_line(&mut line).ok()? > 2 {
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            line.clear();
        }
        from.by_ref().take(length).read_to_end(&mut Vec::new()).ok()?;
        to.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").ok()?;
    }
}
