//! `cargo xtask generate`: pages that are made from the code.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};
use micro_test::bins;

/// Write the generated files again
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write nothing; fail when a file is stale
    #[arg(long)]
    check: bool,
}

/// A file and the function that makes its text.
struct Generated {
    path: &'static str,
    make: fn() -> Result<String>,
}

const FILES: &[Generated] = &[Generated { path: "docs/reference/cli.md", make: cli_reference }];

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    if args.check {
        let stale = stale(root)?;
        if !stale.is_empty() {
            bail!("stale: {}; run `cargo xtask generate` and commit", stale.join(", "));
        }
        return Ok(());
    }
    for file in FILES {
        let path = root.join(file.path);
        fs::create_dir_all(path.parent().expect("a generated file has a folder"))?;
        fs::write(&path, (file.make)()?).with_context(|| format!("cannot write {}", file.path))?;
        println!("wrote {}", file.path);
    }
    Ok(())
}

/// The generated files whose text on disk is not what the code says.
pub(crate) fn stale(root: &Path) -> Result<Vec<&'static str>> {
    let mut stale = Vec::new();
    for file in FILES {
        let made = (file.make)()?;
        if fs::read_to_string(root.join(file.path)).ok().as_deref() != Some(&made) {
            stale.push(file.path);
        }
    }
    Ok(stale)
}

/// Every command of `micro` with its help, as the program itself prints it.
fn cli_reference() -> Result<String> {
    let micro = bins::build(&["micro"])?.path("micro").to_owned();
    let out = Command::new(&micro).arg("help-markdown").output().context("cannot start micro")?;
    if !out.status.success() || out.stdout.is_empty() {
        bail!(
            "`micro help-markdown` gave no reference page ({}): {}",
            out.status,
            String::from_utf8_lossy(&out.stderr).trim()
        );
    }
    String::from_utf8(out.stdout).context("`micro help-markdown` printed something that is no text")
}
