//! The gateway's own authorization server under the suite.

use std::{fs, time::Duration};

use anyhow::{Context, Result, bail};
use micro_test::{
    Home,
    browser::{self, Page},
    conformance::{self, Case, Verdict},
    http,
};
use serde_json::json;

/// Runs the scenarios; those that are not wanted are run too, for they build on each other, and not told.
pub(super) fn run(wanted: &[Case]) -> Result<()> {
    const PASSWORD: &str = "correct horse battery";
    let home = Home::new()?;
    let config = "[gateway]\naddress = \"127.0.0.1:0\"\nstore = \"sqlite:micro.db\"\nauth.mode = \"embedded\"\n";
    fs::write(home.path().join("micro.toml"), config)?;
    home.micro(&["auth", "user", "add", "alice", "--scope", "notes:read"])?.stdin(PASSWORD).run()?.success();
    let server = home.micro(&["server", "--config", "micro.toml"])?.start()?;
    let url = server.wait_for_url(Duration::from_secs(20))?;
    let issuer = url.trim_end_matches('/');
    let client = json!({
        "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    });
    let registered = http::post_json(&format!("{issuer}/oauth/register"), &[], &client)?.json()?;
    let client = registered["client_id"].as_str().context("the client is registered")?;
    let consent = |url: &str| {
        let answer = Page::open(url)?.send(&[("account", "alice"), ("password", PASSWORD)], ("answer", "allow"))?;
        http::get(&browser::redirect(&answer)?).map(drop)
    };
    let outcomes = conformance::authorization(issuer, client, &format!("{issuer}/mcp"), consent)?;
    let outcomes: Vec<_> = outcomes.into_iter().filter(|outcome| wanted.contains(&outcome.case)).collect();
    let mut failed = 0;
    for outcome in &outcomes {
        println!("{outcome}");
        failed += usize::from(!matches!(outcome.verdict, Verdict::Passed { .. }));
    }
    println!("{} of {} scenarios of the authorization server passed", outcomes.len() - failed, outcomes.len());
    if failed > 0 {
        bail!("{failed} scenarios failed");
    }
    Ok(())
}
