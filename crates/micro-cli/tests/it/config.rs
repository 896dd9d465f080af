//! `micro config`, and settings from files, variables and flags.

use std::{fs, time::Duration};

use micro_test::{Home, http};
use serde_json::{Value, json};

use crate::{
    users::{Running, check_ends_well, check_failure, command},
    vocabulary::micro,
};

const PATIENCE: Duration = Duration::from_secs(30);

const FILE: &str = r#"
[gateway.auth]
mode = "on"
tokens = [{ account = "reader", scopes = ["users:read"], token = "0123456789abcdef" }]
"#;

#[test]
fn a_good_file_is_said_to_be_good_and_every_mistake_of_a_bad_one_told() {
    let home = Home::new().unwrap();
    fs::write(home.path().join("micro.toml"), FILE).unwrap();
    let checked = micro(&home, &["config", "check"]);
    assert!(checked.status.success(), "{}", checked.stderr);

    fs::write(home.path().join("micro.toml"), "[gateway]\nadress = 1\n[gateway.audti]\n").unwrap();
    let expect = ["micro.toml:2:1: there is no key `gateway.adress`; did you mean `address`?", "micro.toml:3:10:"];
    check_failure(&micro(&home, &["config", "check"]), 6, &expect);

    fs::write(home.path().join("micro.toml"), FILE.replace("token =", "token_env =")).unwrap();
    check_failure(&micro(&home, &["config", "check"]), 6, &["0123456789abcdef", "is not set"]);
}

#[test]
fn what_holds_is_shown_without_secrets() {
    let home = Home::new().unwrap();
    fs::write(home.path().join("micro.toml"), FILE).unwrap();
    let shown = command(&home, &["config", "show", "--set", "gateway.tool_names=canonical"])
        .env("MICRO_GATEWAY_AUTH_MODE", "auto")
        .run()
        .unwrap();
    assert!(shown.stdout.contains("tool_names = \"canonical\""), "{}", shown.stdout);
    assert!(shown.stdout.contains("mode = \"auto\""), "{}", shown.stdout);
    assert!(!shown.stdout.contains("0123456789abcdef"), "{}", shown.stdout);
}

#[test]
fn the_schema_and_the_reference_know_every_table() {
    let home = Home::new().unwrap();
    let schema: Value = serde_json::from_str(&micro(&home, &["config", "schema"]).stdout).unwrap();
    assert_eq!(schema["properties"]["services"]["type"], "object");
    let page = micro(&home, &["config", "reference"]).stdout;
    for key in ["### `gateway.auth.mode`", "MICRO_GATEWAY_AUDIT_FAIL", "## `[services.NAME]`"] {
        assert!(page.contains(key), "{key}\n{page}");
    }
}

#[test]
fn a_gateway_takes_over_what_its_file_says_anew_and_keeps_what_held_when_the_file_is_bad() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let file = home.path().join("micro.toml");
    fs::write(&file, FILE).unwrap();
    let mut server = command(&home, &["server", "--address", "127.0.0.1:0"]).start().unwrap();
    let url = server.wait_for_url(PATIENCE).unwrap();
    let call = |token: &str| {
        let body = json!({"tool": "users.Users.Get", "input": {"id": "ada"}});
        let bearer = ("Authorization", &*format!("Bearer {token}"));
        http::post_json(&format!("{url}/mcp/call"), &[bearer], &body).unwrap().status()
    };
    assert_eq!((call("0123456789abcdef"), call("fedcba9876543210")), (200, 401));

    fs::write(&file, FILE.replace("0123456789abcdef", "fedcba9876543210")).unwrap();
    server.wait_for_line("config changed", PATIENCE).unwrap();
    assert_eq!((call("0123456789abcdef"), call("fedcba9876543210")), (401, 200));

    fs::write(&file, FILE.replace("mode", "mdoe")).unwrap();
    let line = server.wait_for_line("config not taken over", PATIENCE).unwrap();
    assert!(line.contains("micro.toml:3:1"), "{line}");
    assert_eq!(call("fedcba9876543210"), 200);

    fs::write(&file, FILE.replace("\"on\"", "\"off\"").replace("0123456789abcdef", "fedcba9876543210")).unwrap();
    let line = server.wait_for_line("counts after a restart", PATIENCE).unwrap();
    assert!(line.contains("gateway.auth.mode"), "{line}");
    check_ends_well(&mut server);
    assert!(!server.stderr().contains("fedcba9876543210"), "{}", server.stderr());
}
