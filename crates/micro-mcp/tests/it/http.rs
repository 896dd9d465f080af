//! Calls over Streamable HTTP, in both eras.

use crate::fixture::{Endpoint, modern_body, modern_headers, taken};

const ADD: &str = r#""name":"add","arguments":{"a":2,"b":3}"#;

#[tokio::test]
async fn a_modern_call_is_answered_with_plain_json() {
    let endpoint = Endpoint::start().await;
    let answer = endpoint.modern("\"x\"", "tools/call", ADD).await.whole().await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let result = &answer.json()["result"];
    assert_eq!(answer.json()["id"], "x");
    assert_eq!(result["resultType"], "complete");
    assert_eq!(result["structuredContent"]["sum"], 5);
    assert_eq!(result["content"][0]["text"], r#"{"sum":5}"#);
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "calculator");
}

#[tokio::test]
async fn a_legacy_call_has_nothing_modern_in_its_result() {
    let endpoint = Endpoint::start().await;
    let session = endpoint.initialize("2025-06-18", &[]).await;
    let call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{ADD}}}}}"#);
    let headers = [("Mcp-Session-Id", session.as_str()), ("MCP-Protocol-Version", "2025-06-18")];
    let answer = endpoint.send("POST", &headers, call.as_bytes()).await.whole().await;
    let json = answer.json();
    let mut keys: Vec<_> = json["result"].as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["content", "structuredContent"]);

    let initialized = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let answer = endpoint.send("POST", &headers, initialized).await.whole().await;
    assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    let ping = endpoint.send("POST", &headers, br#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#).await.whole().await;
    assert_eq!(ping.body, r#"{"jsonrpc":"2.0","id":9,"result":{}}"#);
}

#[tokio::test]
async fn discovery_says_what_is_there() {
    let endpoint = Endpoint::start().await;
    let json = endpoint.modern("1", "server/discover", "").await.whole().await.json();
    assert_eq!(json["result"]["supportedVersions"], serde_json::json!(["2026-07-28"]));
    assert_eq!(json["result"]["capabilities"], serde_json::json!({ "tools": { "listChanged": true }, "logging": {} }));
    assert!(json["result"]["ttlMs"].is_u64());
    // What is not there is not found.
    let answer = endpoint.modern("1", "prompts/list", "").await.whole().await;
    assert_eq!(answer.error(), (404, -32601));
}

#[tokio::test]
async fn a_list_comes_in_pages_and_made_up_cursors_are_refused() {
    let endpoint = Endpoint::start().await;
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let json = endpoint.modern("1", "tools/list", &cursor).await.whole().await.json();
        let tools = json["result"]["tools"].as_array().unwrap().clone();
        names.extend(tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()));
        match json["result"]["nextCursor"].as_str() {
            Some(next) => cursor = format!(r#""cursor":"{next}""#),
            None => break,
        }
    }
    let all = ["add", "wait", "come_back", "talk", "log", "region", "greet", "ask", "echo", "anything", "panic"];
    assert_eq!(names, [&all[..], &["leave_behind"]].concat());
    for made_up in [r#""cursor":"""#, r#""cursor":"AAAA""#, r#""cursor":7"#] {
        let answer = endpoint.modern("1", "tools/list", made_up).await.whole().await;
        assert_eq!(answer.error().1, -32602, "{made_up}");
    }
}

#[tokio::test]
async fn progress_turns_the_answer_into_a_stream() {
    let endpoint = Endpoint::start().await;
    let answer = endpoint.modern("7", "tools/call", r#""name":"talk""#).await.whole().await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    let events = answer.events();
    let steps: Vec<_> = events.iter().filter_map(|e| e["params"]["progress"].as_u64()).collect();
    assert_eq!(steps, (0..200).collect::<Vec<_>>(), "more than the queue holds, in order, none lost");
    assert!(events[..200].iter().all(|e| e["params"]["progressToken"] == "p1"));
    assert_eq!(events[200]["id"], 7);
}

#[tokio::test]
async fn a_client_that_takes_no_stream_gets_the_result_alone() {
    let endpoint = Endpoint::start().await;
    let body = modern_body("7", "tools/call", r#""name":"talk""#);
    let mut headers = modern_headers(&body);
    headers.push(("Accept", "application/json".to_owned()));
    let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let answer = endpoint.send("POST", &headers, body.as_bytes()).await.whole().await;
    assert_eq!(answer.json()["result"]["content"][0]["text"], "talked");
}

#[tokio::test]
async fn a_modern_client_that_hangs_up_has_cancelled() {
    let endpoint = Endpoint::start().await;
    let answer = endpoint.modern("1", "tools/call", r#""name":"wait""#).await;
    taken(&endpoint.waiting.begun).await;
    drop(answer);
    taken(&endpoint.waiting.dropped).await;
}

#[tokio::test]
async fn a_legacy_client_that_hangs_up_has_not() {
    let endpoint = Endpoint::start().await;
    let session = endpoint.initialize("2025-11-25", &[]).await;
    let call = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait"}}"#;
    let answer = endpoint.send("POST", &[("Mcp-Session-Id", &session)], call).await;
    taken(&endpoint.waiting.begun).await;
    drop(answer);
    // The server learns of it at its own pace; a call of somebody else shows that it goes on.
    assert_eq!(endpoint.post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await.status, 200);
    endpoint.waiting.go.add_permits(1);
    taken(&endpoint.waiting.finished).await;
}

#[tokio::test]
async fn a_legacy_client_without_a_session_that_hangs_up_has_cancelled() {
    let endpoint = Endpoint::start().await;
    // It could neither come back nor cancel.
    let call = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait"}}"#;
    let answer = endpoint.send("POST", &[("MCP-Protocol-Version", "2025-11-25")], call).await;
    taken(&endpoint.waiting.begun).await;
    drop(answer);
    taken(&endpoint.waiting.dropped).await;
}

#[tokio::test]
async fn what_a_handler_leaves_behind_does_not_wait_for_a_client_that_has_its_answer() {
    let endpoint = Endpoint::start().await;
    let answer = endpoint.modern("1", "tools/call", r#""name":"leave_behind""#).await.whole().await;
    assert_eq!(answer.status, 200);
    taken(&endpoint.waiting.finished).await;
}

#[tokio::test]
async fn a_legacy_request_is_cancelled_by_name() {
    let endpoint = Endpoint::start().await;
    let session = endpoint.initialize("2025-11-25", &[]).await;
    let other = endpoint.initialize("2025-11-25", &[]).await;
    let call = br#"{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"name":"wait"}}"#;
    let answer = endpoint.send("POST", &[("Mcp-Session-Id", &session)], call).await;
    taken(&endpoint.waiting.begun).await;
    let cancel = br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"c"}}"#;
    let accepted = endpoint.send("POST", &[("Mcp-Session-Id", &other)], cancel).await.whole().await;
    assert_eq!(accepted.status, 202);
    assert_eq!(endpoint.waiting.dropped.available_permits(), 0, "another session's request is none of its business");
    endpoint.send("POST", &[("Mcp-Session-Id", &session)], cancel).await.whole().await;
    taken(&endpoint.waiting.dropped).await;
    let answer = answer.whole().await;
    assert_eq!((answer.status, answer.events().len()), (200, 0), "a cancelled request is not answered");
}

#[tokio::test]
async fn mirrored_arguments_are_checked() {
    let endpoint = Endpoint::start().await;
    let body = modern_body("1", "tools/call", r#""name":"region","arguments":{"region":"eu"}"#);
    for (value, expected) in [(Some("eu"), (200, 0)), (Some("us"), (400, -32020)), (None, (400, -32020))] {
        let mut headers = modern_headers(&body);
        headers.extend(value.map(|value| ("Mcp-Param-Region", value.to_owned())));
        let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let answer = endpoint.send("POST", &headers, body.as_bytes()).await.whole().await;
        assert_eq!(answer.error(), expected, "{value:?}");
    }
}

#[tokio::test]
async fn log_messages_are_sent_to_modern_clients_that_ask() {
    let endpoint = Endpoint::start().await;
    let silent = endpoint.modern("1", "tools/call", r#""name":"log""#).await.whole().await;
    assert_eq!(silent.header("content-type"), Some("application/json"));
    let meta = r#""name":"log","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",
        "io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"info"}"#;
    let events = endpoint.modern("1", "tools/call", meta).await.whole().await.events();
    let levels: Vec<_> = events.iter().filter_map(|event| event["params"]["level"].as_str()).collect();
    assert_eq!(levels, ["info", "error"]);
}

#[tokio::test]
async fn pages_of_allowed_origins_may_ask_and_read() {
    let endpoint = Endpoint::with(|config| {
        let guard = config.guard.clone().allow_origin("https://console.example");
        micro_mcp::http::Config { guard, ..config }
    })
    .await;
    let ask = async |origin: &str| {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "content-type, mcp-param-region"),
        ];
        endpoint.send("OPTIONS", &headers, b"").await.whole().await
    };
    for origin in ["https://console.example", "http://localhost:5173"] {
        let answer = ask(origin).await;
        assert_eq!(answer.status, 204);
        for (name, value) in [
            ("access-control-allow-origin", origin),
            ("access-control-allow-methods", "POST, GET, DELETE"),
            ("access-control-allow-headers", "content-type, mcp-param-region"),
            ("access-control-max-age", "600"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{origin}");
        }
        let ping = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let answer = endpoint.send("POST", &[("Origin", origin)], ping).await.whole().await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(origin)));
        assert!(answer.header("access-control-expose-headers").unwrap().contains("Mcp-Session-Id"));
        assert_eq!(answer.header("vary"), Some("Origin"));
    }
    for origin in ["https://evil.example", "null"] {
        let answer = ask(origin).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (403, None), "{origin}");
    }
    // Who is no browser is not bothered with any of it.
    let answer = endpoint.post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await;
    assert_eq!((answer.header("vary"), answer.header("access-control-expose-headers")), (None, None));
    let answer = endpoint.send("OPTIONS", &[], b"").await.whole().await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
}
