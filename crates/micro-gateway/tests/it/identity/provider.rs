//! A real OpenID provider.

use std::{path::Path, time::Duration};

use micro_test::{Process, Tool};
use serde_json::Value;

/// `oidc-provider` in a process of its own, which ends with this.
pub(crate) struct Provider {
    _process: Process,
    pub(crate) issuer: String,
    client: reqwest::Client,
}

impl Provider {
    pub(crate) fn start() -> Self {
        let mut command = std::process::Command::new(Tool::Node.install().unwrap());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/identity/provider.mjs");
        command.arg(script).arg(Tool::OidcProvider.install().unwrap());
        let process = Process::start("oidc-provider", command).unwrap();
        let line = process.wait_for_line("ready ", Duration::from_secs(60)).unwrap();
        let told: Value = serde_json::from_str(line.trim_start_matches("ready ")).unwrap();
        let issuer = told["issuer"].as_str().unwrap().to_owned();
        Self { _process: process, issuer, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// A fresh access token of its client, for a resource.
    pub(crate) async fn token(&self, resource: &str, scope: &str) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "agent"),
            ("client_secret", "a secret of some length"),
            ("resource", resource),
            ("scope", scope),
        ];
        let answer = self.client.post(format!("{}/token", self.issuer)).form(&form).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned()
    }

    /// From now on it signs with a new key.
    pub(crate) async fn rotate(&self) {
        self.client.post(format!("{}/rotate", self.issuer)).send().await.unwrap().error_for_status().unwrap();
    }

    /// How often its keys were fetched.
    pub(crate) async fn fetched(&self) -> usize {
        let answer = self.client.get(format!("{}/counts", self.issuer)).send().await.unwrap();
        answer.text().await.unwrap().parse().unwrap()
    }
}
