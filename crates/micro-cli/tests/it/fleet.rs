//! `micro services` and `micro describe`: what is in the registry.

use micro_test::Home;
use serde_json::json;

use crate::{
    users::{Running, check_failure},
    vocabulary::micro,
};

#[test]
fn services_are_a_table() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let output = micro(&home, &["services"]);
    let lines: Vec<Vec<&str>> = output.success().lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["SERVICE", "VERSION", "NODES", "ENDPOINTS", "DESCRIPTION"]);
    assert_eq!(lines[1], ["users", "1.2", "1", "6", "User", "accounts."]);
    assert_eq!(lines.len(), 2);
}

#[test]
fn services_are_json_for_programs() {
    let home = Home::new().unwrap();
    assert_eq!(micro(&home, &["services", "--json"]).json(), json!([]));
    let users = Running::start(&home);
    let services = micro(&home, &["services", "--json"]).json();
    assert_eq!(services[0]["name"], "users");
    assert_eq!(services[0]["versions"], json!(["1.2"]));
    assert_eq!(services[0]["nodes"][0]["address"], users.address);
    assert_eq!(services[0]["endpoints"].as_array().unwrap().len(), 6);
}

#[test]
fn an_empty_registry_says_what_to_do() {
    let home = Home::new().unwrap();
    let output = micro(&home, &["services"]);
    assert_eq!(output.success(), "");
    assert!(output.stderr.contains("micro run"), "{}", output.stderr);
}

#[test]
fn a_service_is_described_for_people() {
    let home = Home::new().unwrap();
    let users = Running::start(&home);
    let output = micro(&home, &["describe", "users"]);
    let text = output.success();
    assert!(text.starts_with("users 1.2\nUser accounts.\n"), "{text}");
    for part in [
        users.address.as_str(),
        "Users.Get  tool users_Get, read-only, idempotent, needs users:read",
        "  Retrieve a user.",
        "Who is looked for.",
        "answers object {id, name}",
        r#"try it: micro call users Users.Get '{"id":"ada"}'"#,
        "destructive, needs users:write or users:admin",
        "streams integer",
    ] {
        assert!(text.contains(part), "{part:?} is missing:\n{text}");
    }
    let notify = text.lines().find(|line| line.trim_start().starts_with("notify")).unwrap();
    assert_eq!(notify.split_whitespace().collect::<Vec<_>>(), ["notify", "boolean", "no"]);
}

#[test]
fn a_service_is_described_for_programs() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let described = micro(&home, &["describe", "users", "--json"]).json();
    let endpoints = described["endpoints"].as_array().unwrap();
    let get = endpoints.iter().find(|endpoint| endpoint["name"] == "Users.Get").unwrap();
    let id = json!({"name": "id", "type": "string", "required": true, "description": "Who is looked for."});
    assert_eq!(get["arguments"], json!([id]));
    assert_eq!(get["tool"], "users_Get");
    assert_eq!(get["scopes"], json!(["users:read"]));
    assert_eq!(get["examples"], json!([{"id": "ada"}]));
    assert_eq!(get["input"]["type"], "object");
    assert_eq!(get["hints"]["read_only"], true);
}

#[test]
fn an_unknown_service_is_told_with_the_known_ones() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    check_failure(&micro(&home, &["describe", "user"]), 3, &["no service `user`", "did you mean `users`?"]);
}
