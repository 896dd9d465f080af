//! Legacy servers answer a modern question in many ways; all of them mean the same.

use std::time::{Duration, SystemTime};

use micro_mcp::{
    client::{Client, Error, Verdict, Verdicts},
    proto::{Era, Revision},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use url::Url;

/// A server that answers `server/discover` with this, and speaks 2025-06-18 otherwise. Tells the
/// methods that it was asked.
async fn odd(answer: &'static str) -> (String, mpsc::UnboundedReceiver<String>) {
    odder(move |method| (method == "server/discover").then_some(answer)).await
}

/// A server that answers some methods, or a GET, like this. What is empty is never answered.
async fn odder(
    answers: impl Fn(&str) -> Option<&'static str> + Copy + Send + Sync + 'static,
) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let (told, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, answers, told.clone()));
        }
    });
    (url, asked)
}

async fn converse(
    mut stream: TcpStream,
    answers: impl Fn(&str) -> Option<&'static str>,
    told: mpsc::UnboundedSender<String>,
) {
    let mut seen = Vec::new();
    let message: Value = loop {
        if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
            return;
        }
        if seen.starts_with(b"GET ") && seen.ends_with(b"\r\n\r\n") {
            break json!({ "method": "GET" });
        }
        let body = seen.windows(4).position(|window| window == b"\r\n\r\n").map(|at| &seen[at + 4..]);
        if let Some(Ok(message)) = body.map(serde_json::from_slice) {
            break message;
        }
    };
    let method = message["method"].as_str().unwrap_or_default().to_owned();
    let response = match (answers(&method), method.as_str()) {
        (Some(answer), _) => answer.replace("ID", &message["id"].to_string()),
        (None, "initialize") => of_json(
            200,
            &format!(
                r#"{{"jsonrpc":"2.0","id":{},"result":{{"protocolVersion":"2025-06-18","capabilities":{{}},"serverInfo":{{"name":"old","version":"1"}}}}}}"#,
                message["id"]
            ),
        ),
        (None, "GET") => "HTTP/1.1 405 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
        _ => "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
    };
    let _ = told.send(method);
    let _ = stream.write_all(response.as_bytes()).await;
    if response.is_empty() || response.ends_with(ON) {
        std::future::pending::<()>().await;
    }
}

/// The end of an answer that goes on, and says nothing more.
const ON: &str = "\r\n: on\n\n";

fn of_json(status: u16, body: &str) -> String {
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
        assert!(matches!(outcome, Err(Error::Status(_) | Error::Busy { .. })), "{answer}: {outcome:?}");
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

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let events = whole("200 OK", "text/event-stream", ": on\n\n");
    for (silent, answer) in [
        ("server/discover", ""),
        ("initialize", ""),
        ("notifications/initialized", ""),
        ("GET", ""),     // HTTP+SSE
        ("GET", events), // without an address to post to
    ] {
        let (url, _asked) = odder(move |method| match method {
            method if method == silent => Some(answer),
            "server/discover" => Some("HTTP/1.1 404 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
            "initialize" if silent == "GET" => Some("HTTP/1.1 405 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
            _ => None,
        })
        .await;
        let builder = Client::builder().timeout(Duration::from_millis(200)).deadline(Duration::from_secs(1));
        let connecting = tokio::time::timeout(Duration::from_secs(10), builder.connect(&url));
        let outcome = connecting.await.unwrap_or_else(|_| panic!("{silent}: it waits for ever")).map(drop);
        assert!(matches!(outcome, Err(Error::Timeout | Error::Status(_))), "{silent}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_verdict_that_does_not_hold_any_more_is_found_out() {
    const MODERN: &str = r#"{"jsonrpc":"2.0","id":ID,"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{},"_meta":{}}}"#;
    const REFUSED: &str =
        r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-32022,"message":"x","data":{"supported":["2026-07-28"]}}}"#;
    let (modern, refused) =
        (whole("200 OK", "application/json", MODERN), whole("400 Bad Request", "application/json", REFUSED));
    for http_sse in [false, true] {
        let (url, mut asked) = odder(move |method| match method {
            "server/discover" => Some(modern),
            "initialize" => Some(refused),
            _ => None,
        })
        .await;
        let (verdicts, key) = (Verdicts::default(), Url::parse(&url).unwrap());
        verdicts.set(&key, Verdict { era: Era::Legacy, http_sse, since: SystemTime::now() });
        let client = Client::builder().verdicts(verdicts.clone()).connect(&url).await.unwrap();
        assert_eq!(client.revision().await.unwrap(), Revision::LATEST);
        assert_eq!(verdicts.get(&key).map(|verdict| (verdict.era, verdict.http_sse)), Some((Era::Modern, false)));
        let mut methods = Vec::new();
        while let Ok(method) = asked.try_recv() {
            methods.push(method);
        }
        assert_eq!(methods.iter().filter(|method| *method == "server/discover").count(), 1, "{methods:?}");
    }
}
