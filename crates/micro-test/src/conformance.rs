//! The official conformance suite against a server of ours, judged more strictly than it judges itself.
//!
//! A scenario passes when its result exists, nothing in it is a failure or a warning, and at least one
//! check other than the schema check of every message succeeded: a server that does not answer at all
//! passes many scenarios in the suite's own count, and none in this one.

mod judge;
mod schemas;
mod table;

use std::{fmt, fs, time::Duration};

use anyhow::{Context, Result};

pub use self::{
    judge::{Verdict, judge},
    schemas::schemas,
    table::required,
};
use crate::{Process, Tool, http::Connection};

/// What stands for a revision where a scenario is of an extension.
pub const EXTENSIONS: &str = "extensions";

/// What one scenario may take, in milliseconds, as the suite counts it.
const TIMEOUT_MS: u64 = 30_000;

/// A scenario at a revision of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
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

/// Runs cases one after the other against a server's URL, which must be on loopback, and tells of each
/// as it is done.
///
/// # Errors
/// When the suite cannot be installed or started, or nobody answers at the URL. What fails in a case is
/// in its outcome.
pub fn run(url: &str, cases: &[Case], mut done: impl FnMut(&Outcome)) -> Result<Vec<Outcome>> {
    // Not a request: a GET may open a stream that never ends.
    Connection::to(url)?;
    cases
        .iter()
        .map(|case| {
            let outcome = run_case(url, case)?;
            done(&outcome);
            Ok(outcome)
        })
        .collect()
}

fn run_case(url: &str, case: &Case) -> Result<Outcome> {
    let results = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut command = Tool::Conformance.command()?;
    command
        .args(["server", "--url", url, "--scenario", case.scenario])
        .args(["--timeout", &TIMEOUT_MS.to_string(), "-o"])
        .arg(results.path());
    if case.version != EXTENSIONS {
        command.args(["--spec-version", case.version]);
    }
    let mut suite = Process::start(&format!("conformance-{}-{}", case.version, case.scenario), command)?;
    // Its exit status follows its own, laxer count.
    let ended = suite.wait(Duration::from_millis(TIMEOUT_MS) + Duration::from_secs(30));

    let folder = fs::read_dir(results.path())?.filter_map(Result::ok).find(|entry| {
        entry.file_name().to_str().is_some_and(|name| name.starts_with(&format!("server-{}-", case.scenario)))
    });
    let checks = folder.and_then(|entry| fs::read(entry.path().join("checks.json")).ok());
    let verdict = match (checks, ended) {
        (Some(checks), Ok(_)) => judge(&checks)?,
        (_, Err(late)) => Verdict::Failed(vec![format!("{late:#}")]),
        (None, Ok(_)) => Verdict::Failed(vec![format!("no result:\n{}", suite.last_lines(12))]),
    };
    Ok(Outcome { case: case.clone(), verdict })
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case { version, scenario } = &self.case;
        match &self.verdict {
            Verdict::Passed { checks } => write!(f, "pass {version} {scenario} ({checks} checks)"),
            Verdict::NotExercised => write!(f, "FAIL {version} {scenario}: no check was exercised"),
            Verdict::Failed(reasons) => write!(f, "FAIL {version} {scenario}\n       {}", reasons.join("\n       ")),
        }
    }
}
