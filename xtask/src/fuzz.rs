//! `cargo xtask fuzz`: libFuzzer on the parsers that read bytes from outside.
//!
//! The stable toolchain carries what the sanitizers need; `RUSTC_BOOTSTRAP` lets it use that, so neither a
//! nightly nor another tool has to be installed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// What cargo-fuzz passes too: edge coverage that libFuzzer reads, and the address sanitizer.
const RUSTFLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Zsanitizer=address";

/// Fuzz the parsers of outside bytes, one target after the other
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Only targets whose name contains this
    target: Option<String>,
}

/// A fuzz target of a crate.
struct Target {
    name: String,
    /// Its crate's `fuzz` folder.
    folder: PathBuf,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let wanted = |target: &Target| args.target.as_ref().is_none_or(|part| target.name.contains(part));
    let targets: Vec<_> = targets(root)?.into_iter().filter(wanted).collect();
    if targets.is_empty() {
        bail!("no fuzz target of that name");
    }
    let host = host()?;
    let mut failed = Vec::new();
    for target in &targets {
        println!("==> {} for {} s", target.name, args.seconds);
        if !target.fuzz(root, &host, args.seconds)? {
            failed.push(target.name.as_str());
        }
    }
    match failed.as_slice() {
        [] => Ok(()),
        failed => bail!("found something: {} (inputs in target/fuzz/found)", failed.join(", ")),
    }
}

/// Every file of `crates/*/fuzz/fuzz_targets`.
fn targets(root: &Path) -> Result<Vec<Target>> {
    let mut all = Vec::new();
    for krate in fs::read_dir(root.join("crates"))? {
        let folder = krate?.path().join("fuzz");
        let Ok(files) = fs::read_dir(folder.join("fuzz_targets")) else { continue };
        for file in files {
            let path = file?.path();
            let name = path.file_stem().context("a file without a name")?.to_string_lossy().into_owned();
            all.push(Target { name, folder: folder.clone() });
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

impl Target {
    /// Whether nothing was found. New inputs stay under `target/`; the ones in the repository are only read.
    fn fuzz(&self, root: &Path, host: &str, seconds: u32) -> Result<bool> {
        let work = root.join("target/fuzz");
        let build = micro_test::workspace::cargo()
            .args(["build", "--quiet", "--release", "--bin", &self.name, "--target", host, "--target-dir"])
            .arg(&work)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", RUSTFLAGS)
            .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
            .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
            .current_dir(&self.folder)
            .status();
        if !build.context("cannot start cargo")?.success() {
            bail!("cannot build the fuzz target {}", self.name);
        }
        let (corpus, found) = (work.join("corpus").join(&self.name), work.join("found"));
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&found)?;
        let mut fuzzer = Command::new(work.join(host).join("release").join(&self.name));
        fuzzer
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={}/{}-", found.display(), self.name))
            .args(["-max_len=4096", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"])
            .arg(corpus);
        let kept = self.folder.join("corpus").join(&self.name);
        if kept.exists() {
            fuzzer.arg(kept);
        }
        Ok(fuzzer.status().context("cannot start the fuzzer")?.success())
    }
}

/// Named, so that build scripts and macros are not instrumented.
fn host() -> Result<String> {
    let out = Command::new("rustc").arg("-vV").output().context("cannot start rustc")?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).context("rustc does not name its host")
}
