//! Whether a server keeps what the specification says: a closed table of checks, run against a live server.
//!
//! Nothing here changes anything at the server: it lists, reads, and sends what is wrong on purpose. Tools are
//! called only when they say that they only read, or when the caller allows it.

mod answer;
mod ask;
mod base;
mod features;
mod headers;
mod lists;
mod probe;
mod session;
mod table;
mod tools;
mod versions;

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use micro_mcp::proto::{Era, Revision};
use tokio::time::timeout;

use self::{answer::Answer, probe::Probe};
pub(crate) use self::{probe::Refused, table::CHECKS};
use super::{
    junit::{Case, Verdict},
    target::Target,
};

/// Longest time for one check, in multiples of the time for one answer.
const ANSWERS_PER_CHECK: u32 = 6;

/// How much the specification wants something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Must,
    Should,
}

/// Where a check can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Any,
    Http,
    Pipe,
}

/// One thing that servers must or should do.
pub(crate) struct Check {
    pub(crate) id: &'static str,
    pub(crate) level: Level,
    way: Way,
    /// Section of the specification that says so in 2026-07-28; empty when it does not.
    modern: &'static str,
    /// The same in the legacy revisions.
    legacy: &'static str,
    since: Revision,
    until: Revision,
    /// What a server does that keeps it.
    pub(crate) rule: &'static str,
    run: for<'a> fn(&'a mut Probe) -> BoxFuture<'a, Finding>,
}

/// What a check finds.
type Finding = Result<(), No>;

/// Why a check has not passed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum No {
    /// What was expected and what was seen.
    Fail(String),
    /// The server offers nothing to check this on.
    Skip(String),
}

/// A check and what came of it in one revision.
pub(crate) struct Checked {
    pub(crate) check: &'static Check,
    pub(crate) revision: Revision,
    pub(crate) verdict: Verdict,
    took: Duration,
}

/// What the caller allows and wants.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// Also tools that may change something are called.
    pub(crate) call_tools: bool,
    /// Only checks whose ids begin with one of these; all when empty.
    pub(crate) only: Vec<String>,
}

impl Check {
    /// The section that this is about, in a revision.
    pub(crate) fn section(&self, revision: Revision) -> &'static str {
        match revision.era() {
            Era::Modern => self.modern,
            Era::Legacy => self.legacy,
        }
    }

    fn applies(&self, revision: Revision, http: bool) -> bool {
        let way = match self.way {
            Way::Any => true,
            Way::Http => http,
            Way::Pipe => !http,
        };
        way && (self.since..=self.until).contains(&revision) && !self.section(revision).is_empty()
    }
}

impl Checked {
    /// The page of the specification.
    pub(crate) fn page(&self) -> String {
        let (revision, section) = (self.revision.as_str(), self.check.section(self.revision));
        // The first revision had a page of their own for messages.
        let section = match section.strip_prefix("basic#").filter(|_| self.revision == Revision::V2024_11_05) {
            Some(anchor) => format!("basic/messages#{anchor}"),
            None => section.to_owned(),
        };
        format!("https://modelcontextprotocol.io/specification/{revision}/{section}")
    }

    /// As a test case.
    pub(crate) fn case(&self) -> Case {
        let level = if self.check.level == Level::Must { "MUST" } else { "SHOULD" };
        Case {
            class: format!("{}.{level}", self.revision.as_str()),
            name: format!("{}: {}", self.check.id, self.check.rule),
            verdict: self.verdict.clone(),
            took: self.took,
        }
    }

    /// Whether it counts against the server.
    pub(crate) fn failed(&self) -> bool {
        matches!(self.verdict, Verdict::Fail(_))
    }
}

/// Finds out which revisions the server speaks, newest first. What one of them may do depends on the others.
///
/// # Errors
/// When it cannot be reached, or does not let one in.
pub(crate) async fn spoken(target: &Target) -> Result<Vec<Revision>, Refused> {
    let mut out = Vec::new();
    for revision in Revision::ALL {
        match Probe::open(target, revision).await {
            Ok(_) => out.push(revision),
            Err(Refused::Revision) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(out)
}

/// Runs every check that applies in one revision; tells of each before it is made.
///
/// # Errors
/// When the server cannot be spoken to any more.
pub(crate) async fn validate(
    target: &Target,
    revision: Revision,
    spoken: &[Revision],
    options: &Options,
    mut tell: impl FnMut(&'static Check),
) -> Result<Vec<Checked>, Refused> {
    let mut probe = Probe::open(target, revision).await?.with(spoken, options.call_tools);
    let wanted = |check: &&Check| {
        check.applies(revision, probe.is_http())
            && (options.only.is_empty() || options.only.iter().any(|id| check.id.starts_with(id.as_str())))
    };
    let checks: Vec<_> = CHECKS.iter().filter(wanted).collect();
    let mut out = Vec::new();
    for check in checks {
        tell(check);
        if probe.is_dead() {
            probe = probe.again().await?;
        }
        let began = Instant::now();
        let found = timeout(target.timeout * ANSWERS_PER_CHECK, (check.run)(&mut probe)).await;
        let verdict = match found {
            Ok(Ok(())) => Verdict::Pass,
            Ok(Err(No::Fail(why))) => Verdict::Fail(why),
            Ok(Err(No::Skip(why))) => Verdict::Skip(why),
            Err(_) => Verdict::Fail("there was no end to it".to_owned()),
        };
        out.push(Checked { check, revision, verdict, took: began.elapsed() });
    }
    Ok(out)
}

/// A failed check.
fn fail(why: impl Into<String>) -> No {
    No::Fail(why.into())
}

/// A check that cannot be made.
fn skip(why: impl Into<String>) -> No {
    No::Skip(why.into())
}

/// Fails with what was seen unless it holds.
fn want(holds: bool, why: impl FnOnce() -> String) -> Finding {
    if holds { Ok(()) } else { Err(No::Fail(why())) }
}
