//! What the command says of itself.

use micro_test::Home;

use crate::vocabulary::micro;

#[test]
fn the_help_teaches() {
    let home = Home::new().unwrap();
    insta::assert_snapshot!(micro(&home, &["--help"]).success());
}

#[test]
fn every_command_has_examples() {
    let home = Home::new().unwrap();
    let commands = [
        "new",
        "run",
        "server",
        "services",
        "describe",
        "call",
        "mcp",
        "mcp serve",
        "mcp list",
        "mcp test",
        "mcp inspect",
        "mcp validate",
        "mcp record",
        "mcp replay",
        "auth",
        "auth user",
        "doctor",
        "completion",
    ];
    for command in commands {
        let help = micro(&home, &[&command.split(' ').collect::<Vec<_>>()[..], &["--help"]].concat());
        assert!(help.success().contains("Examples:\n  "), "{command}:\n{}", help.stdout);
    }
}

#[test]
fn wrong_usage_leaves_with_2_and_on_stderr() {
    let home = Home::new().unwrap();
    for args in [&["explode"][..], &["new"], &["new", "Bad Name"], &["--registry", "nowhere", "completion", "bash"]] {
        let output = micro(&home, args);
        assert_eq!(output.failure(), 2, "{args:?}");
        assert_eq!(output.stdout, "", "{args:?}");
        assert!(output.stderr.starts_with("error: "), "{}", output.stderr);
    }
}

#[test]
fn the_reference_does_not_depend_on_the_environment() {
    let home = Home::new().unwrap();
    let page = micro(&home, &["help-markdown"]);
    let mut command = home.command(env!("CARGO_BIN_EXE_micro"));
    command.arg("help-markdown").env("COLUMNS", "40").env("MICRO_REGISTRY", "memory");
    let elsewhere = micro_test::home::Run::new("micro", command).run().unwrap();
    assert_eq!(page.success(), elsewhere.success());
    assert!(page.stdout.starts_with("<!-- Made by"), "{}", page.stdout);
}

#[test]
fn completions_know_the_commands() {
    let home = Home::new().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = micro(&home, &["completion", shell]);
        assert!(script.success().contains("registry"), "{shell}");
    }
}
