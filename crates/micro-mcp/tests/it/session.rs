//! Legacy sessions and who they belong to.

use micro_mcp::{KeyRing, http::Config};

use crate::fixture::Endpoint;

const LIST: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;

async fn list(endpoint: &Endpoint, headers: &[(&str, &str)]) -> (u16, i64) {
    endpoint.send("POST", headers, LIST).await.whole().await.error()
}

#[tokio::test]
async fn a_session_lives_until_it_is_ended() {
    let endpoint = Endpoint::start().await;
    let session = endpoint.initialize("2025-11-25", &[]).await;
    let headers = [("Mcp-Session-Id", session.as_str())];
    assert_eq!(list(&endpoint, &headers).await, (200, 0));
    assert_eq!(endpoint.send("DELETE", &headers, b"").await.whole().await.status, 204);
    assert_eq!(list(&endpoint, &headers).await, (404, -32600));
    assert_eq!(endpoint.send("DELETE", &headers, b"").await.whole().await.status, 404);
    assert_eq!(endpoint.send("GET", &headers, b"").await.whole().await.status, 404);
}

#[tokio::test]
async fn ids_that_are_not_ours_are_unknown() {
    let endpoint = Endpoint::start().await;
    for id in ["made-up", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(list(&endpoint, &[("Mcp-Session-Id", id)]).await, (404, -32600));
    }
}

#[tokio::test]
async fn a_session_is_bound_to_who_opened_it() {
    let endpoint = Endpoint::start().await;
    let ann = ("Authorization", "Bearer ann");
    let session = endpoint.initialize("2025-06-18", &[ann]).await;
    let id = ("Mcp-Session-Id", session.as_str());
    assert_eq!(list(&endpoint, &[id, ann]).await, (200, 0));
    assert_eq!(list(&endpoint, &[id, ("Authorization", "Bearer bob")]).await, (404, -32600));
    assert_eq!(list(&endpoint, &[id]).await, (404, -32600));
}

#[tokio::test]
async fn replicas_with_the_same_keys_share_their_sessions() {
    let keys = KeyRing::random();
    let with_keys = |config| Config { keys: keys.clone(), ..config };
    let (one, two) = (Endpoint::with(with_keys).await, Endpoint::with(with_keys).await);
    let session = one.initialize("2025-06-18", &[]).await;
    assert_eq!(list(&two, &[("Mcp-Session-Id", &session)]).await, (200, 0));
    let stranger = Endpoint::start().await;
    assert_eq!(list(&stranger, &[("Mcp-Session-Id", &session)]).await, (404, -32600));
}

#[tokio::test]
async fn a_refusal_carries_its_challenge_and_the_id() {
    let endpoint = Endpoint::start().await;
    let bad = [("Authorization", "Bearer bad")];
    let answer = endpoint.send("POST", &bad, LIST).await.whole().await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"test\""));
    assert_eq!(answer.json()["id"], 1);
    let session = endpoint.initialize("2025-06-18", &[]).await;
    let bad = [bad[0], ("Mcp-Session-Id", session.as_str())];
    assert_eq!(endpoint.send("GET", &bad, b"").await.whole().await.status, 401);
    assert_eq!(endpoint.send("DELETE", &bad, b"").await.whole().await.status, 401);
    let note = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(endpoint.send("POST", &bad, note).await.whole().await.status, 401);
}

#[tokio::test]
async fn an_unknown_version_header_is_refused() {
    let endpoint = Endpoint::start().await;
    assert_eq!(list(&endpoint, &[("MCP-Protocol-Version", "1999-01-01")]).await, (400, -32600));
    assert_eq!(list(&endpoint, &[("MCP-Protocol-Version", "2026-07-28")]).await, (400, -32602));
    assert_eq!(list(&endpoint, &[("MCP-Protocol-Version", "2024-11-05")]).await, (200, 0));
}

#[tokio::test]
async fn an_unknown_version_header_is_refused_whatever_the_message() {
    let endpoint = Endpoint::start().await;
    let session = endpoint.initialize("2025-11-25", &[]).await;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let answer = r#"{"jsonrpc":"2.0","id":"x","result":{}}"#;
    for (method, body) in [("POST", note), ("POST", answer), ("GET", ""), ("DELETE", "")] {
        for ids in [&[("Mcp-Session-Id", session.as_str())][..], &[]] {
            if method == "POST" || !ids.is_empty() {
                let headers = [ids, &[("MCP-Protocol-Version", "1999-01-01")]].concat();
                let answer = endpoint.send(method, &headers, body.as_bytes()).await.whole().await;
                assert_eq!(answer.error(), (400, -32600), "{method} {body}");
            }
        }
    }
    assert_eq!(list(&endpoint, &[("Mcp-Session-Id", &session)]).await, (200, 0), "the session is still there");
}

#[tokio::test]
async fn a_batch_from_nobody_we_know_is_refused_as_a_whole() {
    let endpoint = Endpoint::start().await;
    let batch = br#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#;
    let version = ("MCP-Protocol-Version", "2025-03-26");
    let answer = endpoint.send("POST", &[version, ("Authorization", "Bearer bad")], batch).await.whole().await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer realm=\"test\"")));
    let answer = endpoint.send("POST", &[version, ("Mcp-Session-Id", "made-up")], batch).await.whole().await;
    assert_eq!(answer.status, 404);
    assert_eq!(endpoint.send("POST", &[version], batch).await.whole().await.json()[0]["id"], 1);
}

#[tokio::test]
async fn a_session_gets_the_log_messages_it_asked_for() {
    let endpoint = Endpoint::start().await;
    let session = endpoint.initialize("2025-06-18", &[]).await;
    let id = [("Mcp-Session-Id", session.as_str())];
    let logged = async || {
        let call = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"log"}}"#;
        let answer = endpoint.send("POST", &id, call).await.whole().await;
        answer.events().iter().filter(|event| event["method"] == "notifications/message").count()
    };
    let set = async |level: &str| {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{{"level":"{level}"}}}}"#);
        endpoint.send("POST", &id, body.as_bytes()).await.whole().await
    };
    assert_eq!(logged().await, 2, "info and above, when nothing was asked for");
    assert_eq!(set("debug").await.body, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    assert_eq!(logged().await, 3);
    set("error").await;
    assert_eq!(logged().await, 1);
    assert_eq!(set("loud").await.error(), (200, -32602));
}
