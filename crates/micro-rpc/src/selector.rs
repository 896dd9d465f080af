//! Which node gets a call: power of two choices, by load and recent failures.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// What is known of one node's condition. Time is milliseconds on any clock that never goes back.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    in_flight: AtomicU32,
    /// Failures since the last success.
    failures: AtomicU32,
    /// Not to be used before this time, unless no other node is left.
    retry_at: AtomicU64,
}

/// Counts a call as in flight until dropped.
pub(crate) struct InFlight(Arc<Condition>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

impl Condition {
    const FIRST_PAUSE: Duration = Duration::from_millis(500);
    const LONGEST_PAUSE: Duration = Duration::from_secs(30);

    pub(crate) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Relaxed);
        InFlight(self.clone())
    }

    pub(crate) fn succeeded(&self) {
        // The usual case writes nothing, so nodes do not fight over the cache line.
        if self.failures.load(Relaxed) != 0 {
            self.failures.store(0, Relaxed);
            self.retry_at.store(0, Relaxed);
        }
    }

    /// The node did not answer in time: others are preferred until it does.
    pub(crate) fn slow(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    /// The node could not be reached: avoid it, twice as long each time.
    pub(crate) fn failed(&self, now: u64) {
        let failures = self.failures.fetch_add(1, Relaxed).min(16);
        let pause = Self::FIRST_PAUSE.saturating_mul(1 << failures).min(Self::LONGEST_PAUSE);
        self.retry_at.store(now + u64::try_from(pause.as_millis()).unwrap_or(u64::MAX), Relaxed);
    }

    fn load(&self) -> u64 {
        u64::from(self.in_flight.load(Relaxed) + 1) * u64::from(self.failures.load(Relaxed) + 1)
    }
}

/// Picks one of `nodes`. `tried` are not picked again; `random(n)` gives a number below `n`.
///
/// None only when every node was tried. When all others are being avoided, the one whose pause ends
/// first is tried after all: a wrong guess costs one refused connection, an error costs the call.
pub(crate) fn pick(
    nodes: &[Arc<Condition>],
    tried: &[usize],
    now: u64,
    mut random: impl FnMut(usize) -> usize,
) -> Option<usize> {
    let usable = |i: &usize| !tried.contains(i) && nodes[*i].retry_at.load(Relaxed) <= now;
    let count = (0..nodes.len()).filter(usable).count();
    let nth = |n| (0..nodes.len()).filter(usable).nth(n);
    match count {
        0 => (0..nodes.len()).filter(|i| !tried.contains(i)).min_by_key(|i| nodes[*i].retry_at.load(Relaxed)),
        1 => nth(0),
        _ => {
            let first = random(count);
            let second = (first + 1 + random(count - 1)) % count;
            let (a, b) = (nth(first)?, nth(second)?);
            Some(if nodes[b].load() < nodes[a].load() { b } else { a })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(n: usize) -> Vec<Arc<Condition>> {
        (0..n).map(|_| Arc::default()).collect()
    }

    #[test]
    fn the_less_loaded_of_two_is_picked() {
        let nodes = nodes(2);
        let _busy = [nodes[0].begin(), nodes[0].begin()];
        for _ in 0..20 {
            assert_eq!(pick(&nodes, &[], 0, |n| fastrand::usize(..n)), Some(1));
        }
    }

    #[test]
    fn a_dead_node_is_avoided_and_tried_again_later() {
        let nodes = nodes(2);
        nodes[0].failed(1000);
        let picks =
            |now| (0..50).map(|_| pick(&nodes, &[], now, |n| fastrand::usize(..n)).unwrap()).collect::<Vec<_>>();
        assert!(picks(1100).iter().all(|&i| i == 1));
        nodes[0].retry_at.store(1500, Relaxed);
        let _busy: Vec<_> = (0..5).map(|_| nodes[1].begin()).collect();
        assert!(picks(1600).contains(&0));
    }

    #[test]
    fn when_all_are_dead_the_nearest_to_return_is_tried() {
        let nodes = nodes(3);
        for (node, at) in nodes.iter().zip([300, 100, 200]) {
            node.failed(at);
        }
        assert_eq!(pick(&nodes, &[], 0, |_| 0), Some(1));
        assert_eq!(pick(&nodes, &[1], 0, |_| 0), Some(2));
        assert_eq!(pick(&nodes, &[0, 1, 2], 0, |_| 0), None);
    }

    #[test]
    fn pauses_grow_and_a_success_ends_them() {
        let node = Condition::default();
        let mut pauses = Vec::new();
        for _ in 0..8 {
            node.failed(0);
            pauses.push(node.retry_at.load(Relaxed));
        }
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        node.succeeded();
        assert_eq!(node.retry_at.load(Relaxed), 0);
    }
}
