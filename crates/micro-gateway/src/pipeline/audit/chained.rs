//! A sink with a chain through its lines.

use std::io;

use jiff::Timestamp;
use micro_policy::audit::{Checkpoint, Event, Head, Signer};

use super::sink::{AuditSink, Resumed};

/// Gives each record its place in the chain and the sink its lines. Used by one thread at a time.
pub(super) struct Chained {
    sink: Box<dyn AuditSink>,
    /// The last line that is in the log.
    head: Head,
    /// The log's name for itself.
    name: String,
    signer: Option<Signer>,
    /// The number of the last checkpoint.
    checkpoint: u64,
    /// Not written yet: that this gateway began.
    start: Option<Resumed>,
    /// Kept, so that not every batch makes room anew.
    text: Vec<u8>,
}

/// Room that is kept for the next batch.
const ROOM: usize = 1 << 20;

impl Chained {
    pub(super) fn new(sink: Box<dyn AuditSink>, resumed: Resumed, signer: Option<Signer>) -> Self {
        let name = resumed.log.clone().unwrap_or_else(name);
        Self { sink, head: resumed.head, name, signer, checkpoint: 0, start: Some(resumed), text: Vec::new() }
    }

    pub(super) fn is_slow(&self) -> bool {
        self.sink.is_slow()
    }

    /// Writes records, and before them how many were lost; signs what is there when that is asked for. When it fails,
    /// none of it is in the log.
    pub(super) fn write<'a>(
        &mut self,
        records: impl Iterator<Item = &'a [u8]>,
        lost: u64,
        sign: bool,
    ) -> io::Result<()> {
        if self.sink.is_full() {
            self.begin_segment()?;
        }
        let (mut head, mut text) = (self.head, std::mem::take(&mut self.text));
        text.clear();
        if let Some(Resumed { torn, unconfirmed_through, .. }) = self.start {
            let version = env!("CARGO_PKG_VERSION");
            let start = Event::Start { timestamp: Timestamp::now(), version, torn, unconfirmed_through };
            head.seal(&json(&start), &mut text);
        }
        if lost > 0 {
            head.seal(&json(&Event::Lost { timestamp: Timestamp::now(), lost }), &mut text);
        }
        for record in records {
            head.seal(record, &mut text);
        }
        let checkpoint = text.len();
        let signed = sign && self.sign(&mut head, &mut text);
        let written = if text.is_empty() { Ok(()) } else { self.sink.append(&text) };
        if written.is_ok() {
            self.head = head;
            self.start = None;
            if signed {
                self.keep(&text[checkpoint..]);
            }
        }
        if text.capacity() <= ROOM {
            self.text = text;
        }
        written
    }

    /// Ends a segment with a checkpoint and begins the next one.
    fn begin_segment(&mut self) -> io::Result<()> {
        let (mut head, mut text) = (self.head, Vec::new());
        if head.seq > 0 && self.sign(&mut head, &mut text) {
            self.sink.append(&text)?;
            self.head = head;
            self.keep(&text);
        }
        let segment = Event::Segment { timestamp: Timestamp::now(), log: &self.name, previous: head.hash };
        text.clear();
        head.seal(&json(&segment), &mut text);
        self.sink.begin_segment(head.seq, &text)?;
        self.head = head;
        Ok(())
    }

    /// Signs everything up to here, unless that was done.
    fn sign(&self, head: &mut Head, text: &mut Vec<u8>) -> bool {
        let Some(signer) = self.signer.as_ref().filter(|_| head.seq > self.checkpoint) else { return false };
        let checkpoint = Checkpoint::sign(signer, &self.name, *head, Timestamp::now());
        head.seal(&json(&Event::Checkpoint(&checkpoint)), text);
        true
    }

    fn keep(&mut self, checkpoint: &[u8]) {
        self.checkpoint = self.head.seq;
        if let Err(error) = self.sink.keep(checkpoint) {
            tracing::warn!(%error, "the audit log's checkpoint cannot be kept beside it");
        }
    }
}

fn json(event: &Event<'_>) -> Vec<u8> {
    serde_json::to_vec(event).expect("an event is plain JSON")
}

/// 128 random bits, in hex.
fn name() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
