//! `micro server`: the gateway alone.

use std::{fs, time::Duration};

use micro_test::{Home, http};
use serde_json::{Value, json};

use crate::{
    tools::called,
    users::{Running, check_ends_well, check_failure, command},
    vocabulary::micro,
};

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn it_serves_audits_and_drains() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let mut server = command(&home, &["server", "--address", "127.0.0.1:0", "--audit", "audit"]).start().unwrap();
    let url = server.wait_for_url(PATIENCE).unwrap();
    let answer = called(&url, &json!({"tool": "users.Users.Get", "input": {"id": "ada"}}));
    assert_eq!(answer["result"]["id"], "ada");
    check_ends_well(&mut server);
    let audit = fs::read_to_string(home.path().join("audit/000000000001.jsonl")).unwrap();
    let mut records = audit.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let record = records.find(|record| record["kind"] == "call").unwrap();
    assert_eq!(record["tool"], "users.Users.Get");
}

#[test]
fn a_token_is_made_when_one_is_needed_and_shown_once() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let mut server = command(&home, &["server", "--address", "127.0.0.1:0", "--auth", "on"])
        .env("MICRO_LOG_FORMAT", "json")
        .start()
        .unwrap();
    let line = server.wait_for_line("token ", PATIENCE).unwrap();
    let token = line.split_whitespace().nth(1).unwrap().to_owned();
    let log: Value = serde_json::from_str(&server.wait_for_line("gateway is up", PATIENCE).unwrap()).unwrap();
    let url = log["url"].as_str().unwrap();

    let tools = format!("{url}/mcp/tools");
    assert_eq!(http::get(&tools).unwrap().status(), 401);
    let bearer = format!("Bearer {token}");
    assert_eq!(http::request("GET", &tools, &[("Authorization", &bearer)], b"").unwrap().status(), 200);
    check_ends_well(&mut server);
    assert_eq!(server.stderr().matches(&token).count(), 1);
}

#[test]
fn the_file_sets_what_the_flags_leave_open() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let config = r#"
        [services.users]
        command = ["another", "command"]
        [gateway]
        address = "127.0.0.1:1"
        tool_names = "canonical"
        [gateway.auth]
        mode = "on"
        tokens = [{ account = "reader", scopes = ["users:read"], token_env = "READER" }]
    "#;
    fs::write(home.path().join("micro.toml"), config).unwrap();
    let mut server = command(&home, &["server", "--config", "micro.toml", "--address", "127.0.0.1:0"])
        .env("READER", "0123456789abcdef")
        .start()
        .unwrap();
    let url = server.wait_for_url(PATIENCE).unwrap();
    let call = |tool: &str| {
        let body = json!({"tool": tool, "input": {"id": "ada", "name": "A"}});
        let bearer = ("Authorization", "Bearer 0123456789abcdef");
        http::post_json(&format!("{url}/mcp/call"), &[bearer], &body).unwrap().status()
    };
    assert_eq!(call("users.Users.Get"), 200);
    assert_eq!(call("users.Users.Rename"), 403);
    check_ends_well(&mut server);
    assert!(!server.stderr().contains("0123456789abcdef"));
}

#[test]
fn a_file_that_makes_no_sense_is_told_with_the_place() {
    let home = Home::new().unwrap();
    fs::write(home.path().join("micro.toml"), "[gateway]\nadress = \"127.0.0.1:0\"\n").unwrap();
    check_failure(&micro(&home, &["server", "--config", "micro.toml"]), 6, &["micro.toml", "adress"]);
    check_failure(&micro(&home, &["server", "--config", "none.toml"]), 3, &["none.toml"]);
}
