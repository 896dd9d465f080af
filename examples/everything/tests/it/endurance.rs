//! Many clients, one after the other and all at once: none is in the way of another, and nothing is left of
//! those that went. `MICRO_ENDURANCE=long` takes as many as `cargo xtask endurance` does.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    time::Duration,
};

use micro_mcp::{
    client::{Client, Error},
    proto::Revision,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A server of its own process, killed when dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(address: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_everything-server"));
        let mut child = command.args(["--address", address]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        std::thread::spawn(move || std::io::copy(&mut lines.by_ref(), &mut std::io::sink()));
        let url = line.trim().strip_prefix("listening on http://").expect("the server says where it listens");
        Self { child, address: url.trim_end_matches("/mcp").to_owned() }
    }

    fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Resident memory, in KiB.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse().unwrap()
    }

    /// One message on a connection of its own, which is closed after the answer. Some answers never end: those
    /// are read up to a text.
    async fn post(&self, headers: &str, message: &Value, until: Option<&str>) -> (TcpStream, String) {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let body = message.to_string();
        let close = if until.is_some() { "" } else { "Connection: close\r\n" };
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\n{close}{headers}Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = async {
            while !until.is_some_and(|text| String::from_utf8_lossy(&answer).contains(text)) {
                if stream.read_buf(&mut answer).await.unwrap() == 0 {
                    break;
                }
            }
        };
        timeout(Duration::from_secs(60), read).await.expect("an answer in time");
        (stream, String::from_utf8_lossy(&answer).into_owned())
    }

    /// A client of each era comes, calls and goes.
    async fn visit(&self) {
        let params = modern(json!({ "name": "test_simple_text", "arguments": {} }));
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let headers = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: test_simple_text\r\n";
        let (_, answer) = self.post(headers, &call, None).await;
        assert!(answer.contains("This is a simple text response"), "{answer}");

        let client = json!({ "name": "t", "version": "1" });
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
        let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        let (_, answer) = self.post("", &initialize, None).await;
        let session = answer.lines().find_map(|line| line.strip_prefix("mcp-session-id: ")).expect("a session");
        let call =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "test_simple_text" } });
        let headers = format!("Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: 2025-11-25\r\n");
        let (_, answer) = self.post(&headers, &call, None).await;
        assert!(answer.contains("This is a simple text response"), "{answer}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    params
}

/// The short form, or the long one when that is wanted.
fn long(short: usize, long: usize) -> usize {
    if std::env::var("MICRO_ENDURANCE").is_ok_and(|form| form == "long") { long } else { short }
}

#[tokio::test]
async fn ten_thousand_clients_come_and_go_and_leave_nothing_behind() {
    let server = Server::start("127.0.0.1:0");
    let clients = long(2_000, 10_000);
    // Until the allocator has what it wants to keep, and every thread has been used.
    for _ in 0..clients / 4 {
        server.visit().await;
    }
    let before = server.resident();
    for _ in 0..clients {
        server.visit().await;
    }
    let after = server.resident();
    // A hundred bytes each would be seen.
    let allowed = before + 1024 + u64::try_from(clients / 10).unwrap();
    assert!(after <= allowed, "{clients} clients: from {before} to {after} KiB");
}

#[tokio::test]
async fn a_thousand_idle_listeners_cost_little_and_all_hear_of_a_change() {
    const LISTENERS: usize = 1_000;
    let server = Server::start("127.0.0.1:0");
    server.visit().await;
    let before = server.resident();
    let params = modern(json!({ "notifications": { "toolsListChanged": true } }));
    let listen = json!({ "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params });
    let headers = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\n";
    let mut listeners = Vec::new();
    for _ in 0..LISTENERS {
        let (stream, answer) = server.post(headers, &listen, Some("subscriptions/acknowledged")).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        listeners.push(stream);
    }
    let each = (server.resident() - before) * 1024 / u64::try_from(LISTENERS).unwrap();
    assert!(each < 40 << 10, "{each} bytes for each listener");
    server.visit().await;

    let client = Client::builder().revision(Revision::LATEST).connect(&server.url()).await.unwrap();
    client.call("test_trigger_tool_change").await.unwrap();
    for mut listener in listeners {
        let mut heard = Vec::new();
        let read = async {
            while !String::from_utf8_lossy(&heard).contains("notifications/tools/list_changed") {
                assert!(listener.read_buf(&mut heard).await.unwrap() > 0, "the stream ended");
            }
        };
        timeout(Duration::from_secs(60), read).await.expect("every listener hears of it");
    }
    server.visit().await;
}

#[tokio::test]
async fn a_server_killed_in_the_middle_of_a_call_fails_that_call_and_serves_the_next_when_it_is_back() {
    for revision in Revision::ALL {
        let mut server = Server::start("127.0.0.1:0");
        let client = Client::builder().revision(revision).connect(&server.url()).await.unwrap();
        let (begun, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let call = client.call("slow_compute").args(&json!({ "label": "x", "seconds": 600 }));
        let call = call.progress(move |_| begun.send(()).unwrap_or_default());
        let crash = async {
            seen.recv().await.expect("the call has begun");
            server.child.kill().unwrap();
            server.child.wait().unwrap();
            Server::start(&server.address)
        };
        // A client that may go on with a stream asks the new server for it. That knows nothing of it, and the call
        // is not made again: it would take ten minutes.
        let both = async { tokio::join!(call, crash) };
        let (outcome, _again) = timeout(Duration::from_secs(60), both).await.expect("the call is not made again");
        assert!(matches!(outcome, Err(Error::Disconnected | Error::Unreachable(_))), "{revision}: {outcome:?}");

        let result = timeout(Duration::from_secs(60), client.call("test_simple_text")).await.unwrap();
        assert!(!result.unwrap().is_error, "{revision}");
    }
}
