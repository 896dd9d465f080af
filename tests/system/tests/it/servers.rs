//! Servers that `micro mcp inspect`, `validate`, `record` and `replay` are tried on; most are not ours.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::Result;
use micro_test::{Home, Process, Tool, bins, workspace};

/// Time for a server to start: Python loads for a while.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server over HTTP, in a home of its own.
pub(crate) struct Served {
    /// Its endpoint.
    pub(crate) url: String,
    _process: Process,
    _home: Home,
}

/// A file beside these tests.
pub(crate) fn script(name: &str) -> Result<PathBuf> {
    Ok(workspace::root()?.join("tests/system/servers").join(name))
}

/// The notes server in one of the Python SDKs, as words of a command.
pub(crate) fn notes(sdk: Tool, args: &[&str]) -> Result<Vec<String>> {
    let mut words = vec![sdk.install()?.display().to_string(), script("notes.py")?.display().to_string()];
    words.extend(args.iter().map(ToString::to_string));
    Ok(words)
}

/// Our everything-server, as words of a command.
pub(crate) fn everything(args: &[&str]) -> Result<Vec<String>> {
    let mut words = vec![bins::build(&["everything-server"])?.path("everything-server").display().to_string()];
    words.extend(args.iter().map(ToString::to_string));
    Ok(words)
}

/// Starts a server that says on which address it listens.
pub(crate) fn serve(words: &[String]) -> Result<Served> {
    let home = Home::new()?;
    let mut command: Command = home.command(&words[0]);
    command.args(&words[1..]).env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
    let process = Process::start("server", command)?;
    let url = process.wait_for_url(PATIENCE)?;
    let url = if url.ends_with("/mcp") { url } else { format!("{}/mcp", url.trim_end_matches('/')) };
    Ok(Served { url, _process: process, _home: home })
}
