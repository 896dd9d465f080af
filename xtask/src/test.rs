//! `cargo xtask test`: everything that must hold, in the order in which it fails fastest. CI runs this.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use micro_test::Tool;

use crate::{conformance, run, tidy};

/// Install what the tests need and run them all
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave out the long suites
    #[arg(long)]
    quick: bool,
    /// Run only the tests whose name contains one of these, and nothing else
    filter: Vec<String>,
}

/// A named part of the whole.
struct Step {
    name: &'static str,
    run: Work,
}

type Work = Box<dyn FnOnce(&Path) -> Result<()>>;

impl Step {
    fn new(name: &'static str, run: impl FnOnce(&Path) -> Result<()> + 'static) -> Self {
        Self { name, run: Box::new(run) }
    }
}

/// Every step is run, also after one that failed: whoever reads the summary sees all there is to mend.
pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let mut done: Vec<(&str, Duration, Result<()>)> = Vec::new();
    let start = Instant::now();
    for step in steps(args) {
        println!("==> {}", step.name);
        let began = Instant::now();
        let result = (step.run)(root);
        let took = began.elapsed();
        println!("<== {}", line(step.name, took, &result));
        done.push((step.name, took, result));
    }

    println!();
    for (name, took, result) in &done {
        println!("{}", line(name, *took, result));
    }
    let failed = done.iter().filter(|(.., result)| result.is_err()).count();
    println!("{} in {:.0?}", if failed == 0 { "all well" } else { "FAILED" }, start.elapsed());
    if failed > 0 {
        bail!("{failed} of {} steps failed", done.len());
    }
    Ok(())
}

fn steps(args: &Args) -> Vec<Step> {
    let mut steps = vec![Step::new("tools", |_| install_tools())];
    if !args.filter.is_empty() {
        let mut words =
            ["test", "--workspace", "--no-fail-fast", "--exclude", INTEROP, "--"].map(String::from).to_vec();
        words.extend_from_slice(&args.filter);
        steps.push(Step::new("tests", move |root| run::cargo(root, &words)));
        return steps;
    }
    steps.push(Step::new("tidy", |root| tidy::run(root, &tidy::Args::default())));
    steps.push(Step::new("tests", |root| {
        let without = ["--exclude", "micro-system-tests", "--exclude", INTEROP];
        run::cargo(root, &[&["test", "--workspace", "--no-fail-fast"][..], &without].concat())
    }));
    if !args.quick {
        steps.extend(suites());
    }
    steps
}

/// Always named alone: it brings in another SDK, whose features every build that names both would have.
const INTEROP: &str = "micro-interop-tests";

/// The long suites.
fn suites() -> [Step; 3] {
    [
        // Whole systems: real clients, killed processes, bad input.
        Step::new("system", |root| {
            run::cargo(root, &["test", "--workspace", "--exclude", INTEROP, "--test", "system", "--no-fail-fast"])
        }),
        // Our client under the servers of other SDKs, our server at their clients.
        Step::new("interop", |root| run::cargo(root, &["test", "-p", INTEROP, "--no-fail-fast"])),
        // The official suite.
        Step::new("conformance", |_| conformance::run(&conformance::Args::default())),
    ]
}

fn install_tools() -> Result<()> {
    for tool in Tool::ALL {
        println!("    {}", tool.name());
        tool.install()?;
    }
    Ok(())
}

fn line(name: &str, took: Duration, result: &Result<()>) -> String {
    let took = took.as_secs_f64();
    match result {
        Ok(()) => format!("ok     {took:6.1} s  {name}"),
        Err(error) => format!("FAILED {took:6.1} s  {name}: {error:#}"),
    }
}
