//! `--registry`, `MICRO_REGISTRY` and the key `registry` of micro.toml reach every command, in this order.

use std::{fs, time::Duration};

use micro_test::{Home, home::Run};
use serde_json::json;

use crate::{
    tools::{HELLO, called},
    users::{Running, check_ends_well, command},
};

/// Runs the check with the registry named by the variable against a wrong file, by the flag against a
/// wrong variable, and by the file alone.
fn either_way(check: impl Fn(&dyn Fn(&[&str]) -> Run)) {
    let (home, empty) = (Home::new().unwrap(), Home::new().unwrap());
    let _users = Running::start(&home);
    fs::write(home.path().join("micro.toml"), "registry = \"file:nowhere\"").unwrap();
    check(&|args| command(&home, args));
    let registry = home.registry();
    check(&|args| command(&empty, &[args, &["--registry", &registry]].concat()));
    fs::write(empty.path().join("micro.toml"), format!("registry = {registry:?}")).unwrap();
    check(&|args| command(&empty, args).without_env("MICRO_REGISTRY"));
}

/// What a command that ends prints must tell of the service.
fn tells(args: &[&str], part: &str) {
    // Only a server on a pipe reads it; to others it could not be written once they have ended.
    let said = |run: Run| if args.contains(&"serve") { run.stdin(HELLO) } else { run };
    either_way(|micro| {
        let output = said(micro(args)).run().unwrap();
        assert!(output.success().contains(part), "{args:?}: {part:?} is missing:\n{}", output.stdout);
    });
    let nowhere = said(command(&Home::new().unwrap(), args)).run().unwrap();
    assert!(!nowhere.stdout.contains(part), "{args:?} finds the service without its registry:\n{}", nowhere.stdout);
}

#[test]
fn services() {
    tells(&["services"], "User accounts.");
}

#[test]
fn describe() {
    tells(&["describe", "users"], "Retrieve a user.");
}

#[test]
fn call() {
    tells(&["call", "users", "Users.Get", r#"{"id":"ada"}"#], "Ada Lovelace");
}

#[test]
fn mcp_list() {
    tells(&["mcp", "list"], "users_Get");
}

#[test]
fn mcp_test() {
    tells(&["mcp", "test", "users_Get"], "Ada Lovelace");
}

#[test]
fn mcp_serve_on_a_pipe() {
    tells(&["mcp", "serve"], "Ada Lovelace");
}

#[test]
fn doctor() {
    tells(&["doctor"], "service users");
}

#[test]
fn mcp_serve_on_http_and_server() {
    for args in [&["mcp", "serve", "--address", "127.0.0.1:0"][..], &["server", "--address", "127.0.0.1:0"]] {
        either_way(|micro| {
            let mut serving = micro(args).start().unwrap();
            let url = serving.wait_for_url(Duration::from_secs(30)).unwrap();
            let answer = called(&url, &json!({"tool": "users.Users.Get", "input": {"id": "ada"}}));
            assert_eq!(answer["result"]["name"], "Ada Lovelace", "{args:?}");
            check_ends_well(&mut serving);
        });
    }
}
