//! `micro mcp list`, `test` and `serve`: the services as tools.

use std::{net::TcpListener, time::Duration};

use micro_test::{Home, http};
use serde_json::{Value, json};

use crate::{
    users::{Running, check_ends_well, check_failure, command},
    vocabulary::micro,
};

#[test]
fn tools_are_listed_under_either_name() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let row = |args: &[&str], name: &str| {
        let output = micro(&home, args);
        let row = output.success().lines().find(|line| line.starts_with(name)).unwrap_or_default();
        row.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let rest = ["Retrieve", "a", "user.", "users:read", "read-only,", "idempotent"];
    assert_eq!(row(&["mcp", "list"], "users_Get"), [&["users_Get"][..], &rest].concat());
    let canonical = row(&["mcp", "list", "--names", "canonical"], "users.Users.Get");
    assert_eq!(canonical, [&["users.Users.Get"][..], &rest].concat());

    let tools = micro(&home, &["mcp", "list", "--json"]).json();
    let names: Vec<_> = tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["users_Count", "users_Door", "users_Get", "users_Rename", "users_Tenant", "users_Wait"]);
    assert_eq!(tools[2]["canonical"], "users.Users.Get");
    assert_eq!(tools[2]["input"]["required"], json!(["id"]));
}

#[test]
fn a_tool_is_tried_with_its_own_example() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let output = micro(&home, &["mcp", "test", "users_Get"]);
    assert_eq!(output.json(), json!({"id": "ada", "name": "Ada Lovelace"}));
    assert!(output.stderr.contains(r#"with its example: {"id":"ada"}"#), "{}", output.stderr);
    assert!(
        output.stderr.contains("users.Users.Get answered in ") && output.stderr.contains(" ms"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_tool_is_tried_by_any_name_with_any_arguments() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let renamed = micro(&home, &["mcp", "test", "users.Users.Rename", r#"{"id":"ada","name":"A"}"#]);
    assert_eq!(renamed.json()["name"], "A");
    let counted = command(&home, &["mcp", "test", "users_Count", "-"]).stdin(r#"{"to":2}"#).run().unwrap();
    assert_eq!(counted.json(), json!({"items": [1, 2]}));
    let whole = micro(&home, &["mcp", "test", "users_Tenant", "--json"]).json();
    assert_eq!(whole["content"][0]["text"], "null");
}

#[test]
fn arguments_that_do_not_fit_are_told_with_place_and_reason() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let check = |args: &[&str], code: i32, said: &[&str]| {
        let output = micro(&home, &[&["mcp", "test"], args].concat());
        check_failure(&output, code, said);
        assert_eq!(output.stdout, "");
    };
    let wrong = r#"{"id":7,"name":"A","notify":"yes"}"#;
    check(&["users_Rename", wrong], 6, &["- /id: 7 is not of type", "- /notify: ", "micro describe users"]);
    check(&["users_Rename", "{}"], 6, &[r#""id" is a required property"#, r#""name" is a required property"#]);
    check(&["users_Rename", "{"], 6, &["not JSON"]);
    check(&["users_Rename"], 2, &["has no example", "micro describe users"]);
    check(&["users_Gte"], 3, &["no tool `users_Gte`", "did you mean `users_Get`"]);
    check(&["users.Users.Gte"], 3, &["did you mean `users.Users.Get`"]);
    check(&["users_Get", r#"{"id":"bob"}"#], 1, &["the tool failed", "no user bob"]);
}

#[test]
fn a_result_that_breaks_its_schema_is_shown_and_told() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let output = micro(&home, &["mcp", "test", "users_Door"]);
    check_failure(&output, 1, &["output schema of `users.Users.Door`", "- /number: 0 is less than the minimum of 1"]);
    assert_eq!(serde_json::from_str::<Value>(&output.stdout).unwrap(), json!({"number": 0}));
}

#[test]
fn a_failed_result_can_be_seen_whole() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let output = micro(&home, &["mcp", "test", "users_Get", r#"{"id":"bob"}"#, "--json"]);
    assert_eq!(output.failure(), 1);
    assert_eq!(serde_json::from_str::<Value>(&output.stdout).unwrap()["isError"], true);
}

/// A legacy client's first words.
pub(crate) const HELLO: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#,
    "\n",
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    "\n",
    r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#,
    "\n",
    r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"users_Get","arguments":{"id":"ada"}}}"#,
);

#[test]
fn a_client_on_a_pipe_gets_messages_and_nothing_else() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    for args in [&["mcp", "serve"][..], &["mcp", "serve", "--stdio"]] {
        let output = command(&home, args).env("MICRO_LOG", "debug").stdin(HELLO).run().unwrap();
        let answers: Vec<Value> = output.success().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |id: u64| answers.iter().find(|answer| answer["id"] == id).unwrap_or_else(|| panic!("{answers:?}"));
        assert_eq!(of(2)["result"]["tools"][2]["name"], "users_Get");
        assert_eq!(of(3)["result"]["structuredContent"]["name"], "Ada Lovelace");
    }
}

#[test]
fn http_is_served_where_asked_and_drains() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let args = ["mcp", "serve", "--address", "127.0.0.1:0", "--tool-names", "canonical"];
    let mut serving = command(&home, &args).start().unwrap();
    let url = serving.wait_for_url(Duration::from_secs(30)).unwrap();
    let body = json!({"tool": "users.Users.Get", "input": {"id": "ada"}});
    let answer = called(&url, &body);
    assert_eq!(answer["result"]["name"], "Ada Lovelace");
    check_ends_well(&mut serving);
    assert_eq!(serving.stdout(), "");
}

#[test]
fn an_address_that_is_taken_is_told() {
    let home = Home::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for args in [&["mcp", "serve", "--address", &address][..], &["server", "--address", &address]] {
        check_failure(&micro(&home, args), 4, &["cannot listen on", &address]);
    }
}

/// Calls through the plain front.
pub(crate) fn called(url: &str, body: &Value) -> Value {
    http::post_json(&format!("{url}/mcp/call"), &[], body).unwrap().json().unwrap()
}
