//! What this repository can do with itself: `cargo xtask --help`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the people who work here")]

mod bench;
mod conformance;
mod crash;
mod demo;
mod endurance;
mod fuzz;
mod generate;
mod run;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Test, tidy, demonstrate and measure Micro
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Test(test::Args),
    Tidy(tidy::Args),
    Generate(generate::Args),
    Bench(bench::Args),
    Conformance(conformance::Args),
    Fuzz(fuzz::Args),
    Endurance(endurance::Args),
    Crash(crash::Args),
}

fn main() -> ExitCode {
    match obey(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn obey(command: Command) -> Result<()> {
    let root = micro_test::workspace::root()?;
    match command {
        Command::Demo(args) => demo::run(&root, &args),
        Command::Test(args) => test::run(&root, &args),
        Command::Tidy(args) => tidy::run(&root, &args),
        Command::Generate(args) => generate::run(&root, &args),
        Command::Bench(args) => bench::run(&root, &args),
        Command::Conformance(args) => conformance::run(&args),
        Command::Fuzz(args) => fuzz::run(&root, &args),
        Command::Endurance(args) => endurance::run(&root, &args),
        Command::Crash(args) => crash::run(&root, &args),
    }
}
