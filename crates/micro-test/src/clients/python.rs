//! The Python SDKs, behind the drivers in `tests/system/clients`.

use std::{collections::VecDeque, time::Duration};

use anyhow::{Context, Error, Result, bail};
use serde_json::{Value, json};

use super::{Client, Refused, Target};
use crate::{
    Process, Tool,
    process::{Mark, Stream},
    workspace,
};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A driver with its server.
#[derive(Debug)]
pub(super) struct Python {
    process: Process,
    heard: Mark,
    last_id: u64,
    server: Value,
    /// Changes that were told while an answer was awaited.
    changes: VecDeque<Value>,
}

impl Python {
    pub(super) fn connect(tool: Tool, client: &Client, target: &Target<'_>) -> Result<Self> {
        let script = if tool == Tool::Mcp1 { "mcp1.py" } else { "mcp2.py" };
        let mut command = tool.command()?;
        command.arg(workspace::root()?.join("tests/system/clients").join(script));
        command.args(["--mode", client.mode.name()]);
        for (name, value) in &client.headers {
            command.arg(format!("--header={name}:{value}"));
        }
        command.args(client.login.iter().flat_map(|login| ["--login", login]));
        match target {
            Target::Url(url) => command.arg(url),
            Target::Command(server) => {
                for (name, value) in server.get_envs() {
                    if let Some(value) = value {
                        command.arg(format!("--env={}={}", name.display(), value.display()));
                    }
                }
                if let Some(dir) = server.get_current_dir() {
                    command.arg("--cwd").arg(dir);
                }
                command.arg("--stdio").arg(server.get_program()).args(server.get_args())
            }
        };
        let process = Process::start(&format!("{}-{}", tool.name(), client.mode.name()), command)?;
        let mut python =
            Self { process, heard: Mark::default(), last_id: 0, server: Value::Null, changes: VecDeque::new() };
        let mut hello = python.next_message(PATIENCE)?;
        if let Some(error) = hello.get("error") {
            return Err(refused(error)).with_context(|| format!("{client} does not get on with the server"));
        }
        python.server = hello["ready"].take();
        Ok(python)
    }

    pub(super) fn server(&self) -> &Value {
        &self.server
    }

    pub(super) fn list_tools(&mut self) -> Result<Vec<Value>> {
        let tools = self.ask(json!({"op": "list_tools"}))?;
        Ok(tools.as_array().context("the driver gave no list")?.clone())
    }

    pub(super) fn call(&mut self, tool: &str, arguments: &Value, progress: bool) -> Result<(Value, Vec<Value>)> {
        let mut answer = self.ask(json!({"op": "call", "name": tool, "arguments": arguments, "progress": progress}))?;
        let steps = answer["progress"].as_array().cloned().unwrap_or_default();
        Ok((answer["result"].take(), steps))
    }

    pub(super) fn watch(&mut self) -> Result<()> {
        self.ask(json!({"op": "watch"})).map(drop)
    }

    pub(super) fn changed(&mut self, patience: Duration) -> Result<()> {
        if self.changes.pop_front().is_some() {
            return Ok(());
        }
        let message = self.next_message(patience)?;
        if message.get("event").is_none() {
            bail!("no change but {message}");
        }
        Ok(())
    }

    /// Sends a request and waits for its answer; what else is said is kept.
    fn ask(&mut self, mut request: Value) -> Result<Value> {
        self.last_id += 1;
        request["id"] = self.last_id.into();
        self.process.write_line(&request.to_string())?;
        loop {
            let mut message = self.next_message(PATIENCE)?;
            if message.get("event").is_some() {
                self.changes.push_back(message);
            } else if let Some(error) = message.get("error") {
                return Err(refused(error));
            } else if message["id"] == self.last_id {
                return Ok(message["ok"].take());
            } else {
                bail!("the driver answered something else: {message}");
            }
        }
    }

    fn next_message(&mut self, patience: Duration) -> Result<Value> {
        let (heard, line) = self.process.find(self.heard, patience, |line| line.stream == Stream::Stdout)?;
        self.heard = heard;
        serde_json::from_str(&line).with_context(|| format!("the driver printed no JSON: {line}"))
    }
}

fn refused(error: &Value) -> Error {
    let message = error["message"].as_str().unwrap_or_default().to_owned();
    Refused { code: error["code"].as_i64(), message, data: error["data"].clone() }.into()
}
