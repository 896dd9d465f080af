//! Policies in the Cedar language: over arguments, on every front, and in lists.

use micro_gateway::Config;
use serde_json::{Value, json};

use super::{FRONTS, account, call, list};
use crate::fixture::start;

const POLICIES: &str = r#"
permit(principal in Role::"keeper", action in Action::"call", resource in Service::"notes");

@id("short-notes")
forbid(principal, action == Action::"notes.Notes.Keep", resource)
when { context.arguments.text like "*secret*" || (context.arguments has stars && context.arguments.stars > 3) };

@id("no-whoami")
forbid(principal, action == Action::"notes.Notes.Whoami", resource);

permit(principal == Account::"", action == Action::"notes.Notes.Count", resource);
"#;

fn config(folder: &std::path::Path) -> String {
    std::fs::write(folder.join("notes.cedar"), POLICIES).unwrap();
    [
        &format!("policies = ['{}/*.cedar']\n", folder.display()),
        &*account("keeper", "roles = ['keeper']\nscopes = ['notes:write', 'notes:read']"),
        &account("scopeless", "roles = ['keeper']"),
        &account("other", "scopes = ['notes:write', 'notes:read']"),
    ]
    .concat()
}

#[tokio::test]
async fn a_policy_decides_over_arguments_and_lists_show_what_may_be_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = start(&config(folder.path())).await;
    for front in FRONTS {
        for (who, tool, arguments, status) in [
            ("keeper", "Keep", json!({"text": "a"}), 200),
            ("keeper", "Keep", json!({"text": "a", "stars": 3}), 200),
            ("keeper", "Keep", json!({"text": "a", "stars": 4}), 403),
            ("keeper", "Keep", json!({"text": "my secret"}), 403),
            ("keeper", "Count", json!({}), 200),
            ("keeper", "Whoami", json!({}), 403),
            ("scopeless", "Keep", json!({"text": "a"}), 403),
            ("scopeless", "All", json!({}), 200),
            ("other", "Count", json!({}), 403),
            ("", "Count", json!({}), 200),
            ("", "Keep", json!({"text": "a"}), 403),
        ] {
            let answer = call(&gateway, front, &format!("notes.Notes.{tool}"), arguments.clone(), who).await;
            assert_eq!(answer.status, status, "{front} {who} {tool} {arguments}: {}", answer.text);
            // Which policies there are is not for callers.
            assert!(!answer.text.contains("short-notes") && !answer.text.contains(".cedar"), "{}", answer.text);
        }
    }
    assert_eq!(list(&gateway, "keeper").await, ["notes.All", "notes.Count", "notes.Fail", "notes.Keep"]);
    assert_eq!(list(&gateway, "scopeless").await, ["notes.All", "notes.Fail"]);
    assert_eq!(list(&gateway, "other").await, Vec::<String>::new());
    let nobody = gateway.modern("tools/list", json!({}), None).await.json();
    let names: Vec<&Value> = nobody["result"]["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["notes_Count"]);
}

#[tokio::test]
async fn a_denied_call_never_reaches_the_service_whatever_the_json_looks_like() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = start(&config(folder.path())).await;
    let bearer = format!("Bearer {}", super::token("keeper"));
    for body in [
        r#"{"text": "a", "stars": 4}"#,
        r#"{"stars": 1, "text": "a", "stars": 9}"#,
        r#"{"text": "a", "STARS": 9}"#,
        r#"{"text": "a", "stars": 4.0}"#,
        r#"{"text": "a", "stars": 1e2}"#,
        r#"{"text": "\u0073ecret"}"#,
    ] {
        let answer = gateway.send("POST", "/api/notes/Notes.Keep", &[("authorization", &bearer)], body).await;
        assert_eq!(answer.status, 403, "{body}: {}", answer.text);
    }
}

#[tokio::test]
async fn policies_that_are_reloaded_hold_at_once_and_broken_ones_leave_the_old() {
    let folder = tempfile::tempdir().unwrap();
    let config: Config = toml::from_str(&config(folder.path())).unwrap();
    let gateway = start(&self::config(folder.path())).await;
    let file = folder.path().join("notes.cedar");
    let count = async || call(&gateway, "rest", "notes.Notes.Count", json!({}), "other").await.status.as_u16();
    assert_eq!((count().await, list(&gateway, "other").await.len()), (403, 0));
    std::fs::write(&file, "permit(principal, action, resource);").unwrap();
    gateway.handle.reload(&config).await.unwrap();
    assert_eq!((count().await, list(&gateway, "other").await.len()), (200, 5));
    std::fs::write(&file, "permit(principal, action, resource);\nforbid(principal").unwrap();
    let error = gateway.handle.reload(&config).await.unwrap_err().to_string();
    assert!(error.contains("notes.cedar:2: "), "{error}");
    assert_eq!((count().await, list(&gateway, "other").await.len()), (200, 5));
}
