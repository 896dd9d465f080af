//! `micro call`: answers, streams, metadata, and every kind of failure.

use std::{fs, path::Path};

use micro_test::Home;

use crate::{
    users::{Running, check_failure, command},
    vocabulary::micro,
};

#[test]
fn the_answer_is_on_stdout_untouched() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let output = micro(&home, &["call", "users", "Users.Get", r#"{"id":"ada"}"#]);
    assert_eq!(output.success(), "{\"id\":\"ada\",\"name\":\"Ada Lovelace\"}\n");
    assert_eq!(output.stderr, "");
}

#[test]
fn arguments_come_from_stdin_too() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let output = command(&home, &["call", "users", "Users.Rename", "-"]).stdin("{\"id\": \"ada\",\n \"name\": \"A\"}");
    assert_eq!(output.run().unwrap().json()["name"], "A");
}

#[test]
fn a_stream_is_one_line_an_item() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    assert_eq!(micro(&home, &["call", "users", "Users.Count", r#"{"to":3}"#]).success(), "1\n2\n3\n");
}

#[test]
fn a_stream_ends_when_its_reader_has_had_enough() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let mut shell = home.command("sh");
    shell.args(["-c", r#""$0" call users Users.Count '{"to": 4000000000}' | head -n 2"#, env!("CARGO_BIN_EXE_micro")]);
    let output = micro_test::home::Run::new("head", shell).run().unwrap();
    assert_eq!((output.success(), output.stderr.as_str()), ("1\n2\n", ""));
}

#[test]
fn metadata_travels_along() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let output = micro(&home, &["call", "users", "Users.Tenant", "--header", "tenant=acme"]);
    assert_eq!(output.success(), "\"acme\"\n");
    assert_eq!(micro(&home, &["call", "users", "Users.Tenant"]).success(), "null\n");
    assert_eq!(micro(&home, &["call", "users", "Users.Tenant", "--header", "tenant"]).failure(), 2);
}

#[test]
fn each_failure_has_its_kind() {
    let home = Home::new().unwrap();
    let _users = Running::start(&home);
    let check = |args: &[&str], code: i32, said: &[&str]| {
        let output = micro(&home, &[&["call"], args].concat());
        check_failure(&output, code, said);
        assert_eq!(output.stdout, "");
    };
    check(&["usesr", "Users.Get"], 3, &["no service `usesr` is registered", "did you mean `users`?"]);
    check(&["billing", "Bills.Pay"], 3, &["no service `billing`", "there are: users"]);
    check(
        &["users", "Users.Gte"],
        3,
        &["no endpoint `Users.Gte`", "did you mean `Users.Get`?", "micro describe users"],
    );
    check(&["users", "Users.Get", r#"{"id":"bob"}"#], 3, &["no user bob"]);
    check(&["users", "Users.Get", r#"{"id":"root"}"#], 5, &["nobody may see that"]);
    check(&["users", "Users.Get", "{}"], 6, &["missing field `id`"]);
    check(&["users", "Users.Get", "{id: 7}"], 6, &["the arguments are not JSON", "quote them for the shell"]);
    check(&["users", "Users.Wait", "--timeout", "50ms"], 4, &["did not answer within"]);
    check(&["users", "Users.Get", "--timeout", "soon"], 2, &["500ms"]);
}

#[test]
fn a_registry_that_is_down_is_not_a_service_that_is_unknown() {
    let home = Home::new().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let down = format!("file://{}", Path::new(&file).join("registry").display());
    for args in [&["call", "users", "Users.Get"][..], &["services"], &["describe", "users"], &["mcp", "list"]] {
        let output = micro(&home, &[args, &["--registry", &down]].concat());
        check_failure(&output, 4, &["is unavailable", "--registry or MICRO_REGISTRY"]);
    }
    check_failure(&micro(&home, &["call", "users", "Users.Get"]), 3, &["nobody is in the registry", "micro run"]);
}
