//! The short form of `cargo xtask bench`: every server answers, every table is made. Times mean nothing
//! here.

use std::time::Duration;

use anyhow::Result;
use micro_test::{Home, bins, home::Run};

#[test]
fn every_benchmark_runs() -> Result<()> {
    let home = Home::new()?;
    let mut bench = home.command(bins::build(&["micro-benches"])?.path("micro-benches"));
    bench.arg("--quick");
    let output = Run::new("bench", bench).patience(Duration::from_secs(300)).run()?;
    for table in ["Micro, 50 tools", "batches of 1000", "bare lines", "bare proxy", "gateway", "10,000 tools"] {
        assert!(output.success().contains(table), "{table}: {}", output.success());
    }
    Ok(())
}
