//! A home of its own for each test: nothing of the person who runs it gets in, nothing gets out.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Process, bins};

/// A temporary home folder with an empty registry in it. Removed when dropped.
#[derive(Debug)]
pub struct Home {
    dir: TempDir,
}

/// A command about to run in a [`Home`].
#[derive(Debug)]
#[must_use]
pub struct Run {
    name: String,
    command: Command,
    stdin: Option<String>,
    patience: Duration,
}

/// What a command did.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its data.
    pub stdout: String,
    /// What it said to people.
    pub stderr: String,
}

impl Home {
    /// An empty home.
    ///
    /// # Errors
    /// When no temporary folder can be made.
    pub fn new() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("micro-home-").tempdir().context("cannot make a temporary home")?;
        std::fs::create_dir(dir.path().join("registry"))?;
        Ok(Self { dir })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The folder of its file registry.
    pub fn registry_dir(&self) -> PathBuf {
        self.path().join("registry")
    }

    /// Its registry, as `MICRO_REGISTRY` and `--registry` take it.
    pub fn registry(&self) -> String {
        format!("file://{}", self.registry_dir().display())
    }

    /// A program in this home: a clean environment, plain output of a fixed width, the home's registry.
    /// Only the Rust toolchain is still the caller's, since it is no part of anyone's home.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.path())
            .env("TMPDIR", env::temp_dir())
            .env("MICRO_REGISTRY", self.registry())
            .env("COLUMNS", "100")
            .env("LANG", "C.UTF-8")
            .env("NO_COLOR", "1")
            .env("TERM", "dumb")
            .env("TZ", "UTC")
            .current_dir(self.path());
        for kept in
            ["PATH", "CARGO", "CARGO_BUILD_JOBS", "CARGO_HOME", "CARGO_TARGET_DIR", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"]
        {
            if let Some(value) = env::var_os(kept) {
                command.env(kept, value);
            }
        }
        // Cargo and rustup look below HOME unless told otherwise.
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            if let (None, Some(home)) = (env::var_os(name), env::home_dir()) {
                command.env(name, home.join(folder));
            }
        }
        command
    }

    /// The `micro` command with these arguments.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn micro(&self, args: &[&str]) -> Result<Run> {
        let mut command = self.command(bins::build(&["micro"])?.path("micro"));
        command.args(args);
        Ok(Run::new("micro", command))
    }
}

impl Run {
    /// A command to run, with a minute to do it.
    pub fn new(name: &str, command: Command) -> Self {
        Self { name: name.to_owned(), command, stdin: None, patience: Duration::from_secs(60) }
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Removes a variable of its environment.
    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Runs it in this folder.
    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Gives it this input; else it gets none.
    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    /// How long it may take.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it cannot be started or takes too long. A failure of the command itself is in the output.
    pub fn run(self) -> Result<Output> {
        let mut process = Process::start(&self.name, self.command)?;
        if let Some(text) = &self.stdin {
            process.write_line(text)?;
        }
        process.close_stdin();
        let status = process.wait(self.patience)?;
        Ok(Output { status, stdout: process.stdout(), stderr: process.stderr() })
    }

    /// Starts it and lets it run.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(self) -> Result<Process> {
        let mut process = Process::start(&self.name, self.command)?;
        if let Some(text) = &self.stdin {
            process.write_line(text)?;
        }
        Ok(process)
    }
}

impl Output {
    /// The data it printed, when it succeeded.
    ///
    /// # Panics
    /// When it failed: the test that expected otherwise shows both streams.
    #[track_caller]
    pub fn success(&self) -> &str {
        assert!(self.status.success(), "{}\n--- stdout\n{}--- stderr\n{}", self.status, self.stdout, self.stderr);
        &self.stdout
    }

    /// The exit code, when it failed.
    ///
    /// # Panics
    /// When it succeeded or was ended by a signal.
    #[track_caller]
    pub fn failure(&self) -> i32 {
        match self.status.code() {
            Some(code) if code != 0 => code,
            _ => panic!("{}\n--- stdout\n{}--- stderr\n{}", self.status, self.stdout, self.stderr),
        }
    }

    /// The JSON it printed, when it succeeded.
    ///
    /// # Panics
    /// When it failed or printed something else.
    #[track_caller]
    pub fn json(&self) -> Value {
        let text = self.success();
        serde_json::from_str(text).unwrap_or_else(|error| panic!("no JSON ({error}):\n{text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(home: &Home, script: &str) -> Run {
        let mut command = home.command("sh");
        command.args(["-c", script]);
        Run::new("shell", command)
    }

    #[test]
    fn nothing_of_the_caller_gets_in() {
        let home = Home::new().unwrap();
        let env = shell(&home, "env").run().unwrap();
        let names: Vec<_> =
            env.success().lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
        assert!(!names.contains(&"CARGO_PKG_NAME"), "{names:?}");
        let here = home.path().to_str().unwrap();
        let seen = shell(&home, "echo $HOME $MICRO_REGISTRY; pwd").run().unwrap();
        assert_eq!(seen.success(), format!("{here} file://{here}/registry\n{here}\n"));
    }

    #[test]
    fn input_reaches_the_command_and_failures_are_told() {
        let home = Home::new().unwrap();
        assert_eq!(shell(&home, "cat").stdin("[1]").run().unwrap().json()[0], 1);
        let failed = shell(&home, "cat; echo sorry >&2; exit 4").run().unwrap();
        assert_eq!((failed.failure(), failed.stdout.as_str(), failed.stderr.as_str()), (4, "", "sorry\n"));
    }

    #[test]
    fn a_command_that_hangs_is_an_error() {
        let home = Home::new().unwrap();
        let error = shell(&home, "echo stuck; sleep 600").patience(Duration::from_millis(200)).run().unwrap_err();
        assert!(error.to_string().contains("still running"), "{error:#}");
    }
}
