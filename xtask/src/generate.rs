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

const FILES: &[Generated] = &[
    Generated { path: "docs/reference/cli.md", make: || printed(&["help-markdown"]) },
    Generated { path: "docs/reference/config.md", make: || printed(&["config", "reference"]) },
    Generated { path: "docs/reference/micro.schema.json", make: || printed(&["config", "schema"]) },
];

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

/// What a command of `micro` prints.
fn printed(args: &[&str]) -> Result<String> {
    let micro = bins::build(&["micro"])?.path("micro").to_owned();
    let out = Command::new(&micro).args(args).output().context("cannot start micro")?;
    if !out.status.success() || out.stdout.is_empty() {
        let (args, why) = (args.join(" "), String::from_utf8_lossy(&out.stderr).into_owned());
        bail!("`micro {args}` printed nothing ({}): {}", out.status, why.trim());
    }
    String::from_utf8(out.stdout)
        .with_context(|| format!("`micro {}` printed something that is no text", args.join(" ")))
}
