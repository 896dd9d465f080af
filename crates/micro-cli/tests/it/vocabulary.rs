//! How these tests call the command.

use micro_test::{
    Home,
    home::{Output, Run},
};

/// Runs `micro` with these arguments in this home.
pub(crate) fn micro(home: &Home, args: &[&str]) -> Output {
    let mut command = home.command(env!("CARGO_BIN_EXE_micro"));
    command.args(args);
    Run::new("micro", command).run().expect("micro runs")
}
