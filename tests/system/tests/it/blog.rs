//! The blog under `micro run`, as the tests here use it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use micro_test::{Home, Process, home::Run, http};
use serde_json::Value;

/// Building the blog may be part of starting it.
const START: Duration = Duration::from_secs(600);

/// `micro run` on a blog, with its gateway on a free port.
pub(crate) struct Blog {
    pub(crate) home: Home,
    pub(crate) process: Process,
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
}

/// The tools of the blog, as models see them.
pub(crate) const TOOLS: [&str; 11] = [
    "comments_Add",
    "comments_ListByPost",
    "comments_Replay",
    "posts_Create",
    "posts_Get",
    "posts_List",
    "posts_Publish",
    "users_Create",
    "users_Delete",
    "users_Get",
    "users_List",
];

impl Blog {
    /// Starts the example's blog and waits until all its tools are there.
    pub(crate) fn start(args: &[&str]) -> Result<Self> {
        let home = Home::new()?;
        let blog = micro_test::workspace::root()?.join("examples/blog");
        let started = Self::run(home, &blog, args)?;
        started.until("all tools are there", |tools| tools.len() == TOOLS.len())?;
        Ok(started)
    }

    /// Starts `micro run` on a folder and waits for its address.
    pub(crate) fn run(home: Home, dir: &Path, args: &[&str]) -> Result<Self> {
        let dir = dir.to_str().context("the folder's name is text")?;
        let all = [&["run", dir, "--address", "127.0.0.1:0"], args].concat();
        let run = home.micro(&all)?;
        Self::begin(home, run)
    }

    /// Starts a `micro run` and waits for its address.
    pub(crate) fn begin(home: Home, run: Run) -> Result<Self> {
        let process = run.start()?;
        let mark = process.mark();
        let line =
            process.find(mark, START, |line| line.text.contains("http://127.0.0.1:") && line.text.contains("/mcp"));
        let line = line.context("the banner shows the MCP address")?.1;
        let from = line.find("http://").context("a URL")?;
        let port: String = line[from + "http://127.0.0.1:".len()..].chars().take_while(char::is_ascii_digit).collect();
        let url = format!("http://127.0.0.1:{port}");
        Ok(Self { home, process, url })
    }

    /// The MCP endpoint.
    pub(crate) fn mcp(&self) -> String {
        format!("{}/mcp", self.url)
    }

    /// Canonical names of the tools there are now.
    pub(crate) fn tools(&self) -> Result<Vec<String>> {
        let tools = http::get(&format!("{}/mcp/tools", self.url))?.json()?;
        let tools = tools["tools"].as_array().context("a list")?.iter();
        Ok(tools.filter_map(|t| t["name"].as_str()).map(str::to_owned).collect())
    }

    /// Waits until the tools are as wanted; gives the time it took.
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(&[String]) -> bool) -> Result<Duration> {
        let began = Instant::now();
        while !wanted(&self.tools()?) {
            ensure!(began.elapsed() < START, "waited too long until {what}; now {:?}", self.tools()?);
            ensure!(self.process.is_running(), "micro run has ended:\n{}", self.process.last_lines(40));
            breathe();
        }
        Ok(began.elapsed())
    }

    /// Calls an endpoint over plain REST.
    pub(crate) fn rest(&self, endpoint: &str, arguments: &Value) -> Result<http::Response> {
        http::post_json(&format!("{}/api/{endpoint}", self.url), &[], arguments)
    }
}

/// Polling another process: there is no event to wait for.
#[expect(clippy::disallowed_methods, reason = "a test thread, not a runtime's")]
pub(crate) fn breathe() {
    std::thread::sleep(Duration::from_millis(20));
}
