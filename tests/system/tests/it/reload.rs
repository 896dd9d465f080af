//! `micro new`, `micro run` and the edit loop.

use std::{fs, time::Duration};

use anyhow::{Context, Result};
use micro_test::{Client, Home, Mode};
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
