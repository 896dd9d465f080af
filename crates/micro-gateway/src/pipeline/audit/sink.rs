//! The port to whatever keeps the lines of an audit log.

use std::io;

use micro_policy::audit::Head;

/// Keeps the lines of an audit log. It is given whole lines in their order, by one thread at a time.
pub trait AuditSink: Send + 'static {
    /// Appends lines, each with its newline. When it fails, none of them is in the log.
    fn append(&mut self, lines: &[u8]) -> io::Result<()>;

    /// Keeps the newest checkpoint, a line that was appended, apart from the log, so that a log cut short is found out.
    fn keep(&mut self, checkpoint: &[u8]) -> io::Result<()>;

    /// Whether the next line belongs into a new segment. A sink without segments never says so.
    fn is_full(&self) -> bool;

    /// Begins a segment with this line, which has this number.
    fn begin_segment(&mut self, seq: u64, line: &[u8]) -> io::Result<()>;

    /// Whether appending may take long, so that a call must not do it itself.
    fn is_slow(&self) -> bool;
}

/// Where a log stands that is gone on with. The default is a new one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resumed {
    /// The log's name for itself, when it has one.
    pub log: Option<String>,
    /// Its last line.
    pub head: Head,
    /// Bytes of an unfinished line that were taken away.
    pub torn: u64,
    /// The kept checkpoint was missing, or says that the lines up to this one are not those that were written.
    pub unconfirmed_through: Option<u64>,
}
