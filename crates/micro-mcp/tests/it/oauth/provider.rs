//! The provider, and a browser with a user who agrees.

use std::{collections::BTreeMap, path::Path, time::Duration};

use micro_test::{Process, Tool};
use reqwest::{
    StatusCode, Url,
    header::{COOKIE, LOCATION, SET_COOKIE},
    redirect,
};
use serde_json::Value;

/// `oidc-provider` in a process of its own, which ends with this.
pub(crate) struct Provider {
    _process: Process,
    pub(crate) issuer: String,
    /// The private key of its client `with-key`, in PEM.
    pub(crate) key: String,
}

impl Provider {
    pub(crate) fn start() -> Self {
        let mut command = std::process::Command::new(Tool::Node.install().unwrap());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/oauth/provider.mjs");
        command.arg(script).arg(Tool::OidcProvider.install().unwrap());
        let process = Process::start("oidc-provider", command).unwrap();
        let line = process.wait_for_line("ready ", Duration::from_secs(60)).unwrap();
        let told: Value = serde_json::from_str(line.trim_start_matches("ready ")).unwrap();
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        Self { _process: process, issuer: text("issuer"), key: text("key") }
    }

    /// How often it has registered a client (`registration`), or granted in this way.
    pub(crate) async fn count(&self, what: &str) -> u64 {
        let counts = reqwest::get(format!("{}/counts", self.issuer)).await.unwrap().text().await.unwrap();
        let counts: Value = serde_json::from_str(&counts).unwrap();
        counts[what].as_u64().unwrap_or_default()
    }
}

/// Goes where the provider sends a user, with its cookies, until there is no further redirect.
pub(crate) async fn browse(mut url: Url) {
    let browser = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let mut cookies = BTreeMap::new();
    for _ in 0..20 {
        let jar: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = browser.get(url.clone()).header(COOKIE, jar.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        let Some(target) = response.headers().get(LOCATION) else {
            assert_eq!(response.status(), StatusCode::OK, "{}", response.text().await.unwrap());
            return;
        };
        url = url.join(target.to_str().unwrap()).unwrap();
    }
    panic!("redirected for ever");
}
