//! Real MCP clients: the official Python SDKs and the Inspector, each driven from a test.
//!
//! ```no_run
//! # use micro_test::{Client, Mode};
//! # use serde_json::json;
//! let mut agent = Client::mcp2(Mode::Auto).bearer("secret").http("http://127.0.0.1:3000/mcp")?;
//! let tools = agent.list_tools()?;
//! let ada = agent.call("users_Get", json!({"id": "ada"}))?;
//! # anyhow::Ok(())
//! ```

mod inspector;
mod python;

use std::{fmt, process::Command, time::Duration};

use anyhow::Result;
use serde_json::Value;

use self::{inspector::Inspector, python::Python};
use crate::Tool;

/// How a client finds out what the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `initialize`, as every revision up to 2025-11-25.
    Legacy,
    /// Asks with `server/discover` and falls back to `initialize`.
    Auto,
    /// 2026-07-28 without asking.
    Modern,
}

/// A client before it has a server.
#[derive(Debug, Clone)]
#[must_use]
pub struct Client {
    kind: Kind,
    mode: Mode,
    headers: Vec<(String, String)>,
    login: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Python(Tool),
    Inspector,
}

/// A client with its server. Ends with its value.
#[derive(Debug)]
pub struct Session(Connected);

#[derive(Debug)]
enum Connected {
    Python(Python),
    Inspector(Inspector),
}

/// What a server answered instead of a result: a JSON-RPC error, as the client shows it. Found with
/// `error.downcast_ref::<Refused>()`.
#[derive(Debug, Clone)]
pub struct Refused {
    /// The code of the error. None when the client refused by itself, or does not tell.
    pub code: Option<i64>,
    /// Its words.
    pub message: String,
    /// What came with it.
    pub data: Value,
}

/// Where the server is.
enum Target<'a> {
    Url(&'a str),
    Command(&'a Command),
}

impl Client {
    /// The Python SDK 2.x.
    pub const fn mcp2(mode: Mode) -> Self {
        Self::new(Kind::Python(Tool::Mcp2), mode)
    }

    /// The Python SDK 1.x.
    pub const fn mcp1() -> Self {
        Self::new(Kind::Python(Tool::Mcp1), Mode::Legacy)
    }

    /// The Inspector as a command: a fresh connection for each request.
    pub const fn inspector(mode: Mode) -> Self {
        Self::new(Kind::Inspector, mode)
    }

    const fn new(kind: Kind, mode: Mode) -> Self {
        Self { kind, mode, headers: Vec::new(), login: None }
    }

    /// Every client in every mode it has.
    pub fn every() -> Vec<Self> {
        const MODES: [Mode; 3] = [Mode::Legacy, Mode::Auto, Mode::Modern];
        let mut all = vec![Self::mcp1()];
        all.extend(MODES.map(Self::mcp2));
        all.extend(MODES.map(Self::inspector));
        all
    }

    /// Sends this token with every request over HTTP.
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Signs this user in, in the client's own way, when a server over HTTP asks for it. Not with the Inspector, which
    /// needs a window for that.
    pub fn login(mut self, account: &str, password: &str) -> Self {
        self.login = Some(format!("{account}:{password}"));
        self
    }

    /// Sends this header with every request over HTTP.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Connects to a URL.
    ///
    /// # Errors
    /// When the client cannot be installed, or does not agree with the server.
    pub fn http(&self, url: &str) -> Result<Session> {
        self.connect(&Target::Url(url))
    }

    /// Starts a command, with the arguments, variables and folder it was given, and speaks with it over
    /// its streams.
    ///
    /// # Errors
    /// As [`Client::http`].
    pub fn stdio(&self, command: &Command) -> Result<Session> {
        self.connect(&Target::Command(command))
    }

    fn connect(&self, target: &Target<'_>) -> Result<Session> {
        Ok(Session(match self.kind {
            Kind::Python(tool) => Connected::Python(Python::connect(tool, self, target)?),
            Kind::Inspector => Connected::Inspector(Inspector::connect(self, target)?),
        }))
    }
}

impl Session {
    /// Every tool the server lists, all pages of it.
    ///
    /// # Errors
    /// [`Refused`], or when no answer comes.
    pub fn list_tools(&mut self) -> Result<Vec<Value>> {
        match &mut self.0 {
            Connected::Python(python) => python.list_tools(),
            Connected::Inspector(inspector) => inspector.list_tools(),
        }
    }

    /// The names of the tools the server lists.
    ///
    /// # Errors
    /// As [`Session::list_tools`].
    pub fn tool_names(&mut self) -> Result<Vec<String>> {
        let names = |tool: &Value| tool["name"].as_str().map(ToOwned::to_owned);
        Ok(self.list_tools()?.iter().filter_map(names).collect())
    }

    /// Calls a tool. The result is the whole `CallToolResult`, `isError` ones too.
    ///
    /// # Errors
    /// [`Refused`], or when no answer comes.
    #[expect(clippy::needless_pass_by_value, reason = "reads well with json! in a test")]
    pub fn call(&mut self, tool: &str, arguments: Value) -> Result<Value> {
        match &mut self.0 {
            Connected::Python(python) => Ok(python.call(tool, &arguments, false)?.0),
            Connected::Inspector(inspector) => inspector.call(tool, &arguments),
        }
    }

    /// Calls a tool and asks for progress: the result and the steps on the way.
    ///
    /// # Errors
    /// As [`Session::call`].
    ///
    /// # Panics
    /// With the Inspector, which shows no progress.
    #[expect(clippy::needless_pass_by_value, reason = "reads well with json! in a test")]
    pub fn call_with_progress(&mut self, tool: &str, arguments: Value) -> Result<(Value, Vec<Value>)> {
        self.python().call(tool, &arguments, true)
    }

    /// What the server said about itself: `protocolVersion`, `serverInfo`, `capabilities`.
    ///
    /// # Panics
    /// With the Inspector, which does not tell.
    pub fn server(&self) -> &Value {
        match &self.0 {
            Connected::Python(python) => python.server(),
            Connected::Inspector(_) => panic!("the Inspector does not tell; use a Python client"),
        }
    }

    /// Asks to be told when the list of tools changes.
    ///
    /// # Errors
    /// [`Refused`], or when no answer comes.
    ///
    /// # Panics
    /// With the Inspector, which leaves after each request.
    pub fn watch(&mut self) -> Result<()> {
        self.python().watch()
    }

    /// Waits until the server says that the list of tools has changed.
    ///
    /// # Errors
    /// When it does not say so in time.
    ///
    /// # Panics
    /// With the Inspector, which leaves after each request.
    pub fn changed(&mut self, patience: Duration) -> Result<()> {
        self.python().changed(patience)
    }

    fn python(&mut self) -> &mut Python {
        match &mut self.0 {
            Connected::Python(python) => python,
            Connected::Inspector(_) => panic!("the Inspector cannot do this; use a Python client"),
        }
    }
}

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Auto => "auto",
            Self::Modern => "modern",
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Python(tool) => tool.name(),
            Kind::Inspector => Tool::Inspector.name(),
        };
        write!(f, "{kind} ({})", self.mode.name())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "refused with {code}: {}", self.message),
            None => write!(f, "refused: {}", self.message),
        }
    }
}

impl std::error::Error for Refused {}
