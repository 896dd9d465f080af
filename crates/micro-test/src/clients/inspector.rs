//! The MCP Inspector in its command-line form: one process, one connection, one request.

use std::{ffi::OsString, time::Duration};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Client, Refused, Target};
use crate::{Process, Tool};

/// How long one request may take; tools that ask for input make it wait for ever.
const PATIENCE: Duration = Duration::from_secs(60);
/// Its exit code for a result with `isError` (and for a tool it does not find in the list).
const TOOL_FAILED: i32 = 5;

#[derive(Debug)]
pub(super) struct Inspector {
    /// Everything up to `--method`.
    args: Vec<OsString>,
    /// The command of the server, behind everything else.
    server: Vec<OsString>,
}

impl Inspector {
    pub(super) fn connect(client: &Client, target: &Target<'_>) -> Result<Self> {
        let mut args: Vec<OsString> = vec!["--cli".into()];
        let mut server = Vec::new();
        match target {
            Target::Url(url) => {
                args.extend(["--server-url", url, "--transport", "http"].map(Into::into));
                for (name, value) in &client.headers {
                    args.extend(["--header".into(), format!("{name}: {value}").into()]);
                }
            }
            Target::Command(command) => {
                for (name, value) in command.get_envs() {
                    if let Some(value) = value {
                        args.extend(["-e".into(), format!("{}={}", name.display(), value.display()).into()]);
                    }
                }
                if let Some(dir) = command.get_current_dir() {
                    args.extend(["--cwd".into(), dir.into()]);
                }
                server.extend([command.get_program().to_owned()]);
                server.extend(command.get_args().map(ToOwned::to_owned));
            }
        }
        args.extend(["--protocol-era", client.mode.name(), "--format", "json", "-q"].map(Into::into));
        Ok(Self { args, server })
    }

    pub(super) fn list_tools(&self) -> Result<Vec<Value>> {
        let mut result = self.run(&["--method", "tools/list"])?;
        serde_json::from_value(result["tools"].take()).context("the Inspector gave no list")
    }

    pub(super) fn call(&self, tool: &str, arguments: &Value) -> Result<Value> {
        self.run(&["--method", "tools/call", "--tool-name", tool, "--tool-args-json", &arguments.to_string()])
    }

    fn run(&self, request: &[&str]) -> Result<Value> {
        let mut command = Tool::Inspector.command()?;
        command.args(&self.args).args(request);
        if !self.server.is_empty() {
            command.arg("--").args(&self.server);
        }
        // Its catalog of servers belongs to a person's home.
        let home = tempfile::tempdir().context("cannot make a temporary home")?;
        command.env("HOME", home.path());
        let mut process = Process::start("inspector", command)?;
        process.close_stdin();
        let status = process.wait(PATIENCE)?;
        let out = process.stdout();
        let result = serde_json::from_str::<Value>(&out).ok().map(|mut answer| match answer.get_mut("result") {
            Some(result) => result.take(),
            None => answer,
        });
        match (status.code(), result) {
            (Some(0 | TOOL_FAILED), Some(result)) => Ok(result),
            _ => {
                let said = process.stderr();
                let envelope: Value = serde_json::from_str(said.trim()).unwrap_or_default();
                let error = &envelope["error"];
                let message = error["message"].as_str().map_or(said.trim(), |message| message).to_owned();
                Err(Refused { code: error["code"].as_i64(), message, data: error["data"].clone() }.into())
            }
        }
    }
}
