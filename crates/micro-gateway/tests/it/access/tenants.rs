//! Two tenants behind one gateway: none finds out anything about the other.

use std::sync::{Arc, Mutex};

use micro::Drain;
use micro_gateway::{AuditTo, Config};
use micro_registry::MemoryRegistry;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};

use super::{FRONTS, account, call, list, token};
use crate::fixture::{Running, empty, serve, until};

fn config() -> String {
    [
        "auth.mode = 'on'\n",
        &account("alice", "tenant = 'acme'\nscopes = ['notes:write', 'notes:read']"),
        &account("uma", "tenant = 'umbrella'\nscopes = ['notes:write', 'notes:read']"),
        &account("nobody", "scopes = ['notes:write', 'notes:read']"),
        &account("lost", "tenant = 'made-up'\nscopes = ['notes:write', 'notes:read']"),
        "[tenants.acme]\ntools = ['acme.*', 'shared.Notes.Keep']\n",
        "[tenants.umbrella]\ntools = ['umbrella.*', 'shared.*']\n",
    ]
    .concat()
}

async fn gateway() -> Running {
    let registry = MemoryRegistry::default();
    let running = empty(&config(), registry.clone()).await;
    for service in ["acme", "umbrella", "shared", "open"] {
        serve(&registry, service, running.drain.clone());
    }
    until(&running.catalog, |tools| tools == 20).await;
    running
}

#[tokio::test]
async fn a_tool_of_another_tenant_is_unknown_on_every_front() {
    let gateway = gateway().await;
    for front in FRONTS {
        for (who, seen) in
            [("alice", &["acme", "shared"][..]), ("uma", &["umbrella", "shared"]), ("nobody", &["open"]), ("lost", &[])]
        {
            for service in ["acme", "umbrella", "shared", "open", "made-up"] {
                // With wrong arguments too: what checks them must not tell that there is something to check.
                for arguments in [json!({"text": "a"}), json!({"text": 7})] {
                    let tool = format!("{service}.Notes.Keep");
                    let answer = call(&gateway, front, &tool, arguments.clone(), who).await;
                    if seen.contains(&service) {
                        assert!(answer.text.contains('a') && answer.status != 404, "{front} {tool} {who}");
                        continue;
                    }
                    // The very answer for a tool that nobody has.
                    let unknown = call(&gateway, front, "nowhere.Notes.Keep", arguments, who).await;
                    let same = answer.text.replace(service, "nowhere") == unknown.text
                        || front == "compat" && answer.text == unknown.text;
                    assert!(same && answer.status == unknown.status, "{front} {tool} {who}: {}", answer.text);
                }
            }
        }
    }
    let names = |service: &str| ["All", "Count", "Fail", "Keep", "Whoami"].map(|name| format!("{service}.{name}"));
    assert_eq!(list(&gateway, "alice").await, [&names("acme")[..], &["shared.Keep".to_owned()]].concat());
    assert_eq!(list(&gateway, "uma").await, [names("shared"), names("umbrella")].concat());
    assert_eq!(list(&gateway, "nobody").await, names("open"));
    assert_eq!(list(&gateway, "lost").await, Vec::<String>::new());
}

#[tokio::test]
async fn no_name_of_a_foreign_service_comes_out_in_any_other_way() {
    let gateway = gateway().await;
    let token = token("alice");
    let bearer = format!("Bearer {token}");
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let headers = [
        ("authorization", &*bearer),
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
    ];
    let mut told = vec![
        gateway.send("POST", "/mcp", &headers, &initialize.to_string()).await,
        gateway.modern("server/discover", json!({}), Some(&token)).await,
        gateway.modern("tools/list", json!({}), Some(&token)).await,
        gateway.send("GET", "/", &headers, "").await,
        gateway.send("GET", "/health", &headers, "").await,
        // Who shows nothing is not told what a tool asks for.
        gateway.modern("tools/call", json!({"name": "umbrella.Notes.Keep", "arguments": {}}), None).await,
    ];
    for cursor in ["756d6272656c6c615f4b656570", "made up"] {
        told.push(gateway.modern("tools/list", json!({"cursor": cursor}), Some(&token)).await);
    }
    for answer in &told {
        let text = answer.text.replace("umbrella.Notes.Keep", ""); // what was asked for may be said again
        assert!(!text.contains("umbrella") && !text.contains("notes:write\""), "{text}");
        let challenge = answer.headers.get("www-authenticate").map_or("", |value| value.to_str().unwrap());
        assert!(!challenge.contains("notes:"), "{challenge}");
    }
}

#[tokio::test]
async fn the_client_on_a_pipe_stays_with_its_tenant() {
    let config: Config = toml::from_str(&config()).unwrap();
    let (registry, drain) = (MemoryRegistry::default(), Drain::new());
    for service in ["acme", "umbrella"] {
        serve(&registry, service, drain.clone());
    }
    let records = Arc::new(Mutex::new(Vec::new()));
    let kept = records.clone();
    let sink = AuditTo::Function(Arc::new(move |record| {
        let record = serde_json::to_value(record).unwrap();
        let said = record["denied_reason"].as_str().unwrap_or("allowed");
        let (tool, rule) = (record["tool"].as_str().unwrap(), record["rule"].as_str().unwrap());
        kept.lock().unwrap().push(format!("{tool} {said} by {rule}"));
    }));
    let core = config.core_with(Arc::new(registry), false, sink).unwrap();
    until(core.catalog(), |tools| tools == 10).await;
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    for (tool, known) in [("acme_Notes_Keep", true), ("umbrella_Notes_Keep", false), ("umbrella.Notes.Keep", false)] {
        let handler = core.handler_for(&token("alice"), true).await;
        let (mut ours, theirs) = duplex(64 << 10);
        let (input, output) = split(theirs);
        let serving = tokio::spawn(micro_mcp::stdio::serve(handler, input, output, Drain::new()));
        let params = json!({"name": tool, "arguments": {"text": "a"}, "_meta": meta});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        ours.write_all(format!("{call}\n").as_bytes()).await.unwrap();
        ours.shutdown().await.unwrap();
        let mut answer = String::new();
        ours.read_to_string(&mut answer).await.unwrap();
        serving.await.unwrap().unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let code = if known { Value::Null } else { json!(-32602) };
        assert_eq!(answer["error"]["code"], code, "{tool}: {answer}");
    }
    // The record says what was asked for, not what it would have been.
    let expected = [
        "acme.Notes.Keep allowed by scopes:service",
        "umbrella_Notes_Keep unknown tool by tenant:acme",
        "umbrella.Notes.Keep unknown tool by tenant:acme",
    ];
    assert_eq!(*records.lock().unwrap(), expected);
    drain.begin();
    core.close().await;
}
