//! Both eras on a pipe.

use std::{io, sync::Arc, time::Duration};

use micro_mcp::{Change, Notifier, Server, stdio};
use micro_runtime::Drain;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf, duplex, split},
    task::JoinHandle,
};

use crate::fixture::{Waiting, modern_body, server, taken, waiting};

pub(crate) struct Pipe {
    to: WriteHalf<DuplexStream>,
    from: Lines<BufReader<ReadHalf<DuplexStream>>>,
    serving: JoinHandle<io::Result<()>>,
    waiting: Arc<Waiting>,
    notifier: Notifier,
    drain: Drain,
}

impl Pipe {
    fn open() -> Self {
        let waiting = waiting();
        Self::to(server(&waiting), waiting)
    }

    /// A pipe to another server than the calculator.
    pub(crate) fn of(server: Server) -> Self {
        Self::to(server, waiting())
    }

    fn to(server: Server, waiting: Arc<Waiting>) -> Self {
        let (ours, theirs) = duplex(64 << 10);
        let (notifier, drain) = (server.notifier(), Drain::new());
        let (reader, writer) = split(theirs);
        let serving = tokio::spawn(stdio::serve(Arc::new(server), reader, writer, drain.clone()));
        let (from, to) = split(ours);
        Self { to, from: BufReader::new(from).lines(), serving, waiting, notifier, drain }
    }

    pub(crate) async fn write(&mut self, line: &str) {
        self.to.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    pub(crate) async fn read(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(10), self.from.next_line()).await.expect("a line in time");
        serde_json::from_str(&line.unwrap().expect("a line")).unwrap()
    }

    pub(crate) async fn ask(&mut self, line: &str) -> Value {
        self.write(line).await;
        self.read().await
    }

    /// Closes our end; gives what was still said.
    pub(crate) async fn close(mut self) -> Vec<Value> {
        self.to.shutdown().await.unwrap();
        let read = async {
            let mut rest = Vec::new();
            while let Some(line) = self.from.next_line().await.unwrap() {
                rest.push(serde_json::from_str(&line).unwrap());
            }
            rest
        };
        let rest = tokio::time::timeout(Duration::from_secs(10), read).await.expect("the server ends in time");
        self.serving.await.unwrap().unwrap();
        rest
    }
}

fn call(id: &str, name: &str) -> String {
    modern_body(id, "tools/call", &format!(r#""name":"{name}","arguments":{{}}"#))
}

#[tokio::test]
async fn both_eras_share_the_pipe() {
    let mut pipe = Pipe::open();
    let discovered = pipe.ask(&modern_body("1", "server/discover", "")).await;
    assert_eq!(discovered["result"]["supportedVersions"][0], "2026-07-28");
    let initialize = r#"{"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
    assert_eq!(pipe.ask(initialize).await["result"]["protocolVersion"], "2025-03-26");
    let add = r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2}}}"#;
    let answer = pipe.ask(add).await;
    assert_eq!(answer["result"]["content"][0]["text"], r#"{"sum":3}"#);
    assert_eq!(answer["result"].get("structuredContent"), None, "2025-03-26 has none");
    let batch = pipe.ask(r#"[{"jsonrpc":"2.0","id":4,"method":"ping"}]"#).await;
    assert_eq!(batch[0]["id"], 4);
    // A legacy client hears of changes unasked.
    pipe.notifier.changed(Change::Tools);
    assert_eq!(pipe.read().await["method"], "notifications/tools/list_changed");
    assert_eq!(pipe.close().await.len(), 0);
}

#[tokio::test]
async fn a_slow_call_holds_nobody_up() {
    let mut pipe = Pipe::open();
    pipe.write(&call("1", "wait")).await;
    taken(&pipe.waiting.begun).await;
    pipe.write(&call("2", "talk")).await;
    for step in 0..200 {
        assert_eq!(pipe.read().await["params"]["progress"], step);
    }
    assert_eq!(pipe.read().await["id"], 2);
    pipe.waiting.go.add_permits(1);
    assert_eq!(pipe.read().await["id"], 1);
}

#[tokio::test]
async fn the_end_of_input_waits_for_calls_in_flight() {
    let mut pipe = Pipe::open();
    pipe.write(&call("1", "wait")).await;
    pipe.write(&modern_body("2", "subscriptions/listen", r#""notifications":{"toolsListChanged":true}"#)).await;
    taken(&pipe.waiting.begun).await;
    assert_eq!(pipe.read().await["method"], "notifications/subscriptions/acknowledged");
    let waiting = pipe.waiting.clone();
    let (rest, ()) = tokio::join!(pipe.close(), async { waiting.go.add_permits(1) });
    let mut ids: Vec<_> = rest.iter().filter_map(|message| message["id"].as_u64()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2], "{rest:?}");
}

#[tokio::test]
async fn a_call_is_cancelled_by_name_and_not_answered() {
    let mut pipe = Pipe::open();
    pipe.write(&call("\"a\"", "wait")).await;
    taken(&pipe.waiting.begun).await;
    pipe.write(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a"}}"#).await;
    taken(&pipe.waiting.dropped).await;
    assert_eq!(pipe.close().await.len(), 0);
}

#[tokio::test]
async fn a_subscription_is_cancelled_by_name() {
    let mut pipe = Pipe::open();
    let listen = modern_body("1", "subscriptions/listen", r#""notifications":{"toolsListChanged":true}"#);
    pipe.ask(&listen).await;
    pipe.write(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#).await;
    // The answer shows that the cancellation has been read.
    assert_eq!(pipe.ask(&modern_body("2", "tools/list", "")).await["id"], 2);
    pipe.notifier.changed(Change::Tools);
    assert_eq!(pipe.close().await.len(), 0, "nothing more is said to a subscription that was cancelled");
}

#[tokio::test]
async fn bad_lines_are_answered_and_skipped() {
    let mut pipe = Pipe::open();
    assert_eq!(pipe.ask("{").await["error"]["code"], -32700);
    assert_eq!(pipe.ask("[]").await["error"]["code"], -32600);
    pipe.write("").await;
    pipe.write("  \r").await;
    assert_eq!(pipe.ask(r#"{"jsonrpc":"2.0","id":7,"method":5}"#).await["id"], 7);
    let long = "x".repeat(stdio::LINE_LIMIT + 1);
    let error = pipe.ask(&long).await;
    assert_eq!((&error["error"]["code"], error.get("id")), (&(-32600).into(), None));
    assert_eq!(pipe.ask(r#"{"jsonrpc":"2.0","id":8,"method":"ping"}"#).await["result"], serde_json::json!({}));
}

#[tokio::test]
async fn a_client_that_writes_much_and_reads_late_loses_nothing() {
    let mut pipe = Pipe::open();
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.to_owned() + "\n";
    pipe.to.write_all(ping.repeat(20_000).as_bytes()).await.unwrap();
    for _ in 0..20_000 {
        assert_eq!(pipe.read().await["id"], 1);
    }
}

#[tokio::test]
async fn a_drain_ends_it_and_says_so_to_listeners() {
    let mut pipe = Pipe::open();
    pipe.ask(&modern_body("1", "subscriptions/listen", r#""notifications":{}"#)).await;
    pipe.drain.begin();
    assert_eq!(pipe.read().await["method"], "notifications/cancelled");
    assert_eq!(pipe.read().await["result"]["resultType"], "complete");
    pipe.serving.await.unwrap().unwrap();
}
