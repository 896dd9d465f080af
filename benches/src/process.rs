//! What a server process has used so far, as the kernel counts it.

use std::time::Duration;

use anyhow::{Context, Result};

/// User and system time of all threads of a process, in nanoseconds' precision (`schedstat`, proc(5)).
pub(crate) fn cpu(id: u32) -> Result<Duration> {
    let mut nanos = 0;
    for task in std::fs::read_dir(format!("/proc/{id}/task"))? {
        let stat = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanos += stat.split_whitespace().next().context("schedstat has numbers")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}

/// Resident memory of a process, in KiB (`VmRSS`, proc(5)).
pub(crate) fn resident(id: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("status has VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
