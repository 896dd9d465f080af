//! Many events, one answer: when it has been quiet for a while.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use tokio::time::Instant;

/// Gathers paths until none has come for some time.
#[derive(Debug)]
pub(super) struct Debounce {
    quiet: Duration,
    pending: BTreeSet<PathBuf>,
    first: Option<Instant>,
    last: Option<Instant>,
}

/// What never becomes quiet is answered after this many times the quiet time.
const AT_MOST: u32 = 10;

impl Debounce {
    pub(super) fn new(quiet: Duration) -> Self {
        Self { quiet, pending: BTreeSet::new(), first: None, last: None }
    }

    /// Takes a change in.
    pub(super) fn push(&mut self, path: PathBuf, now: Instant) {
        self.pending.insert(path);
        self.first.get_or_insert(now);
        self.last = Some(now);
    }

    /// When to answer; none while there is nothing.
    pub(super) fn due(&self) -> Option<Instant> {
        let (first, last) = (self.first?, self.last?);
        Some((last + self.quiet).min(first + self.quiet * AT_MOST))
    }

    /// Everything that changed, and begins anew.
    pub(super) fn drain(&mut self) -> BTreeSet<PathBuf> {
        (self.first, self.last) = (None, None);
        std::mem::take(&mut self.pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_millis(200);

    #[test]
    fn each_change_puts_the_answer_off() {
        let (mut debounce, start) = (Debounce::new(QUIET), Instant::now());
        assert_eq!(debounce.due(), None);
        debounce.push("a".into(), start);
        debounce.push("b".into(), start + QUIET / 2);
        debounce.push("a".into(), start + QUIET / 2);
        assert_eq!(debounce.due(), Some(start + QUIET / 2 + QUIET));
        assert_eq!(debounce.drain(), ["a".into(), "b".into()].into());
        assert_eq!(debounce.due(), None);
    }

    #[test]
    fn changes_without_an_end_are_answered_all_the_same() {
        let (mut debounce, start) = (Debounce::new(QUIET), Instant::now());
        for step in 0..100 {
            debounce.push("a".into(), start + QUIET / 2 * step);
        }
        assert_eq!(debounce.due(), Some(start + QUIET * AT_MOST));
    }
}
