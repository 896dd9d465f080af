//! Medians and ratios as a table.

use std::{collections::BTreeMap, time::Duration};

/// One comparison.
pub(crate) struct Table {
    title: &'static str,
    base: &'static str,
    order: Vec<&'static str>,
    rounds: BTreeMap<&'static str, Vec<Round>>,
}

struct Round {
    cpu: Duration,
    p50: Duration,
    p99: Duration,
}

impl Table {
    /// `base` is the contestant all ratios are to.
    pub(crate) fn new(title: &'static str, base: &'static str) -> Self {
        Self { title, base, order: Vec::new(), rounds: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, name: &'static str, cpu: Duration, latencies: &[Duration]) {
        if !self.order.contains(&name) {
            self.order.push(name);
        }
        let mut sorted = latencies.to_vec();
        sorted.sort_unstable();
        let at = |share: usize| sorted.get((sorted.len() * share / 100).min(sorted.len().saturating_sub(1))).copied();
        let (p50, p99) = (at(50).unwrap_or_default(), at(99).unwrap_or_default());
        self.rounds.entry(name).or_default().push(Round { cpu, p50, p99 });
    }

    /// The ratio is the median of each round's own ratio, so that a noisy moment falls out.
    pub(crate) fn print(&self) {
        println!("\n{}", self.title);
        println!("{:<16} {:>12} {:>8} {:>10} {:>10}", "", "CPU/request", "ratio", "p50", "p99");
        for name in &self.order {
            let (rounds, base) = (&self.rounds[name], &self.rounds[self.base]);
            let ratios = rounds.iter().zip(base).map(|(r, b)| r.cpu.as_secs_f64() / b.cpu.as_secs_f64().max(1e-9));
            let ratio = median(ratios.collect());
            let micros =
                |of: fn(&Round) -> Duration| median(rounds.iter().map(|r| of(r).as_secs_f64() * 1e6).collect());
            let (cpu, p50, p99) = (micros(|r| r.cpu), micros(|r| r.p50), micros(|r| r.p99));
            println!("{name:<16} {cpu:>9.1} µs {ratio:>7.2}x {p50:>7.0} µs {p99:>7.0} µs");
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
