//! The official conformance suite against a server and a client of ours, judged more strictly than it judges itself.
//!
//! A scenario passes when its result exists, nothing in it is a failure or a warning, and at least one
//! check other than the schema check of every message succeeded: a server that does not answer at all
//! passes many scenarios in the suite's own count, and none in this one. A client must also end well.

mod authorization;
mod judge;
mod schemas;
mod table;

use std::{fmt, fs, path::Path, time::Duration};

use anyhow::{Context, Result, bail};

pub use self::{
    authorization::{EVERY, authorization},
    judge::{Verdict, judge},
    schemas::schemas,
    table::required,
};
use crate::{Process, Tool, http::Connection};

/// What stands for a revision where a scenario is of an extension.
pub const EXTENSIONS: &str = "extensions";

/// What one scenario may take, in milliseconds, as the suite counts it.
const TIMEOUT_MS: u64 = 30_000;

/// Which side of the protocol is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The suite is the client.
    Server,
    /// The suite is the server, and starts the client.
    Client,
    /// The suite is a client of an authorization server.
    Authorization,
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Subjects<'a> {
    /// The server's URL, which must be on loopback.
    pub server: &'a str,
    /// The client's command, to which the suite adds the URL.
    pub client: &'a str,
}

/// A scenario at a revision of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Of the server or the client.
    pub side: Side,
    /// The revision, such as `2025-11-25`, or [`EXTENSIONS`].
    pub version: &'static str,
    /// The suite's name of the scenario.
    pub scenario: &'static str,
}

/// What became of a case.
#[derive(Debug)]
pub struct Outcome {
    /// Which.
    pub case: Case,
    /// How it ended.
    pub verdict: Verdict,
}

/// Runs cases one after the other, and tells of each as it is done.
///
/// # Errors
/// When the suite cannot be installed or started, or nobody answers at the server's URL. What fails in a
/// case is in its outcome.
pub fn run(subjects: Subjects<'_>, cases: &[Case], mut done: impl FnMut(&Outcome)) -> Result<Vec<Outcome>> {
    if cases.iter().any(|case| case.side == Side::Server) {
        // Not a request: a GET may open a stream that never ends.
        Connection::to(subjects.server)?;
    }
    cases
        .iter()
        .map(|case| {
            let outcome = run_case(subjects, case)?;
            done(&outcome);
            Ok(outcome)
        })
        .collect()
}

fn run_case(subjects: Subjects<'_>, case: &Case) -> Result<Outcome> {
    let results = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut command = Tool::Conformance.command()?;
    match case.side {
        Side::Server => command.args(["server", "--url", subjects.server]),
        // What the suite counts as an extension, or not required, is looked at too.
        Side::Client => command.args(["client", "--force", "--command", subjects.client]),
        Side::Authorization => bail!("an authorization server is looked at with `authorization`"),
    };
    command.args(["--scenario", case.scenario, "--timeout", &TIMEOUT_MS.to_string(), "-o"]).arg(results.path());
    if case.version != EXTENSIONS {
        command.args(["--spec-version", case.version]);
    }
    let name = case.scenario.replace('/', "-");
    let mut suite = Process::start(&format!("conformance-{}-{name}", case.version), command)?;
    let ended = suite.wait(Duration::from_millis(TIMEOUT_MS) + Duration::from_secs(30));
    let checks = checks(results.path(), case)?;
    let verdict = match (checks, ended) {
        (Some(checks), Ok(status)) => match judge(&checks)? {
            // Of a server it follows the suite's own, laxer count; of a client it is the client's own.
            Verdict::Passed { .. } if case.side == Side::Client && !status.success() => {
                Verdict::Failed(vec![format!("the client ended with an error:\n{}", suite.last_lines(12))])
            }
            verdict => verdict,
        },
        (_, Err(late)) => Verdict::Failed(vec![format!("{late:#}")]),
        (None, Ok(_)) => Verdict::Failed(vec![format!("no result:\n{}", suite.last_lines(12))]),
    };
    Ok(Outcome { case: case.clone(), verdict })
}

/// What the suite wrote: `server-SCENARIO-TIME/checks.json`, without the prefix for clients, in folders
/// for a scenario with slashes.
fn checks(results: &Path, case: &Case) -> Result<Option<Vec<u8>>> {
    let prefix = if case.side == Side::Server { "server-" } else { "" };
    let stem = results.join(format!("{prefix}{}-", case.scenario));
    let (Some(folder), Some(stem)) = (stem.parent(), stem.file_name().and_then(|name| name.to_str())) else {
        return Ok(None);
    };
    let Ok(entries) = fs::read_dir(folder) else { return Ok(None) };
    let found =
        entries.filter_map(Result::ok).find(|entry| entry.file_name().to_str().is_some_and(|n| n.starts_with(stem)));
    Ok(found.and_then(|entry| fs::read(entry.path().join("checks.json")).ok()))
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case { side, version, scenario } = &self.case;
        let side = match side {
            Side::Server => "server",
            Side::Client => "client",
            Side::Authorization => "authorization",
        };
        match &self.verdict {
            Verdict::Passed { checks } => write!(f, "pass {side} {version} {scenario} ({checks} checks)"),
            Verdict::NotExercised => write!(f, "FAIL {side} {version} {scenario}: no check was exercised"),
            Verdict::Failed(reasons) => {
                write!(f, "FAIL {side} {version} {scenario}\n       {}", reasons.join("\n       "))
            }
        }
    }
}
