//! The official JSON schemas of MCP, as the conformance suite carries them.

use std::{collections::BTreeMap, process::Command};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{Tool, workspace};

/// The JSON schema of every revision that the suite has one for, by revision: all but 2024-11-05.
///
/// # Errors
/// When the suite or Node cannot be installed, or the suite's bundle has another form than expected.
pub fn schemas() -> Result<BTreeMap<String, Value>> {
    let script = workspace::root()?.join("crates/micro-test/src/conformance/schemas.mjs");
    let out = Command::new(Tool::Node.install()?).arg(script).arg(Tool::Conformance.install()?).output();
    let out = out.context("cannot start node")?;
    if !out.status.success() {
        bail!("cannot read the schemas: {}", String::from_utf8_lossy(&out.stderr));
    }
    serde_json::from_slice(&out.stdout).context("the schemas are no JSON")
}
