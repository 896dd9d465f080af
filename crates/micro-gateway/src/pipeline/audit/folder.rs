//! A folder of segments: files of lines, named by the number of their first.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use micro_policy::audit::{Entry, Line};

use super::sink::{AuditSink, Resumed};

/// The newest checkpoint, beside the segments.
const KEPT: &str = "checkpoint.json";
/// Held while somebody writes.
const LOCK: &str = "lock";

/// A folder that this process alone writes to.
pub(super) struct Folder {
    path: PathBuf,
    segment: Option<Segment>,
    /// Size at which a new segment is due.
    limit: u64,
    /// Held until the process ends, however it ends.
    _lock: File,
}

struct Segment {
    file: File,
    /// Bytes of whole lines. More may stand in the file after a write that failed.
    length: u64,
    /// What is behind them could not be taken away.
    torn: bool,
}

impl Folder {
    /// Opens a folder, made for this user alone when it is not there, and looks where its log stands.
    pub(super) fn open(path: &Path, limit: u64) -> io::Result<(Self, Resumed)> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let lock = lock(&path.join(LOCK))?;
        let mut resumed = Resumed::default();
        let mut segments = segments(path)?;
        while let Some(last) = segments.pop() {
            let text = fs::read(&last)?;
            let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            resumed.torn += (text.len() - whole) as u64;
            if whole == 0 {
                fs::remove_file(&last)?; // begun, and nothing came of it
                continue;
            }
            let file = OpenOptions::new().append(true).open(&last)?;
            let mut segment = Segment { file, length: whole as u64, torn: whole < text.len() };
            segment.mend()?;
            resume(&mut resumed, &text[..whole], fs::read(path.join(KEPT)).ok().as_deref())
                .ok_or_else(|| damaged(&last))?;
            let folder = Self { path: path.to_owned(), segment: Some(segment), limit, _lock: lock };
            return Ok((folder, resumed));
        }
        Ok((Self { path: path.to_owned(), segment: None, limit, _lock: lock }, resumed))
    }
}

impl AuditSink for Folder {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.segment.as_mut().ok_or_else(|| io::Error::other("there is no segment"))?.append(lines)
    }

    /// Replaced at once, so that there is always a whole one.
    fn keep(&mut self, checkpoint: &[u8]) -> io::Result<()> {
        let new = self.path.join("checkpoint.json.new");
        create(&new)?.write_all(checkpoint)?;
        fs::rename(new, self.path.join(KEPT))
    }

    fn is_full(&self) -> bool {
        self.segment.as_ref().is_none_or(|segment| segment.length >= self.limit)
    }

    fn begin_segment(&mut self, seq: u64, line: &[u8]) -> io::Result<()> {
        let path = self.path.join(format!("{seq:012}.jsonl"));
        let file = OpenOptions::new().create_new(true).append(true).mode(0o600).open(&path)?;
        let mut segment = Segment { file, length: 0, torn: false };
        if let Err(error) = segment.append(line) {
            let _ = fs::remove_file(path); // an empty one does no harm
            return Err(error);
        }
        self.segment = Some(segment);
        Ok(())
    }

    fn is_slow(&self) -> bool {
        false
    }
}

impl Segment {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.mend()?;
        let written = self.file.write_all(lines);
        match written {
            Ok(()) => self.length += lines.len() as u64,
            Err(_) => {
                self.torn = true;
                let _ = self.mend(); // or before the next line
            }
        }
        written
    }

    /// Takes away what stands behind the last whole line.
    fn mend(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.length)?;
            self.torn = false;
        }
        Ok(())
    }
}

/// The segments of a folder, in their order.
pub(super) fn segments(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut segments = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            segments.push(path);
        }
    }
    segments.sort();
    Ok(segments)
}

/// The newest checkpoint that is kept beside the segments.
pub(super) fn kept(folder: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(folder.join(KEPT)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// Takes a lock that ends with the process.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    let file = create(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(io::Error::new(ErrorKind::ResourceBusy, "another gateway writes this log; each needs one of its own"))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Reads where the log stands from its last segment; `None` when its end is none of a log.
pub(super) fn resume(resumed: &mut Resumed, text: &[u8], kept: Option<&[u8]>) -> Option<()> {
    let lines = || text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n');
    resumed.head = Line::parse(lines().next_back()?)?.head();
    if let Some(Entry::Segment { log, .. }) = Entry::parse(lines().next()?) {
        resumed.log = Some(log);
    }
    let kept = kept.and_then(|kept| Line::parse(kept.trim_ascii_end()));
    resumed.unconfirmed_through = match kept {
        // A gateway that died at once may not have come so far as to keep one.
        None => (resumed.head.seq > 3).then_some(resumed.head.seq),
        Some(kept) if kept.seq > resumed.head.seq => Some(kept.seq),
        Some(kept) => {
            let found = lines().rev().map_while(Line::parse).find(|line| line.seq <= kept.seq);
            let other = found.is_some_and(|line| line.seq == kept.seq && line.hash != kept.hash);
            other.then_some(kept.seq)
        }
    };
    Some(())
}

pub(super) fn damaged(path: &Path) -> io::Error {
    let place = path.display();
    io::Error::new(
        ErrorKind::InvalidData,
        format!("the end of {place} is no audit log; see `micro audit verify`, then move the log away"),
    )
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)
}
