//! The reader's shell: one folder, one environment, ports that are free.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use micro_test::{Home, Process, bins, home::Run, workspace};

use super::page::matches;
use crate::blog::breathe;

/// Time for a command, which may have to build a service from nothing.
const PATIENCE: Duration = Duration::from_secs(900);
/// Time for which a program in the background may say nothing before it has said what it should: builds
/// tell of each crate.
const SILENCE: Duration = Duration::from_secs(120);
/// Time in which a `curl` may find nobody.
const WARM_UP: Duration = Duration::from_secs(30);
/// Time for what runs in the background to end.
const FAREWELL: Duration = Duration::from_secs(30);

/// Where a page's commands run.
pub(super) struct Shell {
    home: Home,
    folder: PathBuf,
    path: String,
    /// Where the packages of a page are built; they share what they are made of.
    target: Option<PathBuf>,
    /// The ports on the page and those in their place.
    ports: [(u16, u16); 2],
    background: Vec<Process>,
}

fn micro() -> Result<PathBuf> {
    Ok(bins::build(&["micro"])?.path("micro").to_owned())
}

/// The folder that the pages' packages are built in. What they are made of is there before any page is
/// followed: cargo lets one build at a time into a folder, and who waits for minutes says nothing.
fn target() -> Result<PathBuf> {
    static TARGET: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = TARGET.get_or_init(|| build_templates().map_err(|error| format!("{error:#}")));
    built.clone().map_err(anyhow::Error::msg)
}

fn build_templates() -> Result<PathBuf> {
    let (home, target) = (Home::new()?, workspace::target_dir()?.join("docs"));
    for template in ["default", "crud", "stream"] {
        home.micro(&["new", template, "--template", template])?.run()?.success();
        let mut cargo = home.command("cargo");
        cargo.args(["build", "--tests", "--bins"]).env("CARGO_TARGET_DIR", &target);
        Run::new("cargo", cargo).dir(&home.path().join(template)).patience(PATIENCE).run()?.success();
    }
    Ok(target)
}

impl Shell {
    pub(super) fn new(page: &str) -> Result<Self> {
        let home = Home::new()?;
        let micro = micro()?;
        let bin = micro.parent().context("a program is in a folder")?;
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        let (folder, target) = match page {
            "README.md" | "docs/guides/least-privilege.md" => (workspace::root()?, None),
            _ => (home.path().join("here"), Some(target()?)),
        };
        fs::create_dir_all(&folder)?;
        // Both are held until both are known, so that they differ.
        let free = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
        let ports = [(8080, free[0].local_addr()?.port()), (3000, free[1].local_addr()?.port())];
        Ok(Self { home, folder, path, target, ports, background: Vec::new() })
    }

    /// Writes a file where the reader is.
    pub(super) fn write(&mut self, file: &str, text: &str) -> Result<()> {
        let here = self.output("pwd")?.1;
        let path = Path::new(here.trim_end()).join(file);
        fs::write(&path, self.with_free_ports(text)).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Runs a command and compares what it prints.
    pub(super) fn run(&mut self, command: &str, expected: &[String]) -> Result<()> {
        if let Some(command) = command.strip_suffix(" &") {
            return self.start(command, expected);
        }
        let may_fail = expected.iter().any(|line| line.starts_with("error: "));
        let end = Instant::now() + if command.starts_with("curl ") { WARM_UP } else { Duration::ZERO };
        loop {
            let (succeeded, printed) = self.output(command)?;
            let lines: Vec<_> = printed.lines().collect();
            if succeeded != may_fail && (expected.is_empty() || matches(expected, &lines)) {
                return Ok(());
            }
            if Instant::now() < end {
                breathe();
                continue;
            }
            let verdict = if succeeded { "succeeded" } else { "failed" };
            bail!("`{command}` {verdict} and printed\n{printed}--- the page says\n{}", expected.join("\n"));
        }
    }

    /// Starts a command that stays and waits until it has printed what is expected.
    fn start(&mut self, command: &str, expected: &[String]) -> Result<()> {
        self.background.push(Process::start("background", self.command(&format!("exec {command}")))?);
        let process = &self.background[self.background.len() - 1];
        loop {
            let mark = process.mark();
            let printed = self.with_usual_ports(&process.stdout());
            let lines: Vec<_> = printed.lines().collect();
            // It may go on to say more.
            if expected.is_empty() || (0..=lines.len()).any(|count| matches(expected, &lines[..count])) {
                return Ok(());
            }
            process
                .find(mark, SILENCE, |_| true)
                .with_context(|| format!("`{command}` printed\n{printed}--- the page says\n{}", expected.join("\n")))?;
        }
    }

    /// Runs a command to its end: whether it succeeded, and what it printed.
    fn output(&self, command: &str) -> Result<(bool, String)> {
        let mut process = Process::start("page", self.command(command))?;
        process.close_stdin();
        let status = process.wait(PATIENCE)?;
        Ok((status.success(), self.with_usual_ports(&process.stdout())))
    }

    /// A command in bash. Folder and exported variables are handed from one to the next in a file.
    fn command(&self, command: &str) -> Command {
        let state = self.home.path().join("state");
        let script = format!(
            "exec 2>&1\n[ ! -f {state} ] || . {state}\n{}\nstatus=$?\n\
             {{ declare -px; printf 'cd -- %q\\n' \"$PWD\"; }} >{state}\nexit $status\n",
            self.with_address(&self.with_free_ports(command)),
            state = state.display(),
        );
        let mut bash = self.home.command("bash");
        bash.args(["--norc", "-c", &script]).env("PATH", &self.path).current_dir(&self.folder);
        // The example of the README listens there unless told otherwise.
        bash.env("HELLO_MCP", format!("127.0.0.1:{}", self.ports[1].1));
        match &self.target {
            Some(target) => bash.env("CARGO_TARGET_DIR", target),
            // In the repository. What the example's gateway keeps is not left there.
            None => bash
                .env("MICRO_GATEWAY_STORE", format!("sqlite:{}", self.home.path().join("micro.db").display()))
                .env("MICRO_GATEWAY_AUDIT_TO", self.home.path().join("audit")),
        };
        bash
    }

    fn with_address(&self, command: &str) -> String {
        let listens = command.contains("micro run") || command.contains("micro server");
        // A configuration names its own.
        if listens && !["--address", "--config", "--help"].iter().any(|flag| command.contains(flag)) {
            format!("{command} --address 127.0.0.1:{}", self.ports[0].1)
        } else {
            command.to_owned()
        }
    }

    fn with_free_ports(&self, text: &str) -> String {
        let replace =
            |text: String, (usual, free): &(u16, u16)| text.replace(&format!(":{usual}"), &format!(":{free}"));
        self.ports.iter().fold(text.to_owned(), replace)
    }

    fn with_usual_ports(&self, text: &str) -> String {
        let replace =
            |text: String, (usual, free): &(u16, u16)| text.replace(&format!(":{free}"), &format!(":{usual}"));
        self.ports.iter().fold(text.to_owned(), replace)
    }

    /// Ends what runs in the background, as Ctrl-C would. It must leave in time; what left by itself must have done well.
    pub(super) fn end(mut self) -> Result<()> {
        for mut process in self.background.drain(..).rev() {
            if process.is_running() {
                process.terminate(FAREWELL)?;
            } else {
                let status = process.wait(FAREWELL)?;
                ensure!(status.success(), "a program in the background has left:\n{}", process.last_lines(20));
            }
        }
        Ok(())
    }
}

/// A page that failed leaves nobody behind: `micro run` has children of its own.
impl Drop for Shell {
    fn drop(&mut self) {
        for mut process in self.background.drain(..) {
            let _ = process.terminate(FAREWELL);
        }
    }
}
