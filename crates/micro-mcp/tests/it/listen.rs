//! Clients that listen hear of changes, and of the end.

use std::time::Duration;

use micro_mcp::{Change, http::Config};

use crate::fixture::Endpoint;

#[tokio::test]
async fn a_modern_listener_hears_what_it_asked_for() {
    let endpoint = Endpoint::start().await;
    let wish = r#""notifications":{"toolsListChanged":true,"promptsListChanged":true}"#;
    let mut stream = endpoint.modern("\"s\"", "subscriptions/listen", wish).await;
    stream.until("notifications/subscriptions/acknowledged").await;
    assert!(stream.text().contains(r#""notifications":{"toolsListChanged":true}"#), "prompts are not offered here");
    endpoint.notifier.changed(Change::Resources);
    endpoint.notifier.changed(Change::Tools);
    stream.until("notifications/tools/list_changed").await;
    assert!(!stream.text().contains("resources/list_changed"));

    endpoint.drain.begin();
    let events = stream.whole().await.events();
    assert!(events.iter().all(|e| {
        let meta = if e["method"].is_string() { &e["params"]["_meta"] } else { &e["result"]["_meta"] };
        meta["io.modelcontextprotocol/subscriptionId"] == "s"
    }));
    let last = events.last().unwrap();
    assert_eq!((&last["id"], &last["result"]["resultType"]), (&"s".into(), &"complete".into()));
}

#[tokio::test]
async fn a_legacy_listener_hears_everything_offered() {
    let endpoint = Endpoint::start().await;
    let session = endpoint.initialize("2025-06-18", &[]).await;
    let mut stream = endpoint.send("GET", &[("Mcp-Session-Id", &session)], b"").await;
    stream.until("text/event-stream").await;
    endpoint.notifier.changed(Change::Tools);
    stream.until(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#).await;
    endpoint.drain.begin();
    assert_eq!(stream.whole().await.events().len(), 1);
}

#[tokio::test]
async fn a_session_has_one_stream_and_the_last_to_come_gets_it() {
    let endpoint = Endpoint::start().await;
    let session = endpoint.initialize("2025-11-25", &[]).await;
    let other = endpoint.initialize("2025-11-25", &[]).await;
    let mut streams = Vec::new();
    for session in [&session, &other, &session] {
        let mut stream = endpoint.send("GET", &[("Mcp-Session-Id", session)], b"").await;
        stream.until("text/event-stream").await;
        streams.push(stream);
    }
    assert_eq!(streams.remove(0).whole().await.events().len(), 0, "it ends when the next one comes");
    endpoint.notifier.changed(Change::Tools);
    for stream in &mut streams {
        stream.until("tools/list_changed").await;
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let endpoint = Endpoint::start().await;
    let session = endpoint.initialize("2025-11-25", &[]).await;
    let id = [("Mcp-Session-Id", session.as_str())];
    let mut ended = endpoint.send("GET", &id, b"").await;
    ended.until("text/event-stream").await;
    endpoint.send("DELETE", &id, b"").await.whole().await;
    assert_eq!(ended.whole().await.status, 200);

    let endpoint = Endpoint::with(|config| Config { session_ttl: Duration::from_secs(2), ..config }).await;
    let session = endpoint.initialize("2025-11-25", &[]).await;
    let mut expired = endpoint.send("GET", &[("Mcp-Session-Id", &session)], b"").await;
    expired.until("text/event-stream").await;
    assert_eq!(expired.whole().await.status, 200);
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive() {
    let endpoint = Endpoint::with(|config| Config { keep_alive: Duration::from_millis(5), ..config }).await;
    let wish = r#""notifications":{}"#;
    let mut stream = endpoint.modern("1", "subscriptions/listen", wish).await;
    stream.until("acknowledged").await;
    stream.until("\r\n:\r\n\r\n").await;
}

#[tokio::test]
async fn listening_without_a_wish_or_a_stream_is_refused() {
    let endpoint = Endpoint::start().await;
    let answer = endpoint.modern("1", "subscriptions/listen", "").await.whole().await;
    assert_eq!(answer.error(), (400, -32602));
    let session = endpoint.initialize("2025-06-18", &[]).await;
    let headers = [("Mcp-Session-Id", session.as_str()), ("Accept", "application/json")];
    assert_eq!(endpoint.send("GET", &headers, b"").await.whole().await.status, 406);
}
