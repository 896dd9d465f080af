//! The suite against an authorization server: it stands for the client, somebody else for the user.

use std::{fs, net::TcpListener, path::Path, time::Duration};

use anyhow::{Context, Result};

use super::{Case, Outcome, Side, Verdict, judge};
use crate::{Process, Tool};

/// What stands for a revision: the scenarios are of no one.
pub const EVERY: &str = "every";

/// The scenarios, in the order in which each needs the one before.
const SCENARIOS: [&str; 2] = ["authorization-server-metadata-endpoint", "authorization-code-grant"];

/// How long the suite may take, from beginning to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Both cases.
pub(super) fn cases() -> impl Iterator<Item = Case> {
    SCENARIOS.into_iter().map(|scenario| Case { side: Side::Authorization, version: EVERY, scenario })
}

/// Runs all scenarios against the server of this name. The client of this id must be public and may be sent to
/// `/callback` at any port of 127.0.0.1. `consent` is the user's browser: it is given the URL to open, and must end
/// where that leads.
///
/// # Errors
/// When the suite cannot be installed or started, or the consent fails. What fails in a case is in its outcome.
pub fn authorization(
    issuer: &str,
    client: &str,
    resource: &str,
    consent: impl FnOnce(&str) -> Result<()>,
) -> Result<Vec<Outcome>> {
    let results = tempfile::tempdir().context("cannot make a temporary folder")?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = Tool::Conformance.command()?;
    command.args(["authorization", "--url", issuer, "--client-id", client, "--resource", resource]);
    command.args(["--port", &port.to_string(), "-o"]).arg(results.path());
    let mut suite = Process::start("conformance-authorization", command)?;
    let begins = format!("{issuer}/");
    let mark = suite.mark();
    let asked =
        suite.find(mark, PATIENCE, |line| line.text.starts_with(&begins) && line.text.contains("code_challenge="));
    // Without a URL the metadata scenario has failed, and says why.
    let consented = asked.and_then(|(_, url)| consent(url.trim()));
    let ended = suite.wait(PATIENCE);
    let mut outcomes = Vec::new();
    for case in cases() {
        let verdict = match (find(results.path(), case.scenario), &consented, &ended) {
            (Some(checks), ..) => judge(&checks)?,
            (None, Err(why), _) | (None, Ok(()), Err(why)) => Verdict::Failed(vec![format!("{why:#}")]),
            (None, Ok(()), Ok(_)) => Verdict::Failed(vec![format!("no result:\n{}", suite.last_lines(12))]),
        };
        outcomes.push(Outcome { case, verdict });
    }
    Ok(outcomes)
}

fn find(results: &Path, scenario: &str) -> Option<Vec<u8>> {
    let named = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().contains(scenario);
    let folder = fs::read_dir(results).ok()?.filter_map(Result::ok).find(named)?;
    fs::read(folder.path().join("checks.json")).ok()
}
