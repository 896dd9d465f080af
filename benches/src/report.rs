//! Medians and ratios as a table.

use std::{collections::BTreeMap, time::Duration};

/// One comparison.
pub(crate) struct Table {
    title: String,
    base: &'static str,
    order: Vec<&'static str>,
    rounds: BTreeMap<&'static str, Vec<Round>>,
}

/// What one contestant did in one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    /// Of the server, for each call.
    pub(crate) cpu: Duration,
    /// From first to last, for each call.
    pub(crate) wall: Duration,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// Memory at its end, in KiB.
    pub(crate) resident: u64,
}

impl Round {
    /// `calls` in all; an exchange may hold many.
    pub(crate) fn new(calls: u32, cpu: Duration, wall: Duration, resident: u64, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        let last = latencies.len().saturating_sub(1);
        let at = |share: usize| latencies.get((latencies.len() * share / 100).min(last)).copied().unwrap_or_default();
        let calls = calls.max(1);
        Self { cpu: cpu / calls, wall: wall / calls, p50: at(50), p99: at(99), resident }
    }
}

impl Table {
    /// `base` is the contestant all ratios are to.
    pub(crate) fn new(title: impl Into<String>, base: &'static str) -> Self {
        Self { title: title.into(), base, order: Vec::new(), rounds: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, name: &'static str, round: Round) {
        if !self.order.contains(&name) {
            self.order.push(name);
        }
        self.rounds.entry(name).or_default().push(round);
    }

    /// The ratio is the median of each round's own ratio, so that a noisy moment falls out.
    pub(crate) fn print(&self) {
        println!("\n{}", self.title);
        println!(
            "{:<20} {:>11} {:>8} {:>9} {:>11} {:>11} {:>8}",
            "", "CPU/call", "ratio", "calls/s", "p50", "p99", "memory"
        );
        for name in &self.order {
            let (rounds, base) = (&self.rounds[name], &self.rounds[self.base]);
            let ratios = rounds.iter().zip(base).map(|(r, b)| r.cpu.as_secs_f64() / b.cpu.as_secs_f64().max(1e-9));
            let ratio = median(ratios);
            let micros = |of: fn(&Round) -> Duration| median(rounds.iter().map(|r| of(r).as_secs_f64() * 1e6));
            let (cpu, p50, p99) = (micros(|r| r.cpu), micros(|r| r.p50), micros(|r| r.p99));
            let rate = 1e6 / micros(|r| r.wall);
            let memory = rounds.last().map_or(0, |round| round.resident) / 1024;
            println!("{name:<20} {cpu:>8.1} µs {ratio:>7.2}x {rate:>9.0} {p50:>8.0} µs {p99:>8.0} µs {memory:>4} MiB");
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
