//! The programs of this workspace, built once a process.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace;

/// Programs by name.
#[derive(Debug, Clone)]
pub struct Bins(HashMap<String, PathBuf>);

impl Bins {
    /// Where this program is.
    ///
    /// # Panics
    /// When it was not among the names given to [`build`].
    pub fn path(&self, name: &str) -> &Path {
        &self.0[name]
    }
}

/// Builds programs of any member by their binary names and says where they are. What this process has
/// built before is not built again. They get the profile of the caller.
///
/// # Errors
/// When cargo fails (its messages are on stderr) or builds no program of a name.
pub fn build(names: &[&str]) -> Result<Bins> {
    static BUILT: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();

    let missing: Vec<_> = names.iter().filter(|name| !built.contains_key(**name)).collect();
    if !missing.is_empty() {
        let mut cargo = workspace::cargo();
        // With --workspace features are united as in `cargo test --workspace`, so that nothing is built twice.
        cargo.args(["build", "--workspace", "--message-format=json-render-diagnostics"]);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        for name in &missing {
            cargo.args(["--bin", name]);
        }
        let out =
            cargo.current_dir(workspace::root()?).stderr(Stdio::inherit()).output().context("cannot start cargo")?;
        if !out.status.success() {
            bail!("cargo could not build {names:?}");
        }
        for line in out.stdout.split(|byte| *byte == b'\n') {
            let Ok(message) = serde_json::from_slice::<Value>(line) else { continue };
            if let (Some(name), Some(path)) = (message["target"]["name"].as_str(), message["executable"].as_str()) {
                built.insert(name.to_owned(), path.into());
            }
        }
    }
    names
        .iter()
        .map(|name| {
            let path = built.get(*name).with_context(|| format!("cargo built no program named {name}"))?;
            Ok(((*name).to_owned(), path.clone()))
        })
        .collect::<Result<_>>()
        .map(Bins)
}
