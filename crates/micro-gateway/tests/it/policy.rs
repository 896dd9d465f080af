//! Who may call what, on every front, and what is written down about it.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::fixture::{Answer, Running, start};

const CONFIG: &str = r#"
[auth]
mode = "on"
[[auth.tokens]]
account = "writer"
scopes = ["notes:WRITE"]
token = "writer-0123456789"
[[auth.tokens]]
account = "nobody"
token = "nobody-0123456789"
"#;

const FRONTS: [&str; 4] = ["modern", "legacy", "rest", "compat"];

/// Calls `Keep` through a front with this `Authorization`.
async fn keep(gateway: &Running, front: &str, token: Option<&str>) -> Answer {
    let params = json!({"name": "notes_Keep", "arguments": {"text": "a"}});
    let bearer = format!("Bearer {}", token.unwrap_or_default());
    let headers: &[(&str, &str)] = if token.is_some() { &[("authorization", &bearer)] } else { &[] };
    match front {
        "modern" => gateway.modern("tools/call", params, token).await,
        "legacy" => gateway.legacy("tools/call", params, token).await,
        "rest" => gateway.send("POST", "/api/notes/Notes.Keep", headers, r#"{"text":"a"}"#).await,
        _ => gateway.send("POST", "/mcp/call", headers, r#"{"tool":"notes_Keep","input":{"text":"a"}}"#).await,
    }
}

#[tokio::test]
async fn the_body_of_a_stranger_is_not_read() {
    let gateway = start(CONFIG).await;
    for path in ["/api/notes/Notes.Keep", "/mcp/call"] {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        // Announced and never sent.
        let head = format!("POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000\r\n\r\n", gateway.address);
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 401", "{path}");
    }
}

#[tokio::test]
async fn a_call_that_cannot_be_recorded_is_answered_as_the_operator_chose() {
    for (fail, open) in [("", false), ("fail = \"closed\"", false), ("fail = \"open\"", true)] {
        let gateway = start(&format!("{CONFIG}[audit]\nto = \"/dev/full\"\n{fail}")).await;
        for front in FRONTS {
            let answer = keep(&gateway, front, Some("writer-0123456789")).await;
            let told = answer.text.contains("The call could not be recorded");
            assert_eq!(told, !open, "{fail} {front}: {}", answer.text);
            let json_rpc = matches!(front, "modern" | "legacy");
            assert_eq!(answer.status, if open || json_rpc { 200 } else { 500 }, "{fail} {front}");
            assert_eq!(answer.text.contains("-32603"), json_rpc && !open, "{fail} {front}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn each_call_of_a_batch_that_is_refused_leaves_a_record() {
    let gateway = start(CONFIG).await;
    let call = |name: &str| json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name}});
    let batch = json!([call("notes_Keep"), {"jsonrpc": "2.0", "id": 2, "method": "ping"}, call("made_up")]);
    let headers = [("content-type", "application/json"), ("mcp-protocol-version", "2025-03-26")];
    let answer = gateway.send("POST", "/mcp", &headers, &batch.to_string()).await;
    assert_eq!(answer.status, 401);
    let records = gateway.stop().await;
    let tools: Vec<&str> = records.iter().filter_map(|record| record["tool"].as_str()).collect();
    assert_eq!(tools, ["notes.Notes.Keep", "made_up"]);
    assert!(records.iter().all(|record| record["denied_reason"] == "missing token"), "{records:?}");
}

#[tokio::test]
async fn a_record_says_what_was_asked_for_and_how_a_call_failed() {
    let gateway = start(CONFIG).await;
    let writer = [("authorization", "Bearer writer-0123456789")];
    let forged = r#"a\nb","allowed":true,"x":"\u2028"#;
    let body = json!({ "tool": forged }).to_string();
    gateway.send("POST", "/mcp/call", &writer, &body).await;
    gateway.modern("tools/call", json!({"name": "notes_Fail"}), Some("writer-0123456789")).await;
    let records = gateway.stop().await;
    let [unknown, failed] = &*records else { panic!("two calls, and not one record more: {records:?}") };
    assert_eq!((&unknown["tool"], &unknown["denied_reason"]), (&forged.into(), &"unknown tool".into()));
    assert_eq!(unknown["allowed"], false);
    assert_eq!(failed["error"], "notes: internal error (500 Internal Server Error)");
    for record in &records {
        let trace = record["trace_id"].as_str().unwrap();
        assert!(record["duration"].as_u64().unwrap() > 0 && trace.len() == 32, "{record}");
    }
}

#[tokio::test]
async fn a_list_shows_what_a_call_would_allow() {
    let gateway = start(CONFIG).await;
    let names = |answer: Value| -> Vec<String> {
        answer["tools"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect()
    };
    let list = async |token| names(gateway.modern("tools/list", json!({}), Some(token)).await.json()["result"].clone());
    assert_eq!(list("nobody-0123456789").await, ["notes_All", "notes_Fail", "notes_Whoami"]);
    assert_eq!(list("writer-0123456789").await, ["notes_All", "notes_Fail", "notes_Keep", "notes_Whoami"]);
    let compat = gateway.send("GET", "/mcp/tools", &[("authorization", "Bearer nobody-0123456789")], "").await;
    assert_eq!(names(compat.json()), ["notes.Notes.All", "notes.Notes.Fail", "notes.Notes.Whoami"]);
    assert_eq!(gateway.send("GET", "/mcp/tools", &[], "").await.status, 401);
}

#[tokio::test]
async fn the_service_hears_what_the_gateway_asserts_and_nothing_a_caller_claims() {
    let gateway = start(CONFIG).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
    let headers = [
        ("authorization", "Bearer writer-0123456789"),
        ("mcp-account-id", "admin"),
        ("mcp-tool-name", "x"),
        ("x-account", "admin"),
        ("traceparent", &traceparent),
    ];
    let answer = gateway.send("POST", "/api/notes/Notes.Whoami", &headers, "").await;
    let pairs: Vec<(String, String)> = serde_json::from_str(&answer.text).unwrap();
    let get = |key: &str| pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
    assert_eq!(get("mcp-account-id"), Some("writer"));
    assert_eq!(get("mcp-tool-name"), Some("notes.Notes.Whoami"));
    assert_eq!(get("mcp-trace-id"), Some(trace));
    let span = get("traceparent").unwrap();
    assert!(span.contains(trace) && !span.contains("00f067aa0ba902b7"), "a span of its own: {span}");
    assert_eq!(get("mcp-scopes"), Some("notes:write"));
    assert_eq!(pairs.len(), 5, "{pairs:?}");
}

#[tokio::test]
async fn on_loopback_nothing_is_asked_but_a_credential_that_is_shown_must_be_good() {
    let gateway = start(&CONFIG.replace("\"on\"", "\"auto\"")).await;
    for (token, status) in [(None, 200), (Some("wrong-0123456789"), 401), (Some("nobody-0123456789"), 403)] {
        for front in FRONTS {
            assert_eq!(keep(&gateway, front, token).await.status, status, "{front} {token:?}");
        }
    }
}

#[tokio::test]
async fn a_token_is_made_when_one_is_needed_and_none_is_configured() {
    let gateway = start("auth.mode = 'on'").await;
    let token = gateway.token.clone().unwrap();
    for front in FRONTS {
        assert_eq!(keep(&gateway, front, None).await.status, 401, "{front}");
        assert_eq!(keep(&gateway, front, Some(&token)).await.status, 200, "{front}");
    }
    assert_eq!(start("").await.token, None, "not on loopback");
    assert_eq!(start(CONFIG).await.token, None, "not beside configured ones");
}
