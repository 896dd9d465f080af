//! Two tenants behind one gateway: none finds out anything about the other.

use micro_registry::MemoryRegistry;
use serde_json::json;

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
