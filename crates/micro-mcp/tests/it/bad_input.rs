//! Everything wrong gets a clear answer, and the server lives on.

use std::time::Duration;

use micro_mcp::http::Config;

use crate::fixture::{Endpoint, modern_body, modern_headers};

async fn alive(endpoint: &Endpoint) {
    let answer = endpoint.modern("1", "tools/call", r#""name":"add","arguments":{"a":1,"b":1}"#).await.whole().await;
    assert_eq!(answer.json()["result"]["structuredContent"]["sum"], 2);
}

#[tokio::test]
async fn what_cannot_be_called_says_why() {
    let endpoint = Endpoint::start().await;
    let unknown = endpoint.modern("1", "tools/call", r#""name":"nope""#).await.whole().await;
    assert_eq!(unknown.error(), (200, -32602));
    assert_eq!(unknown.json()["error"]["message"], "Unknown tool: nope");

    for (arguments, reason) in [
        (r#"{"a":1}"#, r#""b" is a required property"#),
        (r#"{"a":"x","b":2}"#, "/a: \"x\" is not of type \"integer\""),
        (r#"{"a":1,"b":99999999999999999999}"#, "expected i64"),
    ] {
        let params = format!(r#""name":"add","arguments":{arguments}"#);
        let result = endpoint.modern("1", "tools/call", &params).await.whole().await.json();
        assert_eq!(result["result"]["isError"], true, "{arguments}");
        let text = result["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.starts_with("Invalid arguments: ") && text.contains(reason), "{text}");
    }
    for params in [r#""name":"add","arguments":[1]"#, r#""arguments":{}"#, r#""name":7"#] {
        let body = modern_body("1", "tools/call", params);
        let answer = endpoint.send("POST", &[("MCP-Protocol-Version", "2026-07-28")], body.as_bytes()).await;
        let (status, code) = answer.whole().await.error();
        assert!(status == 400 && (code == -32602 || code == -32020), "{params}: {status} {code}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_message_are_refused() {
    let endpoint = Endpoint::start().await;
    let cases: [(&[u8], i64); 7] = [
        (b"", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1", -32700),
        (b"[]", -32600),
        (b"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}", -32600),
    ];
    for (body, code) in cases {
        let answer = endpoint.send("POST", &[], body).await.whole().await;
        assert_eq!(answer.error(), (400, code), "{}", String::from_utf8_lossy(body));
    }
    let answer = endpoint.post(r#"{"jsonrpc":"1.0","id":"mine","method":"ping"}"#).await;
    assert_eq!(answer.json()["id"], "mine", "an id that could be read is echoed");
    alive(&endpoint).await;
}

#[tokio::test]
async fn ten_thousand_levels_hurt_nobody() {
    let endpoint = Endpoint::start().await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let params = format!(r#""name":"anything","arguments":{{"_value":{deep}}}"#);
    let body = modern_body("1", "tools/call", &params);
    let headers = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "anything")];
    let answer = endpoint.send("POST", &headers, body.as_bytes()).await.whole().await.json();
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert_eq!(endpoint.post(&deep).await.error(), (400, -32600));
    alive(&endpoint).await;
}

#[tokio::test]
async fn twenty_megabytes_are_refused_with_a_reason() {
    let endpoint = Endpoint::start().await;
    let big = vec![b' '; 20 << 20];
    let answer = endpoint.send("POST", &[], &big).await.whole().await;
    assert_eq!(answer.error(), (413, -32600));
    alive(&endpoint).await;
}

#[tokio::test]
async fn requests_from_foreign_pages_are_forbidden() {
    let endpoint = Endpoint::start().await;
    let ping = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    for header in [("Origin", "https://evil.example"), ("Host", "evil.example"), ("Origin", "null")] {
        let answer = endpoint.send("POST", &[header], ping).await.whole().await;
        assert_eq!(answer.error(), (403, -32600), "{header:?}");
    }
    let answer = endpoint.send("POST", &[("Origin", "http://localhost:5173")], ping).await.whole().await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn media_types_and_methods_are_checked() {
    let endpoint = Endpoint::start().await;
    let ping = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    for (header, status) in [
        (("Content-Type", "text/plain"), 415),
        (("Content-Type", "application/json; charset=utf-8"), 200),
        (("Accept", "text/html"), 406),
        (("Accept", "*/*"), 200),
        (("Accept", "text/event-stream"), 200),
    ] {
        assert_eq!(endpoint.send("POST", &[header], ping).await.whole().await.status, status, "{header:?}");
    }
    for method in ["GET", "DELETE", "PUT", "PATCH"] {
        let answer = endpoint.send(method, &[], b"").await.whole().await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
    }
}

#[tokio::test]
async fn modern_requests_must_say_everything() {
    let endpoint = Endpoint::start().await;
    let version = r#""io.modelcontextprotocol/protocolVersion""#;
    let capabilities = r#""io.modelcontextprotocol/clientCapabilities":{}"#;
    let check = async |meta: &str, header: &str, expected: (u16, i64)| {
        let body = modern_body("5", "tools/list", &format!(r#""_meta":{{{meta}}}"#));
        let headers = [("MCP-Protocol-Version", header), ("Mcp-Method", "tools/list")];
        let answer = endpoint.send("POST", &headers, body.as_bytes()).await.whole().await;
        assert_eq!(answer.error(), expected, "{meta} {header}");
        assert_eq!(answer.json()["id"], 5);
    };
    check("", "2026-07-28", (400, -32602)).await;
    check(&format!(r#"{version}:"2026-07-28""#), "2026-07-28", (400, -32602)).await;
    check(&format!(r#"{version}:7,{capabilities}"#), "2026-07-28", (400, -32602)).await;
    check(&format!(r#"{version}:"2026-07-28",{capabilities}"#), "2025-11-25", (400, -32020)).await;
    check(&format!(r#"{version}:"v999",{capabilities}"#), "2026-07-28", (400, -32020)).await;
    check(&format!(r#"{version}:"v999",{capabilities}"#), "v999", (400, -32022)).await;
    check(&format!(r#"{version}:"2026-07-28",{capabilities}"#), "2026-07-28", (200, 0)).await;

    for gone in ["initialize", "ping", "logging/setLevel", "resources/subscribe", "no/such"] {
        assert_eq!(endpoint.modern("1", gone, "").await.whole().await.error(), (404, -32601), "{gone}");
    }
}

#[tokio::test]
async fn headers_must_mirror_the_body() {
    let endpoint = Endpoint::start().await;
    let body = modern_body("1", "tools/call", r#""name":"add","arguments":{"a":1,"b":1}"#);
    for (name, value) in
        [("Mcp-Method", "tools/list"), ("Mcp-Method", ""), ("Mcp-Name", "sub"), ("Mcp-Name", "=?base64?!?=")]
    {
        let mut headers = modern_headers(&body);
        headers.retain(|(other, _)| *other != name);
        if !value.is_empty() {
            headers.push((name, value.to_owned()));
        }
        let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let answer = endpoint.send("POST", &headers, body.as_bytes()).await.whole().await;
        assert_eq!(answer.error(), (400, -32020), "{name}: {value}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_awaited_for_ever() {
    let endpoint = Endpoint::with(|config| Config { body_timeout: Duration::from_millis(5), ..config }).await;
    let headers = [("Content-Length", "100")];
    assert_eq!(endpoint.send("POST", &headers, b"{").await.whole().await.error(), (408, -32600));
}
