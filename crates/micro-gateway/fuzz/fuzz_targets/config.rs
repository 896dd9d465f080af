//! Settings never panic, whatever a file and variables say. They are taken, or refused with a place and a reason on one
//! line; what is shown of them is TOML without any secret.
//!
//! A line with `---` alone ends the file; `NAME=value` lines, which are variables, may follow.
//! `cargo xtask fuzz config`; the corpus is also a plain test.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_gateway::Config;
use micro_runtime::config::Sources;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    gateway: Config,
}

fuzz_target!(|text: &str| {
    let (file, variables) = text.split_once("\n---\n").unwrap_or((text, ""));
    let variables = variables.lines().filter_map(|line| line.split_once('='));
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    match Sources::new().text("fuzz.toml", file).environment(variables).load::<Settings>() {
        Err(invalid) => {
            let said = |reason: &str| !reason.is_empty() && !reason.contains('\n');
            assert!(!invalid.0.is_empty() && invalid.0.iter().all(|problem| said(&problem.reason)), "{invalid:?}");
        }
        Ok(loaded) => {
            assert!(loaded.changes(&loaded).is_empty());
            let shown = loaded.shown() + &format!("{:?}", loaded.value);
            let mut config = loaded.value.gateway;
            for secret in config.auth.tokens.iter().filter_map(|entry| entry.token.as_ref()) {
                // What stands elsewhere too is no secret.
                assert!(text.matches(secret.reveal()).count() != 1 || !shown.contains(secret.reveal()));
            }
            // What follows would read files.
            config.policies.clear();
            config.auth.issuers.iter_mut().for_each(|issuer| issuer.jwks_file = None);
            let _ = config.check();
        }
    }
});
