//! Where the workspace is, which members it has, and the cargo that started us.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The root of the workspace: the nearest folder upwards whose manifest has `[workspace]`. Looked for when
/// the program runs, since a shared build folder may hold programs that another checkout compiled.
///
/// # Errors
/// When there is none above the running package or the current folder.
pub fn root() -> Result<PathBuf> {
    let start = match env::var_os("CARGO_MANIFEST_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => env::current_dir().context("there is no current folder")?,
    };
    let is_root = |dir: &&Path| {
        fs::read_to_string(dir.join("Cargo.toml"))
            .is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
    };
    start
        .ancestors()
        .find(is_root)
        .map(Path::to_owned)
        .with_context(|| format!("{} is in no workspace", start.display()))
}

/// Cargo: the one that started us, else the one on the path.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The manifests of all members.
///
/// # Errors
/// When cargo cannot read the workspace.
pub fn manifests(root: &Path) -> Result<Vec<PathBuf>> {
    let packages = metadata(root)?;
    let packages = packages["packages"].as_array().context("cargo metadata lists no packages")?;
    Ok(packages.iter().filter_map(|package| package["manifest_path"].as_str()).map(PathBuf::from).collect())
}

/// Where cargo puts what it builds here. Asked once.
///
/// # Errors
/// When cargo cannot read the workspace.
pub fn target_dir() -> Result<&'static Path> {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    if let Some(dir) = DIR.get() {
        return Ok(dir);
    }
    let metadata = metadata(&root()?)?;
    let dir = metadata["target_directory"].as_str().context("cargo metadata names no target folder")?;
    Ok(DIR.get_or_init(|| dir.into()))
}

fn metadata(root: &Path) -> Result<Value> {
    let out = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cannot start cargo")?;
    if !out.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    serde_json::from_slice(&out.stdout).context("cargo metadata printed no JSON")
}
