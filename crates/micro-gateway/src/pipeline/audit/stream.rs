//! Stdout, pipes and devices: lines for whoever reads them.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use super::sink::AuditSink;

/// A stream. What was written into it cannot be taken back, so a line that broke off stays as it is.
pub(super) struct Stream {
    out: Box<dyn Write + Send>,
    torn: bool,
}

impl Stream {
    pub(super) fn stdout() -> Self {
        Self { out: Box::new(io::stdout()), torn: false }
    }

    /// A pipe or a device.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file: File = OpenOptions::new().append(true).open(path)?;
        Ok(Self { out: Box::new(file), torn: false })
    }
}

impl AuditSink for Stream {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if std::mem::replace(&mut self.torn, true) {
            self.out.write_all(b"\n")?;
        }
        self.out.write_all(lines)?;
        self.out.flush()?;
        self.torn = false;
        Ok(())
    }

    fn keep(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn is_full(&self) -> bool {
        false
    }

    fn begin_segment(&mut self, _: u64, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn is_slow(&self) -> bool {
        false
    }
}
