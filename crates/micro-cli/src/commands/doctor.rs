//! `micro doctor`: looks for what is wrong, and says what to do.

mod fleet;
mod http;
mod machine;

use owo_colors::OwoColorize;
use serde::Serialize;

use crate::{cx::Cx, error::CommandError, ui::Ui, words};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro doctor
  micro doctor --registry file:///run/micro
  micro doctor --json | jq '.checks[] | select(.state != \"ok\")'

✓ fine   ! may be wrong   ✗ broken. The exit code is 1 when something is broken.";

/// Look for what is wrong on this machine, in the registry and with the services, and say what to do
///
/// A record of no service is put into the registry for an instant, to see that writing works.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What one check found.
#[derive(Debug, Serialize)]
struct Check {
    name: String,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warning,
    Broken,
}

/// Where findings go: each is told as soon as it is made.
struct Report<'a> {
    ui: &'a mut Ui,
    json: bool,
    checks: Vec<Check>,
}

pub(crate) async fn run(ui: &mut Ui, cx: &Cx, args: Args) -> Result<(), CommandError> {
    let mut report = Report { ui, json: args.json, checks: Vec::new() };
    report.add(machine::toolchain().await);
    report.add(machine::descriptors());
    for (port, what) in [(8080, "the gateway"), (3000, "MCP")] {
        report.add(machine::port(port, what).await);
    }
    fleet::examine(cx, &mut report).await;
    report.finish()
}

impl Report<'_> {
    fn add(&mut self, check: Check) {
        if !self.json {
            let mark = match check.state {
                State::Ok => "✓".green().to_string(),
                State::Warning => "!".yellow().bold().to_string(),
                State::Broken => "✗".red().bold().to_string(),
            };
            self.ui.data(format_args!("{mark} {}: {}", check.name.bold(), check.found));
            if let Some(advice) = &check.advice {
                self.ui.data(format_args!("  → {advice}"));
            }
        }
        self.checks.push(check);
    }

    fn finish(self) -> Result<(), CommandError> {
        let number = |state: State| self.checks.iter().filter(|check| check.state == state).count();
        let (broken, warnings) = (number(State::Broken), number(State::Warning));
        if self.json {
            self.ui.json(&serde_json::json!({ "checks": self.checks, "warnings": warnings, "broken": broken }));
        }
        if broken > 0 {
            return Err(CommandError::internal(format!("{} found something broken", words::count(broken, "check"))));
        }
        if warnings == 0 && !self.json {
            self.ui.note("nothing is wrong");
        }
        Ok(())
    }
}

impl Check {
    fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Ok, found: found.into(), advice: None }
    }

    fn warning(name: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Warning, advice: Some(advice.into()), ..Self::ok(name, found) }
    }

    fn broken(name: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Broken, advice: Some(advice.into()), ..Self::ok(name, found) }
    }
}
