//! What sources say together, and how mistakes in them are told.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

/// What a program may be told.
#[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Where it is registered.
    registry: Option<String>,
    /// The gateway.
    gateway: Gateway,
    /// What runs.
    services: BTreeMap<String, Service>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Gateway {
    /// The port.
    port: u16,
    /// When.
    mode: Mode,
    /// Names.
    hosts: Vec<String>,
    /// Who may.
    tokens: Vec<Token>,
}

impl Default for Gateway {
    fn default() -> Self {
        Self { port: 80, mode: Mode::Auto, hosts: Vec::new(), tokens: Vec::new() }
    }
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// By itself.
    Auto,
    /// Always.
    On,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Token {
    account: String,
    #[schemars(extend("writeOnly" = true))]
    token: Option<String>,
}

#[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Service {
    path: String,
}

const FILE: &str = r#"
registry = "memory"

[gateway]
port = 8080
hosts = ["a"]

[[gateway.tokens]]
account = "ada"
token = "s3cret"

[services.users]
path = "./users"
"#;

fn load(text: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Loaded<Settings>, Vec<String>> {
    let own = |pair: &(&str, &str)| (pair.0.to_owned(), pair.1.to_owned());
    let mut sources = Sources::new().text("micro.toml", text).environment(variables.iter().map(own));
    for (key, value) in flags {
        sources = sources.flag(*key, *value, "--set");
    }
    sources.load().map_err(|invalid| invalid.0.iter().map(ToString::to_string).collect())
}

#[track_caller]
fn refused(text: &str, variables: &[(&str, &str)], flags: &[(&str, &str)], expect: &[&str]) {
    assert_eq!(load(text, variables, flags).unwrap_err(), expect);
}

#[test]
fn flags_win_over_variables_and_those_over_the_file() {
    let variables = [("MICRO_GATEWAY_PORT", "1"), ("MICRO_GATEWAY_MODE", "on"), ("MICRO_LOG", "debug"), ("HOME", "/")];
    let loaded = load(FILE, &variables, &[("gateway.port", "2"), ("gateway.hosts", "b, c")]).unwrap();
    assert_eq!(loaded.value.gateway.port, 2);
    assert_eq!(loaded.value.gateway.mode, Mode::On);
    assert_eq!(loaded.value.gateway.hosts, ["b", "c"]);
    assert_eq!(loaded.value.registry.as_deref(), Some("memory"));
    assert_eq!(loaded.value.services["users"].path, "./users");
}

#[test]
fn a_key_is_of_the_file_unless_something_else_says_it_too() {
    let loaded = load(FILE, &[("MICRO_GATEWAY_PORT", "1")], &[("gateway.mode", "on")]).unwrap();
    let keys =
        ["registry", "gateway.hosts", "gateway.port", "gateway.mode", "services.users.path", "services.none.path"];
    assert_eq!(keys.map(|key| loaded.is_of_file(key)), [true, true, false, false, true, false]);
}

#[test]
fn without_anything_the_defaults_hold() {
    assert_eq!(load("", &[], &[]).unwrap().value, Settings::default());
}

#[test]
fn every_unknown_key_is_told_with_its_line_and_what_may_be_meant() {
    refused(
        "registery = 'x'\n[gateway]\nports = 1\n[[gateway.tokens]]\naccount = 'a'\nacount = 'b'\n[services.a]\nport = 1\n",
        &[],
        &[],
        &[
            "micro.toml:1:1: there is no key `registery`; did you mean `registry`?",
            "micro.toml:3:1: there is no key `gateway.ports`; did you mean `port`?",
            "micro.toml:6:1: there is no key `gateway.tokens[0].acount`; did you mean `account`?",
            "micro.toml:8:1: there is no key `services.a.port`",
        ],
    );
}

#[test]
fn a_value_that_does_not_fit_is_told_where_it_was_set() {
    refused(
        "[gateway]\nhosts = []\nport = 70000\n",
        &[],
        &[],
        &["micro.toml:3:1: `gateway.port`: invalid value: integer `70000`, expected u16"],
    );
    refused(
        "[gateway]\nport = 1\n",
        &[("MICRO_GATEWAY_PORT", "70000")],
        &[],
        &["MICRO_GATEWAY_PORT: `gateway.port`: invalid value: integer `70000`, expected u16"],
    );
    refused(
        "",
        &[("MICRO_GATEWAY_PORT", "many")],
        &[("gateway.mode", "off")],
        &["MICRO_GATEWAY_PORT: `many` is not a whole number", "--set: `off` is not one of auto, on"],
    );
}

#[test]
fn a_secret_is_said_again_neither_when_it_is_wrong_nor_for_debugging() {
    let place = "micro.toml:4:1: `gateway.tokens[0].token`: this is no value for it";
    refused("[[gateway.tokens]]\naccount = 'a'\n\ntoken = 5550123\n", &[], &[], &[place]);
    for text in ["[{ account = 'a', token = 's3cret' }", "{ account = 'a', token = 's3cret' }"] {
        let told = load("", &[("MICRO_GATEWAY_TOKENS", text)], &[]).unwrap_err();
        assert!(!told.concat().contains("s3cret"), "{told:?}");
    }
    let sources = Sources::new().text("micro.toml", FILE).environment([("MICRO_X".into(), "s3cret".into())]);
    assert!(!format!("{sources:?}").contains("s3cret"));
    let loaded = format!("{:?}", load(FILE, &[], &[]).unwrap());
    assert!(loaded.contains("ada") && !loaded.contains("s3cret"), "{loaded}");
}

#[test]
fn a_variable_or_flag_that_stands_for_no_key_is_refused() {
    refused(
        "",
        &[("MICRO_GATEWAY_MODES", "on")],
        &[("gateway.pport", "1")],
        &[
            "MICRO_GATEWAY_MODES: it stands for no key; did you mean `MICRO_GATEWAY_MODE`?",
            "--set: there is no key `gateway.pport`; did you mean `port`?",
        ],
    );
}

#[test]
fn a_text_that_is_no_toml_is_told_with_its_line() {
    let problems = load("a = 1\nb = = 2\n", &[], &[]).unwrap_err();
    assert!(problems[0].starts_with("micro.toml:2:"), "{problems:?}");
}

#[test]
fn a_change_is_told_by_key_and_without_secrets() {
    let old = load(FILE, &[], &[]).unwrap();
    let new = FILE.replace("8080", "9090").replace("s3cret", "0ther").replace("[services.users]", "[services.posts]");
    let new = load(&new, &[("MICRO_GATEWAY_MODE", "on")], &[]).unwrap();
    let changes: Vec<String> = old.changes(&new).iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            r#"gateway.mode: unset -> "on""#,
            "gateway.port: 8080 -> 9090",
            r#"gateway.tokens: [{ account = "ada", token = "…" }] -> [{ account = "ada", token = "…" }]"#,
            r#"services.posts.path: unset -> "./users""#,
            r#"services.users.path: "./users" -> unset"#,
        ]
    );
    assert!(!new.shown().contains("0ther"), "{}", new.shown());
    assert_eq!(old.changes(&old), []);
}

#[test]
fn the_reference_names_every_key_its_default_and_its_variable() {
    let page = reference::<Settings>();
    for part in [
        "### `gateway.port`\n\nThe port.\n\n- a whole number\n- default: `80`\n- variable: `MICRO_GATEWAY_PORT`\n",
        "- one of `auto`, `on`\n",
        "## `[[gateway.tokens]]`\n\nWho may.\n",
        "## `[services.NAME]`\n\nWhat runs.\n",
    ] {
        assert!(page.contains(part), "{part}\n---\n{page}");
    }
}

#[tokio::test]
async fn a_file_that_is_written_or_replaced_is_heard_of() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("micro.toml");
    let mut watch = Watch::files([file.clone(), folder.path().join("*.cedar")]);
    let patience = std::time::Duration::from_secs(10);
    fs::write(&file, "a = 1").unwrap();
    tokio::time::timeout(patience, watch.changed()).await.unwrap();
    fs::write(folder.path().join("new"), "a = 2").unwrap();
    fs::rename(folder.path().join("new"), &file).unwrap();
    tokio::time::timeout(patience, watch.changed()).await.unwrap();
    fs::write(folder.path().join("any.cedar"), "").unwrap();
    tokio::time::timeout(patience, watch.changed()).await.unwrap();
}

#[test]
fn a_text_is_one_value_and_is_told_on_one_line() {
    for (key, text) in
        [("gateway.hosts", "['a']\nport = 1"), ("gateway.mode", "on\n\u{1b}[2J"), ("gateway.port", "1\u{7}")]
    {
        let problems = load("", &[], &[(key, text)]).unwrap_err();
        assert!(problems.len() == 1 && !problems[0].chars().any(char::is_control), "{problems:?}");
    }
    let problems = load("[gateway]\n\"a\\nb\" = 1", &[], &[]).unwrap_err();
    assert!(problems[0].contains(r"there is no key `gateway.a\nb`"), "{problems:?}");
}
