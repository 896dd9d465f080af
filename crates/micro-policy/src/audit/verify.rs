//! Whether a log is as it was written, and where not.

use std::fmt;

use serde::Serialize;

use super::{Checkpoint, Entry, Head, Line, PublicKey};
use crate::Digest;

/// Goes over a log line by line. It goes on after what it finds, so that everything is found at once.
#[derive(Debug)]
pub struct Verifier {
    key: Option<PublicKey>,
    anchors: Vec<Anchor>,
    head: Head,
    /// Unreadable lines since the last good one.
    unreadable: u64,
    /// A run of checkpoints that sign something else, as an index into what was found.
    forged: Option<usize>,
    at: Place,
    report: Report,
}

/// What is kept beside a log, so that one cut short is found out.
#[derive(Debug, Clone, Copy)]
pub enum Kept<'a> {
    /// Nothing: this kind of log keeps none.
    Nothing,
    /// It should be there, and is not.
    Missing,
    /// The newest checkpoint: the line as it stands in the log.
    Checkpoint(&'a [u8]),
}

/// Where the log must have come by.
#[derive(Debug)]
struct Anchor {
    head: Head,
    seen: bool,
}

/// A line of a segment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Place {
    segment: String,
    line: u64,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The number of the last line.
    pub lines: u64,
    /// How many of them are calls.
    pub calls: u64,
    /// The hash of the last line: with [`Report::lines`], what to note down elsewhere.
    pub hash: Digest,
    /// Up to which line good checkpoints sign it; 0 is none of it.
    pub signed: u64,
    /// How many segments there are.
    pub segments: u64,
    /// Records of which the log itself says that they could not be written.
    pub lost: u64,
    /// Bytes of a last line that is not finished: its writer died, or writes still.
    pub torn: u64,
    /// What is wrong, in the order of the log; empty when nothing is.
    pub found: Vec<Found>,
    /// How much more was found than is listed.
    pub more: u64,
}

/// Something that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The segment, as it was named to the verifier.
    pub segment: String,
    /// The line in it, beginning at 1; 0 is the segment as a whole.
    pub line: u64,
    /// What is wrong there.
    #[serde(flatten)]
    pub fault: Fault,
}

/// What can be wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// No line of an audit log.
    Unreadable,
    /// The line does not match its hash.
    Changed {
        /// Its number.
        seq: u64,
    },
    /// Lines are not there.
    Missing {
        /// The first of them.
        from: u64,
        /// The last of them.
        through: u64,
    },
    /// The line stands behind one that came after it.
    OutOfOrder {
        /// Its number.
        seq: u64,
    },
    /// There is another line of this number.
    Repeated {
        /// Its number.
        seq: u64,
    },
    /// A checkpoint, or several in a row, sign something else.
    Forged {
        /// The first line that no good checkpoint signs.
        from: u64,
        /// The last one.
        through: u64,
    },
    /// The log ends too early.
    Cut {
        /// The first line that is missing.
        from: u64,
        /// The last one that must be there.
        through: u64,
    },
    /// The line is another than the one that was noted down elsewhere.
    Rewritten {
        /// Its number.
        seq: u64,
    },
    /// When a gateway started, the checkpoint beside the log was gone or spoke of other lines.
    Unconfirmed {
        /// The last line that it could not confirm.
        through: u64,
    },
    /// The checkpoint beside the log is gone.
    NothingKept,
    /// What is kept beside the log is no checkpoint.
    KeptUnreadable,
}

/// More is counted and not listed.
const MOST_FOUND: usize = 100;

impl Verifier {
    /// Begins before the first line. Without a key, signatures are not looked at.
    pub fn new(key: Option<PublicKey>, kept: Kept<'_>) -> Self {
        let (anchors, report) = (Vec::new(), Report::default());
        let mut verifier =
            Self { key, anchors, head: Head::default(), unreadable: 0, forged: None, at: Place::default(), report };
        match kept {
            Kept::Nothing => {}
            Kept::Missing => verifier.found(Fault::NothingKept),
            Kept::Checkpoint(text) => match Line::parse(text) {
                Some(line) => verifier.expect(line.head()),
                None => verifier.found(Fault::KeptUnreadable),
            },
        }
        verifier
    }

    /// The log must have come by here: what somebody noted down.
    pub fn expect(&mut self, head: Head) {
        self.anchors.push(Anchor { head, seen: head == Head::default() });
    }

    /// A segment begins.
    pub fn segment(&mut self, name: &str) {
        self.at = Place { segment: name.to_owned(), line: 0 };
        self.report.segments += 1;
    }

    /// The next line, without its newline.
    pub fn line(&mut self, text: &[u8]) {
        self.at.line += 1;
        let Some(line) = Line::parse(text) else {
            self.unreadable += 1;
            return self.found(Fault::Unreadable);
        };
        // Most lines are calls, of which the chain needs no more than the bytes.
        let entry = if is_call(text) { None } else { Entry::parse(text) };
        if line.seq <= self.head.seq {
            return self.misplaced(line.seq);
        }
        let gap = line.seq - self.head.seq - 1;
        if gap > self.unreadable {
            self.found(Fault::Missing { from: self.head.seq + 1, through: line.seq - 1 });
        }
        self.unreadable = 0;
        let before = match &entry {
            Some(Entry::Segment { previous, .. }) if gap > 0 => Some(*previous),
            _ => (gap == 0).then_some(self.head.hash),
        };
        let changed = before.is_some_and(|before| !line.follows(before));
        if changed {
            self.found(Fault::Changed { seq: line.seq });
        }
        match entry {
            Some(Entry::Checkpoint(checkpoint)) => {
                if let Some(hash) = before {
                    self.checkpoint(&checkpoint, Head { seq: line.seq - 1, hash });
                }
            }
            Some(Entry::Lost { lost, .. }) => self.report.lost = self.report.lost.saturating_add(lost),
            Some(Entry::Start { unconfirmed_through: Some(through), .. }) => self.found(Fault::Unconfirmed { through }),
            Some(_) => {}
            None if is_call(text) => self.report.calls += 1,
            None if changed => {}
            None => self.found(Fault::Unreadable),
        }
        self.head = line.head();
        self.pass();
    }

    /// So many bytes behind the last line are no whole one.
    pub fn torn(&mut self, bytes: u64) {
        self.report.torn = bytes;
    }

    /// There are no more lines.
    pub fn end(mut self) -> Report {
        for anchor in std::mem::take(&mut self.anchors) {
            if !anchor.seen && anchor.head.seq > self.head.seq {
                self.found(Fault::Cut { from: self.head.seq + 1, through: anchor.head.seq });
            }
        }
        Report { lines: self.head.seq, hash: self.head.hash, ..self.report }
    }

    /// A line that stands too late.
    fn misplaced(&mut self, seq: u64) {
        let missing = self.report.found.iter().position(
            |found| matches!(found.fault, Fault::Missing { from, through } if (from..=through).contains(&seq)),
        );
        let Some(at) = missing else { return self.found(Fault::Repeated { seq }) };
        // It is not missing: it stands here.
        let gap = self.report.found.remove(at);
        if let Fault::Missing { from, through } = gap.fault {
            let rest = [(from, seq - 1), (seq + 1, through)];
            for (from, through) in rest.into_iter().filter(|(from, through)| from <= through).rev() {
                self.report.found.insert(at, Found { fault: Fault::Missing { from, through }, ..gap.clone() });
            }
        }
        self.forged = None;
        self.found(Fault::OutOfOrder { seq });
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint, above: Head) {
        let Some(key) = &self.key else { return };
        if checkpoint.is_of(key, above) {
            self.report.signed = above.seq;
            self.forged = None;
            return;
        }
        match self.forged.and_then(|at| self.report.found.get_mut(at)) {
            Some(Found { fault: Fault::Forged { through, .. }, .. }) => *through = above.seq,
            _ => {
                self.forged = Some(self.report.found.len());
                self.found(Fault::Forged { from: self.report.signed + 1, through: above.seq });
            }
        }
    }

    /// Compares with what was noted down of this line.
    fn pass(&mut self) {
        let head = self.head;
        let mut rewritten = false;
        for anchor in self.anchors.iter_mut().filter(|anchor| !anchor.seen && anchor.head.seq == head.seq) {
            anchor.seen = true;
            rewritten |= anchor.head.hash != head.hash;
        }
        if rewritten {
            self.found(Fault::Rewritten { seq: head.seq });
        }
    }

    fn found(&mut self, fault: Fault) {
        if self.report.found.len() < MOST_FOUND {
            let Place { segment, line } = self.at.clone();
            self.report.found.push(Found { segment, line, fault });
        } else {
            self.report.more += 1;
        }
    }
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.found.is_empty()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |from: &u64, through: &u64| {
            if from == through { format!("record {from}") } else { format!("records {from} to {through}") }
        };
        match self {
            Self::Unreadable => f.write_str("this is no line of an audit log"),
            Self::Changed { seq: 1 } => f.write_str("record 1 was changed: it does not match its hash"),
            Self::Changed { seq } => write!(
                f,
                "record {seq} does not match its hash: it was changed, or record {} was, and its hash with it",
                seq - 1
            ),
            Self::Missing { from, through } => write!(f, "missing before this: {}", range(from, through)),
            Self::OutOfOrder { seq } => write!(f, "record {seq} stands in the wrong place"),
            Self::Repeated { seq } => write!(f, "record {seq} stands here once more"),
            Self::Forged { from, through } => write!(
                f,
                "the checkpoint does not sign what stands above it: {} may have been written anew",
                range(from, through)
            ),
            Self::Cut { from, through } => write!(f, "the end is missing: {}", range(from, through)),
            Self::Rewritten { seq } => write!(f, "record {seq} is not the one that was noted down"),
            Self::Unconfirmed { through } => {
                write!(
                    f,
                    "a gateway that started here could not confirm the records up to {through}: the checkpoint kept beside the log was gone, or spoke of others"
                )
            }
            Self::NothingKept => f.write_str("the checkpoint that is kept beside the log is missing"),
            Self::KeptUnreadable => f.write_str("the checkpoint that is kept beside the log cannot be read"),
        }
    }
}

fn is_call(text: &[u8]) -> bool {
    let kind = text.iter().position(|byte| *byte == b',').map(|at| &text[at..]);
    kind.is_some_and(|kind| kind.starts_with(b",\"kind\":\"call\","))
}

#[cfg(test)]
mod tests;
