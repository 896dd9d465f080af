//! `micro new`, `micro run` and the edit loop.

use std::{fs, net::TcpListener, time::Duration};

use anyhow::{Context, Result, ensure};
use micro_test::{Client, Home, Mode, Process, bins};
use serde_json::json;

use crate::blog::Blog;

#[test]
fn a_new_endpoint_appears_without_a_restart_and_a_broken_edit_takes_nothing_down() -> Result<()> {
    let home = Home::new()?;
    home.micro(&["new", "notes"])?.run()?.success();
    let source = home.path().join("notes/src/main.rs");
    let dir = home.path().join("notes");
    let notes = Blog::run(home, &dir, &[])?;
    notes.until("the first tool is there", |tools| !tools.is_empty())?;
    let before = notes.tools()?;
    let mut agent = Client::mcp2(Mode::Modern).http(&notes.mcp())?;
    agent.watch()?;

    let good = fs::read_to_string(&source)?;
    let mark = notes.process.mark();
    fs::write(&source, good.replacen("#[endpoint", "this is no Rust #[endpoint", 1))?;
    notes.process.wait_for_line_after(mark, "keeping previous version", Duration::from_secs(300))?;
    assert_eq!(notes.tools()?, before);

    let end = good.find("#[micro::service]").and_then(|at| good[at..].find("\n}\n").map(|end| at + end));
    let end = end.context("the template has a service")?;
    let added = "\n\n    /// Count to a number.\n    #[endpoint(read_only)]\n    async fn count(&self, to: u32) -> Result<Vec<u32>> {\n        Ok((1..=to).collect())\n    }";
    fs::write(&source, format!("{}{added}{}", &good[..end], &good[end..]))?;
    agent.changed(Duration::from_secs(300))?;
    notes.until("the new endpoint is there", |tools| tools.len() == before.len() + 1)?;
    let name = agent.tool_names()?.into_iter().find(|n| n.ends_with("_Count")).context("the new tool")?;
    let answer = agent.call(&name, json!({"to": 3}))?;
    assert_eq!(answer["structuredContent"], json!([1, 2, 3]), "{answer}");
    Ok(())
}

#[test]
fn every_template_builds_and_runs_at_once_in_the_registry_that_the_flag_names() -> Result<()> {
    for template in ["crud", "stream"] {
        let home = Home::new()?;
        home.micro(&["new", "fresh", "--template", template])?.run()?.success();
        let (dir, elsewhere) = (home.path().join("fresh"), home.path().join("elsewhere"));
        let registry = format!("file://{}", elsewhere.display());
        let fresh = Blog::run(home, &dir, &["--no-watch", "--registry", &registry])?;
        fresh.until("its tools are there", |tools| !tools.is_empty())?;
        let seen = fresh.home.micro(&["services", "--json", "--registry", &registry])?.run()?;
        ensure!(seen.success().contains("fresh"), "{template}: {}", seen.success());
        let not_here = fresh.home.micro(&["services", "--json"])?.run()?;
        ensure!(!not_here.stdout.contains("fresh"), "{template}: {}", not_here.stdout);
    }
    Ok(())
}

#[test]
fn the_demo_says_what_to_try_and_ends_when_asked() -> Result<()> {
    let home = Home::new()?;
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let mut demo = home.command(bins::build(&["xtask"])?.path("xtask"));
    demo.args(["demo", "--address", &free]).current_dir(micro_test::workspace::root()?);
    let mut demo = Process::start("demo", demo)?;
    demo.wait_for_line("Try, in another terminal", Duration::from_secs(600))?;
    demo.wait_for_line(&format!("http://{free}/mcp/tools"), Duration::from_secs(5))?;
    let status = demo.terminate(Duration::from_secs(40))?;
    ensure!(status.success(), "{status}: {}", demo.last_lines(20));
    Ok(())
}
