//! Legacy servers answer a modern question in many ways; all of them mean the same.

use std::time::{Duration, SystemTime};

use micro_mcp::{
    client::{Client, Error, Verdict, Verdicts},
    proto::{Era, Revision},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use url::Url;

/// A server that answers `server/discover` with this, and speaks 2025-06-18 otherwise. Tells the
/// methods that it was asked.
async fn odd(answer: &'static str) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let (told, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, answer, told.clone()));
        }
    });
    (url, asked)
}

async fn converse(mut stream: TcpStream, answer: &str, told: mpsc::UnboundedSender<String>) {
    let mut seen = Vec::new();
    let message: Value = loop {
        if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
            return;
        }
        let body = seen.windows(4).position(|window| window == b"\r\n\r\n").map(|at| &seen[at + 4..]);
        if let Some(Ok(message)) = body.map(serde_json::from_slice) {
            break message;
        }
    };
    let method = message["method"].as_str().unwrap_or_default().to_owned();
    let response = match method.as_str() {
        "server/discover" => answer.replace("ID", &message["id"].to_string()),
        "initialize" => json(
            200,
            &format!(
                r#"{{"jsonrpc":"2.0","id":{},"result":{{"protocolVersion":"2025-06-18","capabilities":{{}},"serverInfo":{{"name":"old","version":"1"}}}}}}"#,
                message["id"]
            ),
        ),
        _ => "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n".to_owned() + "connection: close\r\n\r\n",
    };
    let _ = told.send(method);
    let _ = stream.write_all(response.as_bytes()).await;
}

fn json(status: u16, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

const NOT_FOUND: &str = r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-32601,"message":"Method not found"}}"#;

fn whole(status: &str, kind: &str, body: &str) -> &'static str {
    let text = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n{body}");
    Box::leak(text.into_boxed_str())
}

#[tokio::test]
async fn a_legacy_server_is_known_by_any_answer() {
    let sse = format!("event: message\ndata: {NOT_FOUND}\n\n");
    for answer in [
        whole("200 OK", "application/json", NOT_FOUND),
        whole("404 Not Found", "application/json", NOT_FOUND),
        whole(
            "400 Bad Request",
            "application/json",
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: Server not initialized"}}"#,
        ),
        whole(
            "400 Bad Request",
            "application/json",
            r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-32600,"message":"Missing session ID"}}"#,
        ),
        // The Python SDK 1.x makes up an id when it has not read the request.
        whole(
            "400 Bad Request",
            "application/json",
            r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Missing session ID"}}"#,
        ),
        whole("200 OK", "text/event-stream", &sse),
        whole("404 Not Found", "text/plain", "not found"),
        whole("400 Bad Request", "text/plain", "Unsupported protocol version"),
        whole("405 Method Not Allowed", "text/html", "<html>"),
        whole("200 OK", "application/json", r#"{"jsonrpc":"2.0","id":ID,"result":{}}"#),
        whole(
            "400 Bad Request",
            "application/json",
            r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-32022,"message":"x","data":{"supported":["2025-11-25"]}}}"#,
        ),
    ] {
        let (url, mut asked) = odd(answer).await;
        let client = Client::connect(&url).await.unwrap_or_else(|error| panic!("{answer}: {error:?}"));
        assert_eq!(client.revision().await.unwrap(), Revision::V2025_06_18, "{answer}");
        assert_eq!(client.server().await.unwrap().implementation.name, "old");
        for method in ["server/discover", "initialize", "notifications/initialized"] {
            assert_eq!(asked.recv().await.as_deref(), Some(method), "{answer}");
        }
    }
}

#[tokio::test]
async fn what_says_nothing_of_the_era_is_an_error() {
    for answer in [
        whole("401 Unauthorized", "text/plain", ""),
        whole("403 Forbidden", "text/plain", ""),
        whole("503 Service Unavailable", "text/plain", ""),
        whole("429 Too Many Requests", "text/plain", ""),
    ] {
        let (url, mut asked) = odd(answer).await;
        let outcome = Client::connect(&url).await.map(|_| ());
        assert!(matches!(outcome, Err(Error::Status(_))), "{answer}: {outcome:?}");
        assert_eq!(asked.recv().await.as_deref(), Some("server/discover"));
        assert!(asked.try_recv().is_err(), "no second question");
    }
    let unknown =
        r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-32022,"message":"x","data":{"supported":["2099-01-01"]}}}"#;
    let (url, _asked) = odd(whole("400 Bad Request", "application/json", unknown)).await;
    let outcome = Client::connect(&url).await.map(|_| ());
    assert!(matches!(&outcome, Err(Error::NoCommonVersion(theirs)) if theirs == &["2099-01-01"]), "{outcome:?}");
}

#[tokio::test]
async fn a_verdict_saves_the_question_until_it_is_stale() {
    let (url, mut asked) = odd(whole("404 Not Found", "text/plain", "")).await;
    let (verdicts, key) = (Verdicts::default(), Url::parse(&url).unwrap());
    let connect = || Client::builder().verdicts(verdicts.clone()).connect(&url);
    connect().await.unwrap();
    assert_eq!(asked.recv().await.as_deref(), Some("server/discover"));
    assert_eq!(verdicts.get(&key).map(|verdict| verdict.era), Some(Era::Legacy));
    while asked.recv().await.as_deref() != Some("notifications/initialized") {}
    connect().await.unwrap();
    assert_eq!(asked.recv().await.as_deref(), Some("initialize"));

    let stale = SystemTime::now() - Verdicts::HOLDS - Duration::from_secs(1);
    verdicts.set(&key, Verdict { since: stale, ..verdicts.get(&key).unwrap() });
    while asked.recv().await.as_deref() != Some("notifications/initialized") {}
    connect().await.unwrap();
    assert_eq!(asked.recv().await.as_deref(), Some("server/discover"));
}
