//! `micro auth key`: keys are made, listed, changed and taken back in the gateway's store.

use micro_test::Home;
use serde_json::Value;

use crate::vocabulary::micro;

/// The state of every key, by account.
fn states(home: &Home) -> Vec<(String, String)> {
    let listed = micro(home, &["auth", "key", "list", "--json"]).json();
    let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    let mut states: Vec<_> =
        listed.as_array().unwrap().iter().map(|key| (text(key, "account"), text(key, "state"))).collect();
    states.sort();
    states
}

fn state(account: &str, state: &str) -> (String, String) {
    (account.to_owned(), state.to_owned())
}

#[test]
fn a_key_is_shown_once_and_lives_until_it_is_revoked() {
    let home = Home::new().unwrap();
    std::fs::write(
        home.path().join("micro.toml"),
        "[gateway]\nstore = \"sqlite:micro.db\"\n[gateway.auth]\nmode = \"on\"\n",
    )
    .unwrap();
    let made = micro(&home, &["auth", "key", "create", "assistant", "--scope", "blog:read", "--expires", "90d"]);
    let key = made.success().trim().to_owned();
    assert!(key.starts_with("mk_") && key.len() == 65, "{key}");
    assert!(made.stderr.contains("it is shown this once"), "{}", made.stderr);
    let json = ["auth", "key", "create", "reporter", "--tenant", "acme", "--role", "reader", "--json"];
    let reporter = micro(&home, &json).json();
    assert_eq!((&reporter["tenant"], &reporter["roles"][0]), (&"acme".into(), &"reader".into()));
    assert_eq!(states(&home), [state("assistant", "good"), state("reporter", "good")]);

    let table = micro(&home, &["auth", "key", "list"]);
    assert!(table.success().contains("blog:read") && !table.stdout.contains(&key[16..]), "{}", table.stdout);

    // The key itself names it too.
    assert!(micro(&home, &["auth", "key", "revoke", &key]).stderr.contains("of assistant is revoked"));
    let id = reporter["id"].as_str().unwrap();
    let rotated = micro(&home, &["auth", "key", "rotate", id, "--grace", "1h", "--json"]).json();
    assert_ne!(rotated["key"], reporter["key"]);
    assert_eq!(states(&home), [state("assistant", "revoked"), state("reporter", "ending"), state("reporter", "good")]);
    let raw = std::fs::read(home.path().join("micro.db")).unwrap();
    let secret = &key.as_bytes()[16..59];
    assert!(!raw.windows(secret.len()).any(|window| window == secret), "the store holds the key");
}

#[test]
fn a_path_in_the_file_is_relative_to_it_and_one_in_a_flag_to_the_folder_of_the_command() {
    let home = Home::new().unwrap();
    std::fs::create_dir(home.path().join("deploy")).unwrap();
    let config = "[gateway]\nstore = \"sqlite:file.db\"\npolicies = [\"*.cedar\"]\n";
    std::fs::write(home.path().join("deploy/micro.toml"), config).unwrap();
    std::fs::write(home.path().join("deploy/all.cedar"), "permit(principal, action, resource);").unwrap();
    let file = ["--config", "deploy/micro.toml"];
    micro(&home, &[&["auth", "key", "create", "a"][..], &file].concat()).success();
    micro(&home, &[&["auth", "key", "create", "a", "--store", "sqlite:flag.db"][..], &file].concat()).success();
    micro(&home, &["config", "check", "deploy/micro.toml"]).success();
    micro(&home, &["config", "check", "deploy/micro.toml", "--set", "gateway.policies=deploy/*.cedar"]).success();
    let there = ["deploy/file.db", "flag.db", "file.db", "deploy/flag.db"];
    assert_eq!(there.map(|path| home.path().join(path).exists()), [true, true, false, false]);
}

#[test]
fn what_cannot_be_done_is_said_with_its_reason() {
    let home = Home::new().unwrap();
    for (args, code, told) in [
        (&["auth", "key", "list"][..], 2, "no store that outlives this command is named"),
        (&["auth", "key", "list", "--store", "memory"], 2, "no store that outlives this command is named"),
        (&["auth", "key", "revoke", "nobody", "--store", "sqlite:a.db"], 3, "there is no key `nobody`"),
        (&["auth", "key", "rotate", "nobody", "--store", "sqlite:a.db"], 3, "there is no key `nobody`"),
        (&["auth", "key", "create", "a", "--expires", "soon", "--store", "sqlite:a.db"], 2, "a time is digits"),
        (&["auth", "key", "list", "--store", "sqlite:/dev/null/a.db"], 4, "unavailable"),
    ] {
        let output = micro(&home, args);
        assert_eq!(
            (output.status.code(), output.stderr.contains(told)),
            (Some(code), true),
            "{args:?}: {}",
            output.stderr
        );
    }
    std::fs::write(
        home.path().join("micro.toml"),
        "[gateway]\nstore = \"sqlite:a.db\"\n[gateway.auth.keys]\npepper_env = \"UNSET\"\n",
    )
    .unwrap();
    let output = micro(&home, &["auth", "key", "create", "a"]);
    assert_eq!((output.status.code(), output.stderr.contains("UNSET")), (Some(6), true), "{}", output.stderr);
}
