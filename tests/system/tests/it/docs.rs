//! Everything a page tells its reader to type is typed here, and answers what the page says.
//!
//! What a page may hold, by the tag of its fenced blocks:
//! - `console`: lines that begin with `$ ` are commands (a `\` at the end goes on in the next line), the
//!   lines below one are what it prints on both streams. `…` stands for any text, on a line of its own
//!   for any lines. A command must succeed, or fail when it is said to print `error: …`. One that ends
//!   in ` &` runs until the page's end; what it is said to print is waited for. A `curl` that finds
//!   nobody, or not yet the right answer, is repeated for a while, as a reader would.
//! - any tag followed by `file:PATH`: the text is written to that file before the next command;
//! - `rust`: compiled, as a file that a command builds, as a doctest of the facade or the SDK, or where it was copied from;
//! - `json`: must be JSON, and a client's configuration is taken by a client; `sh`: only commands of [`EXEMPT`]; `toml`, `text` and `mermaid` are shown.
//!
//! The commands of a page share a folder, their working directory and their exported variables, and
//! nothing with the person who runs the test. README.md's run in the root of the repository, those that
//! lead through an example there too, with what they keep elsewhere; the other pages' in an empty folder. Readers have the usual ports to themselves and tests do not: `:8080` and
//! `:3000` become free ports in commands and files and are changed back in what they print, and a
//! `micro run` or `micro server` that names no address is given the first of them.

mod page;
mod shell;

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result, ensure};
use micro_test::{Client, Mode, bins, workspace};

use self::{
    page::{Page, Step},
    shell::Shell,
};
use crate::blog::{Blog, TOOLS};

/// Commands that are shown but not run, and why.
const EXEMPT: &[(&str, &str)] = &[
    ("cargo xtask demo", "runs until Ctrl-C; a test of its own starts it"),
    ("cargo xtask test", "this is a part of it"),
    ("cargo install --path crates/micro-cli", "installs for whoever runs it; tests use the program from the build"),
    ("cargo xtask bench", "an optimised build and minutes of load; a test of its own runs the short form"),
];

/// Pages under `docs` that are made by a program, whose help or results they are.
const MADE: &[&str] = &["docs/benchmarks.md"];

/// The page that shows how agents are connected.
const CONNECTS: &str = "docs/getting-started.md";

/// Pages without commands: their blocks and links are checked all the same.
const PAPERS: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/mcp-sdk.md",
    "docs/guides/client-authorization.md",
    "docs/guides/from-rmcp.md",
    "docs/guides/interop.md",
];

/// A test for each page.
macro_rules! pages {
    ($($test:ident: $page:literal,)*) => {
        const PAGES: &[&str] = &[$($page),*];
        $(
            #[test]
            fn $test() -> Result<()> {
                follow($page)
            }
        )*
    };
}

pages! {
    the_readme_can_be_followed: "README.md",
    getting_started_can_be_followed: "docs/getting-started.md",
    writing_a_service_can_be_followed: "docs/writing-a-service.md",
    the_way_of_a_call_can_be_followed: "docs/how-a-call-travels.md",
    the_wire_can_be_followed: "docs/wire.md",
    the_registries_can_be_followed: "docs/registries.md",
    the_gateway_can_be_followed: "docs/gateway.md",
    the_story_of_least_privilege_can_be_followed: "docs/guides/least-privilege.md",
    the_authorization_server_can_be_followed: "docs/guides/authorization-server.md",
    the_audit_log_can_be_read_and_verified: "docs/guides/audit.md",
    authorization_can_be_followed: "docs/guides/authorization.md",
    the_guide_to_identity_can_be_followed: "docs/guides/identity.md",
    testing_mcp_servers_can_be_followed: "docs/guides/testing-mcp-servers.md",
}

fn follow(path: &str) -> Result<()> {
    let page = Page::read(path)?;
    let mut shell = Shell::new(path)?;
    for step in &page.steps()? {
        let (line, done) = match step {
            Step::Write { line, file, text } => (line, shell.write(file, text)),
            Step::Run { line, command, expected } => (line, shell.run(command, expected)),
        };
        done.with_context(|| format!("{path}:{line}"))?;
    }
    shell.end()
}

#[test]
fn an_agent_that_is_configured_as_the_page_says_sees_the_tools() -> Result<()> {
    let blog = Blog::start(&["--no-watch"])?;
    let mut ways = Vec::new();
    for block in Page::read(CONNECTS)?.blocks.iter().filter(|block| block.tag == "json") {
        let config: serde_json::Value = serde_json::from_str(&block.text)?;
        for (name, server) in config["mcpServers"].as_object().into_iter().flatten() {
            let client = Client::inspector(Mode::Auto);
            let mut session = match (server["url"].as_str(), server["command"].as_str()) {
                (Some("http://127.0.0.1:8080/mcp"), None) => client.http(&blog.mcp())?,
                (None, Some("micro")) => {
                    let mut command = blog.home.command(bins::build(&["micro"])?.path("micro"));
                    let args = server["args"].as_array().context("arguments")?;
                    command.args(args.iter().filter_map(serde_json::Value::as_str));
                    client.stdio(&command)?
                }
                _ => anyhow::bail!("{name}: no reader of the page has {server}"),
            };
            assert_eq!(session.tool_names()?, TOOLS, "{server}");
            ways.push(server["type"].as_str().unwrap_or("stdio").to_owned());
        }
    }
    assert_eq!(ways, ["http", "stdio"]);
    Ok(())
}

#[test]
fn no_page_is_forgotten() -> Result<()> {
    let mut there = BTreeSet::new();
    for folder in ["docs", "docs/guides"] {
        for entry in fs::read_dir(workspace::root()?.join(folder))? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(".md") {
                there.insert(format!("{folder}/{name}"));
            }
        }
    }
    let known = |page: &&String| [PAGES, PAPERS, MADE].iter().any(|pages| pages.contains(&page.as_str()));
    let missing: Vec<_> = there.iter().filter(|page| !known(page)).collect();
    ensure!(missing.is_empty(), "no test follows {missing:?}");
    Ok(())
}

#[test]
fn every_block_is_of_a_kind_that_is_checked() -> Result<()> {
    let mut used = BTreeSet::new();
    for path in PAGES.iter().chain(PAPERS).chain(MADE) {
        let page = Page::read(path)?;
        for block in &page.blocks {
            let at = format!("{path}:{}", block.line);
            match block.tag.as_str() {
                "console" => ensure!(PAGES.contains(path), "{at}: nothing runs this page's commands"),
                "json" if block.file.is_none() => {
                    serde_json::from_str::<serde_json::Value>(&block.text).context(at)?;
                }
                "rust" => ensure!(is_compiled(path, block)?, "{at}: nothing compiles this"),
                "sh" => {
                    for command in block.text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim()) {
                        let exempt = EXEMPT.iter().find(|(exempt, _)| *exempt == command);
                        used.insert(exempt.with_context(|| format!("{at}: `{command}` is not run: use console"))?.0);
                    }
                }
                "json" | "toml" | "text" | "mermaid" => {}
                _ if block.file.is_some() => {} // a command uses it
                other => anyhow::bail!("{at}: nobody knows what to do with a `{other}` block"),
            }
        }
    }
    let stale: Vec<_> = EXEMPT.iter().filter(|(command, _)| !used.contains(command)).collect();
    ensure!(stale.is_empty(), "on no page: {stale:?}");
    Ok(())
}

/// Whether a command, a doctest, an example or the template of `micro new hello` has this block in it.
fn is_compiled(path: &str, block: &page::Block) -> Result<bool> {
    let root = workspace::root()?;
    let read = |file: &str| fs::read_to_string(root.join(file)).with_context(|| format!("cannot read {file}"));
    let template = read("crates/micro-cli/templates/default/main.rs.in")?;
    let template = template.replace("{{name}}", "hello").replace("{{Type}}", "Hello");
    Ok(block.file.is_some()
        || read("crates/micro/src/lib.rs")?.contains(&format!("\"../../../{path}\""))
        || read("crates/micro-mcp/src/lib.rs")?.contains(&format!("\"../../../{path}\""))
        || read("examples/hello/src/main.rs")?.contains(&block.text)
        || template.contains(&block.text))
}

#[test]
fn every_link_leads_somewhere() -> Result<()> {
    let root = workspace::root()?;
    for path in PAGES.iter().chain(PAPERS).chain(MADE) {
        let file = root.join(path);
        let Ok(text) = fs::read_to_string(&file) else { continue }; // a page that is not made yet
        for link in page::links(&text) {
            let target = file.with_file_name(link.split('#').next().unwrap_or(link));
            ensure!(link.starts_with('#') || target.exists(), "{path} links to {link}, where nothing is");
        }
    }
    Ok(())
}
