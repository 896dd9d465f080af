//! One call, every way in.

use serde_json::json;

use crate::fixture::{empty, start};

#[tokio::test]
async fn a_result_comes_as_text_and_as_structure() {
    let gateway = start("").await;
    let params = json!({"name": "notes_Keep", "arguments": {"text": "buy \"milk\""}});
    for answer in
        [gateway.modern("tools/call", params.clone(), None).await, gateway.legacy("tools/call", params, None).await]
    {
        let result = &answer.json()["result"];
        assert_eq!(result["structuredContent"], json!({"text": "buy \"milk\"", "stars": null}));
        assert_eq!(result["content"][0]["text"], r#"{"text":"buy \"milk\"","stars":null}"#);
    }
}

#[tokio::test]
async fn wrong_arguments_are_a_result_that_names_place_and_reason() {
    let gateway = start("").await;
    let call = |arguments| json!({"name": "notes_Keep", "arguments": arguments});
    for (arguments, expected) in [
        (json!({}), r#""text" is a required property"#),
        (json!({"text": 7}), r#"/text: 7 is not of type "string""#),
        (json!({"text": "x".repeat(21)}), "/text: "),
        (json!({"text": "x", "stars": -1}), "/stars: "),
    ] {
        let answer = gateway.modern("tools/call", call(arguments), None).await.json();
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.starts_with("invalid arguments:\n- ") && text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn a_failing_service_is_a_result_without_inner_text() {
    let gateway = start("").await;
    let answer = gateway.modern("tools/call", json!({"name": "notes_Fail"}), None).await;
    assert!(!answer.text.contains("hunter2"));
    let result = &answer.json()["result"];
    assert_eq!(result["isError"], true);
    assert_eq!(result["content"][0]["text"], "notes: internal error (500 Internal Server Error)");
}

#[tokio::test]
async fn a_stream_comes_as_progress_and_one_result() {
    let gateway = start("").await;
    let params = json!({"name": "notes_All", "_meta": {"progressToken": "p"}});
    for answer in
        [gateway.modern("tools/call", params.clone(), None).await, gateway.legacy("tools/call", params, None).await]
    {
        let events = answer.events();
        assert_eq!(events.len(), 4, "{}", answer.text);
        assert_eq!(events[1]["params"]["progress"], 2.0);
        assert_eq!(events[1]["params"]["message"], r#"{"text":"note 2","stars":null}"#);
        assert_eq!(events[3]["result"]["structuredContent"]["items"][2]["text"], "note 3");
    }
    let quiet = gateway.modern("tools/call", json!({"name": "notes_All"}), None).await;
    assert_eq!(quiet.json()["result"]["structuredContent"]["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn rest_takes_arguments_and_gives_the_result() {
    let gateway = start("").await;
    let post = |path, body| gateway.send("POST", path, &[], body);
    let kept = post("/api/notes/Notes.Keep", r#"{"text":"a"}"#).await;
    assert_eq!((kept.status.as_u16(), kept.json()), (200, json!({"text": "a", "stars": null})));
    assert_eq!(kept.headers["mcp-trace-id"].len(), 32);
    assert_eq!(post("/api/notes/Notes/Count", "").await.text, "7");
    for (path, body, status) in [
        ("/api/notes/Notes.Keep", "{}", 400),
        ("/api/notes/Notes.Keep", "nonsense", 400),
        ("/api/notes/Notes.Nothing", "{}", 404),
        ("/api/nobody/Notes.Keep", "{}", 404),
        ("/api/", "{}", 404),
        ("/api/notes/Notes.Fail", "{}", 500),
    ] {
        let answer = post(path, body).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.text);
        assert!(answer.json()["error"].is_string());
    }
    assert_eq!(gateway.send("GET", "/api/notes/Notes.Keep", &[], "").await.status, 405);
}

#[tokio::test]
async fn go_micros_clients_find_the_shapes_they_know() {
    let gateway = start("").await;
    let tools = gateway.send("GET", "/mcp/tools", &[], "").await.json();
    let keep = tools["tools"].as_array().unwrap().iter().find(|t| t["name"] == "notes.Notes.Keep").unwrap();
    assert_eq!((&keep["service"], &keep["endpoint"]), (&json!("notes"), &json!("Notes.Keep")));
    assert_eq!(keep["scopes"], json!(["notes:write"]));
    for body in
        [r#"{"tool":"notes.Notes.Keep","input":{"text":"a"}}"#, r#"{"name":"notes_Keep","arguments":{"text":"a"}}"#]
    {
        let answer = gateway.send("POST", "/mcp/call", &[], body).await;
        assert_eq!(answer.json()["result"]["text"], "a");
        assert_eq!(answer.json()["trace_id"], answer.headers["mcp-trace-id"].to_str().unwrap());
    }
    let unknown = gateway.send("POST", "/mcp/call", &[], r#"{"tool":"x","input":{}}"#).await;
    assert_eq!((unknown.status.as_u16(), unknown.text.as_str()), (404, "Tool not found"));
    let nonsense = gateway.send("POST", "/mcp/call", &[], "nonsense").await;
    assert_eq!(nonsense.status, 400);
    for failed in [unknown, nonsense] {
        assert_eq!(failed.headers["mcp-trace-id"].len(), 32, "{}", failed.text);
    }
}

#[tokio::test]
async fn health_tells_live_from_ready() {
    let gateway = start("").await;
    for path in ["/health", "/health/ready"] {
        let answer = gateway.send("GET", path, &[], "").await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"status": "ok", "tools": 5})));
    }
    assert_eq!(gateway.send("GET", "/health/live", &[], "").await.status, 200);
}

#[tokio::test]
async fn no_front_takes_calls_from_a_foreign_page_or_a_rebound_name() {
    let gateway = empty("", Default::default()).await;
    for (method, path) in [
        ("POST", "/mcp"),
        ("POST", "/mcp/call"),
        ("GET", "/mcp/tools"),
        ("POST", "/api/a/B.C"),
        ("GET", "/health"),
        ("GET", "/oauth/authorize"),
        ("POST", "/oauth/token"),
        ("GET", "/.well-known/oauth-protected-resource"),
    ] {
        for header in [("origin", "https://evil.example"), ("origin", "null"), ("host", "evil.example")] {
            let answer = gateway.send(method, path, &[header, ("content-type", "application/json")], "{}").await;
            assert_eq!(answer.status, 403, "{method} {path} {header:?}");
        }
    }
}

#[tokio::test]
async fn a_body_past_the_limit_is_refused_on_every_front() {
    let gateway = empty("body_limit = 1000", Default::default()).await;
    let large = " ".repeat(2000);
    for path in ["/mcp", "/mcp/call", "/api/a/B.C"] {
        let headers = [("content-type", "application/json"), ("accept", "application/json, text/event-stream")];
        assert_eq!(gateway.send("POST", path, &headers, &large).await.status, 413, "{path}");
    }
}
