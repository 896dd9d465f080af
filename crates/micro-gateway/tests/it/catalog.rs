//! How the registry becomes tools.

use futures_util::StreamExt;
use micro_gateway::Catalog;
use micro_registry::{MemoryRegistry, Registry};
use serde_json::{Value, json};

use crate::fixture::{empty, listen, register, serve, start, until};

fn shown(catalog: &Catalog) -> Vec<String> {
    catalog.load().tools().map(|(shown, _)| shown.to_owned()).collect()
}

#[tokio::test]
async fn a_tool_carries_everything_the_service_says() {
    let gateway = start("").await;
    let list = gateway.modern("tools/list", json!({}), None).await.json();
    let tools = list["result"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["notes_All", "notes_Count", "notes_Fail", "notes_Keep", "notes_Whoami"]);
    let keep = &tools[3];
    assert_eq!(keep["description"], "Keep a note.");
    assert_eq!(keep["inputSchema"]["required"], json!(["text"]));
    assert_eq!(keep["inputSchema"]["properties"]["text"]["maxLength"], 20);
    assert_eq!(keep["inputSchema"]["examples"], json!([{"text": "buy milk"}]));
    assert_eq!(keep["outputSchema"]["type"], "object");
    assert_eq!(keep["annotations"], json!({"idempotentHint": true}));
    assert_eq!(tools[0]["outputSchema"]["properties"]["items"]["type"], "array");
    assert_eq!(tools[1]["annotations"], json!({"readOnlyHint": true, "destructiveHint": false}));
    assert_eq!(list["result"]["cacheScope"], "private");
}

#[tokio::test]
async fn older_revisions_see_output_schemas_of_objects_only() {
    let gateway = start("").await;
    let list = gateway.legacy("tools/list", json!({}), None).await.json();
    let tools = list["result"]["tools"].as_array().unwrap();
    assert_eq!(tools[1]["outputSchema"], Value::Null, "an integer");
    assert_eq!(tools[3]["outputSchema"]["type"], "object");
    assert_eq!(list["result"]["resultType"], Value::Null);
}

#[tokio::test]
async fn tools_come_and_go_with_their_service_and_listeners_hear_of_it() {
    let registry = MemoryRegistry::default();
    let gateway = empty("", registry.clone()).await;
    let mut events = listen(&gateway).await;
    assert_eq!(events.next().await.unwrap()["method"], "notifications/subscriptions/acknowledged");
    let service = gateway.drain.child();
    serve(&registry, "notes", service.clone());
    assert_eq!(events.next().await.unwrap()["method"], "notifications/tools/list_changed");
    until(&gateway.catalog, |tools| tools == 5).await;
    service.begin();
    assert_eq!(events.next().await.unwrap()["method"], "notifications/tools/list_changed");
    until(&gateway.catalog, |tools| tools == 0).await;
    let answer = gateway.modern("tools/call", json!({"name": "notes_Count"}), None).await.json();
    assert_eq!(answer["error"]["code"], -32602);
}

#[tokio::test]
async fn colliding_names_are_resolved_the_same_way_whatever_came_first() {
    let mut seen = Vec::new();
    for order in [["a.b", "a_b"], ["a_b", "a.b"]] {
        let registry = MemoryRegistry::default();
        let gateway = empty("", registry.clone()).await;
        for service in order {
            register(&registry, service, &["T.Go"]).await;
        }
        until(&gateway.catalog, |tools| tools == 2).await;
        let snapshot = gateway.catalog.load();
        assert_eq!(snapshot.find("a_b_T_Go").unwrap().name.canonical, "a.b.T.Go");
        assert_eq!(snapshot.find("a_b.T.Go").unwrap().name.canonical, "a_b.T.Go");
        assert_eq!(snapshot.problems().len(), 1);
        seen.push(shown(&gateway.catalog));
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_bad_schema_leaves_out_its_own_tool_only() {
    let registry = MemoryRegistry::default();
    let gateway = empty("", registry.clone()).await;
    let mut instance = register(&registry, "s", &["T.Good", "T.Bad"]).await;
    instance.endpoints[1].metadata.insert("input_schema".into(), r#"{"type":"nonsense"}"#.into());
    registry.register(&instance, std::time::Duration::from_secs(60)).await.unwrap();
    until(&gateway.catalog, |tools| tools == 1).await;
    assert_eq!(shown(&gateway.catalog), ["s_T_Good"]);
    assert!(gateway.catalog.load().problems()[0].reason.contains("left out"));
}

#[tokio::test]
async fn a_name_that_could_break_out_of_the_list_is_left_out() {
    let registry = MemoryRegistry::default();
    let gateway = empty("tool_names = 'canonical'", registry.clone()).await;
    register(&registry, "s", &["T.Good", "T.\",\"x\":\""]).await;
    until(&gateway.catalog, |tools| tools == 1).await;
    let list = gateway.modern("tools/list", json!({}), None).await.json();
    assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 1);
    assert_eq!(gateway.catalog.load().problems().len(), 1);
}

#[tokio::test]
async fn ten_thousand_tools_come_page_by_page_each_once() {
    let registry = MemoryRegistry::default();
    let gateway = empty("", registry.clone()).await;
    let endpoints: Vec<String> = (0..100).map(|i| format!("T.M{i}")).collect();
    let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    for service in 0..100 {
        register(&registry, &format!("s{service}"), &endpoints).await;
    }
    until(&gateway.catalog, |tools| tools == 10_000).await;
    let (mut names, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let params = if cursor.is_null() { json!({}) } else { json!({ "cursor": cursor }) };
        let list = gateway.modern("tools/list", params, None).await.json();
        names
            .extend(list["result"]["tools"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()));
        cursor = list["result"]["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(names, shown(&gateway.catalog));
    let bad = gateway.modern("tools/list", json!({"cursor": "nonsense"}), None).await.json();
    assert_eq!(bad["error"]["code"], -32602);
}

#[tokio::test]
async fn canonical_names_can_be_shown_and_every_form_can_be_called() {
    let gateway = start("tool_names = 'canonical'").await;
    assert!(shown(&gateway.catalog).contains(&"notes.Notes.Count".to_owned()));
    for name in ["notes.Notes.Count", "notes_Count"] {
        let answer = gateway.modern("tools/call", json!({ "name": name }), None).await.json();
        assert_eq!(answer["result"]["structuredContent"], 7, "{answer}");
    }
}
