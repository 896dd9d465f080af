//! `cargo xtask tidy`: what a reviewer should never have to say.

mod edges;
mod manifests;
mod sources;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{generate, run};

/// Check the rules of the house and list everything that breaks one
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Leave clippy out
    #[arg(long)]
    fast: bool,
}

/// Something to mend: where, and what to do.
#[derive(Debug)]
struct Problem {
    place: String,
    text: String,
}

impl Problem {
    fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let mut problems = manifest_problems(root)?;
    for path in rust_files(root)? {
        let text = fs::read_to_string(root.join(&path)).with_context(|| format!("cannot read {}", path.display()))?;
        problems.extend(sources::check(&path.display().to_string(), &text));
    }
    if run::cargo(root, &["fmt", "--all", "--check"]).is_err() {
        problems.push(Problem::new("rustfmt", "the files above are not formatted; run `cargo fmt --all`"));
    }
    match generate::stale(root) {
        Ok(stale) => problems.extend(
            stale.into_iter().map(|path| Problem::new(path, "is stale; run `cargo xtask generate` and commit it")),
        ),
        Err(error) => problems.push(Problem::new("generated files", format!("cannot be made: {error:#}"))),
    }
    if !args.fast && run::cargo(root, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).is_err() {
        problems.push(Problem::new("clippy", "mend the warnings above, or allow one with its reason"));
    }
    if !args.fast {
        problems.extend(lonely_features(root));
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    if !problems.is_empty() {
        bail!("{} to mend", problems.len());
    }
    println!("tidy");
    Ok(())
}

fn manifest_problems(root: &Path) -> Result<Vec<Problem>> {
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let mut problems = manifests::reasons("Cargo.toml", &read(&root.join("Cargo.toml"))?);
    let mut members = Vec::new();
    for path in micro_test::workspace::manifests(root)? {
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let manifest = manifests::Manifest::parse(&shown, &read(&path)?)?;
        members.push((manifest.name()?.to_owned(), shown, manifest));
    }
    let ours: Vec<_> = members.iter().map(|(name, ..)| name.clone()).collect();
    for (name, shown, manifest) in &members {
        problems.extend(manifest.check());
        if shown.starts_with("crates/") {
            problems.extend(edges::check(shown, name, &manifest.uses(), &ours));
        }
    }
    Ok(problems)
}

/// Features of the SDK; each must build without the others.
const SDK_FEATURES: [&str; 9] = ["", "server", "http", "stdio", "client", "websocket", "legacy-sse", "oauth", "macros"];

/// Features that do not build alone: in the workspace they never are, somebody else turns the others on.
fn lonely_features(root: &Path) -> Vec<Problem> {
    let builds = |feature: &&str| {
        run::cargo(root, &["check", "-p", "micro-mcp", "--no-default-features", "--features", feature]).is_ok()
    };
    let lonely = SDK_FEATURES.iter().filter(|feature| !builds(feature));
    lonely
        .map(|feature| Problem::new("micro-mcp", format!("does not build with the feature `{feature}` alone")))
        .collect()
}

/// Every Rust file of the repository, sorted, relative to its root. Build output and hidden folders are not ours.
fn rust_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if entry.file_type()?.is_dir() {
                if !name.starts_with('.') && name != "target" && name != "node_modules" {
                    folders.push(entry.path());
                }
            } else if name.ends_with(".rs") {
                files.push(entry.path().strip_prefix(root)?.to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}
