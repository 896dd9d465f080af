//! Scopes that the config asks for, roles, tenants and policies: on every front alike, and in lists.

#[cfg(feature = "cedar")]
mod policies;
mod tenants;

use micro_gateway::Config;
use serde_json::{Value, json};

use crate::fixture::{Answer, Running, start};

pub(crate) const FRONTS: [&str; 4] = ["modern", "legacy", "rest", "compat"];

/// A token for each account, named after it.
pub(crate) fn token(account: &str) -> String {
    format!("{account}-0123456789abcdef")
}

/// `[[auth.tokens]]` of an account, with these further keys.
pub(crate) fn account(name: &str, keys: &str) -> String {
    format!("[[auth.tokens]]\naccount = \"{name}\"\ntoken = \"{}\"\n{keys}\n", token(name))
}

/// Calls an endpoint of `Notes` through a front.
pub(crate) async fn call(gateway: &Running, front: &str, tool: &str, arguments: Value, who: &str) -> Answer {
    let token = token(who);
    let shown = (!who.is_empty()).then_some(token.as_str());
    let bearer = format!("Bearer {token}");
    let headers: &[(&str, &str)] = if shown.is_some() { &[("authorization", &bearer)] } else { &[] };
    let params = json!({"name": tool, "arguments": arguments});
    match front {
        "modern" => gateway.modern("tools/call", params, shown).await,
        "legacy" => gateway.legacy("tools/call", params, shown).await,
        "rest" => {
            let path = format!("/api/{}", tool.replacen('.', "/", 1));
            gateway.send("POST", &path, headers, &arguments.to_string()).await
        }
        _ => gateway.send("POST", "/mcp/call", headers, &json!({"tool": tool, "input": arguments}).to_string()).await,
    }
}

/// What an account's list names, the same on every front, without `Notes`.
pub(crate) async fn list(gateway: &Running, who: &str) -> Vec<String> {
    let token = token(who);
    let mut lists = Vec::new();
    for answer in [
        gateway.modern("tools/list", json!({}), Some(&token)).await,
        gateway.legacy("tools/list", json!({}), Some(&token)).await,
    ] {
        let tools = answer.json()["result"]["tools"].clone();
        let name = |tool: &Value| tool["name"].as_str().unwrap().replace('_', ".").replacen(".Notes.", ".", 1);
        lists.push(tools.as_array().unwrap().iter().map(name).collect::<Vec<_>>());
    }
    let bearer = format!("Bearer {token}");
    let compat = gateway.send("GET", "/mcp/tools", &[("authorization", &bearer)], "").await;
    let name = |tool: &Value| tool["name"].as_str().unwrap().replacen(".Notes.", ".", 1);
    lists.push(compat.json()["tools"].as_array().unwrap().iter().map(name).collect());
    assert!(lists.iter().all(|list| *list == lists[0]), "every front lists the same: {lists:?}");
    lists.swap_remove(0)
}

#[tokio::test]
async fn the_config_asks_for_other_scopes_than_the_service_and_lists_follow() {
    let gateway = start(&format!(
        "auth.mode = 'on'\n{}{}{}{}{}",
        account("service", "scopes = ['notes:write', 'notes:read']"),
        account("half", "scopes = ['a']"),
        account("both", "scopes = ['A', 'b']"),
        account("none", ""),
        "[[scopes]]\ntool = 'notes.*'\nall_of = ['a', 'b']\n[[scopes]]\ntool = 'notes.Notes.Count'\nany_of = []\n[[scopes]]\ntool = 'notes.Notes.All'\nany_of = ['a', 'x']"
    ))
    .await;
    for front in FRONTS {
        for (who, keep, count, all) in
            [("service", 403, 200, 403), ("half", 403, 200, 200), ("both", 200, 200, 200), ("none", 403, 200, 403)]
        {
            for (tool, arguments, status) in [
                ("notes.Notes.Keep", json!({"text": "a"}), keep),
                ("notes.Notes.Count", json!({}), count),
                ("notes.Notes.All", json!({}), all),
            ] {
                let answer = call(&gateway, front, tool, arguments, who).await;
                assert_eq!(answer.status, status, "{front} {tool} {who}: {}", answer.text);
                if status == 403 && tool == "notes.Notes.Keep" {
                    assert!(answer.text.contains("all of a, b are needed"), "{}", answer.text);
                    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
                    assert!(challenge.contains(r#"error="insufficient_scope", scope="a b""#), "{challenge}");
                }
            }
        }
    }
    assert_eq!(list(&gateway, "none").await, ["notes.Count"]);
    assert_eq!(list(&gateway, "half").await, ["notes.All", "notes.Count"]);
    assert_eq!(list(&gateway, "both").await.len(), 5);
}

#[tokio::test]
async fn an_account_may_do_what_its_roles_come_to() {
    let gateway = start(&format!(
        "auth.mode = 'on'\n{}{}{}{}",
        account("reader", "roles = ['reader']"),
        account("writer", "roles = ['writer']"),
        account("stranger", "roles = ['made-up']"),
        "[roles.reader]\nscopes = ['notes:read']\n[roles.writer]\nscopes = ['notes:write']\ninherits = ['reader']"
    ))
    .await;
    for front in FRONTS {
        for (who, keep, count) in [("reader", 403, 200), ("writer", 200, 200), ("stranger", 403, 403)] {
            let answer = call(&gateway, front, "notes.Notes.Keep", json!({"text": "a"}), who).await;
            assert_eq!(answer.status, keep, "{front} {who}");
            assert_eq!(call(&gateway, front, "notes.Notes.Count", json!({}), who).await.status, count, "{front} {who}");
        }
    }
    assert_eq!(list(&gateway, "stranger").await, ["notes.All", "notes.Fail", "notes.Whoami"]);
    assert_eq!(list(&gateway, "writer").await.len(), 5);
}

#[tokio::test]
async fn a_reload_holds_for_calls_and_lists_once_it_has_returned_and_a_bad_one_changes_nothing() {
    let tokens = format!("auth.mode = 'on'\n{}", account("alice", "roles = ['reader']"));
    let config = |rest: &str| toml::from_str::<Config>(&format!("{tokens}{rest}")).unwrap();
    let gateway = start(&tokens).await;
    let keep = async || call(&gateway, "modern", "notes.Notes.Keep", json!({"text": "a"}), "alice").await.status;
    assert_eq!((keep().await.as_u16(), list(&gateway, "alice").await.len()), (403, 3));
    for (rest, status, tools) in [
        ("[roles.reader]\nscopes = ['notes:write']", 200, 4),
        ("[[scopes]]\ntool = '*'\nany_of = ['never']", 403, 0),
        ("[[scopes]]\ntool = '*'\nany_of = []", 200, 5),
        ("[tenants.acme]\ntools = ['notes.*']", 404, 0),
        ("", 403, 3),
    ] {
        gateway.handle.reload(&config(rest)).await.unwrap();
        let answer = call(&gateway, "rest", "notes.Notes.Keep", json!({"text": "a"}), "alice").await;
        assert_eq!((answer.status.as_u16(), list(&gateway, "alice").await.len()), (status, tools), "{rest}");
    }
    let bad = gateway.handle.reload(&config("[roles.a]\ninherits = ['a']")).await.unwrap_err();
    assert!(bad.to_string().contains("cannot inherit itself"), "{bad}");
    assert_eq!((keep().await.as_u16(), list(&gateway, "alice").await.len()), (403, 3));
}

#[tokio::test]
async fn what_the_tools_of_tenants_ask_for_is_not_for_strangers() {
    let issuer = "auth.mode = 'on'\n[[auth.issuers]]\nissuer = 'http://127.0.0.1:9'\naudience = ['us']\n";
    for (tenants, told) in [("", json!(["notes:read", "notes:write"])), ("[tenants.acme]\ntools = ['*']", json!(null))]
    {
        let gateway = start(&format!("{issuer}{tenants}")).await;
        let document = gateway.send("GET", "/.well-known/oauth-protected-resource/mcp", &[], "").await.json();
        assert_eq!(document["scopes_supported"], told, "{document}");
    }
}
