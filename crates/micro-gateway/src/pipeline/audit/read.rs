//! An audit log, read line by line, also while it is written.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use micro_policy::audit::PublicKey;
use micro_store::{Location, MAX_PAGE, Store};

use super::{
    AuditLocation,
    database::{KEPT, STREAM, beside, wait},
    folder,
};

/// Reads a log from its beginning to its end so far, and on from there.
pub struct AuditReader {
    source: Source,
}

/// What a reader comes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditText {
    /// A segment of this name begins.
    Segment(String),
    /// A line, without its newline.
    Line(Bytes),
}

enum Source {
    Files(Files),
    Database(Database),
}

struct Files {
    /// The folder; none for a file alone.
    folder: Option<PathBuf>,
    current: Option<Segment>,
    /// Segments after the current one, as far as they were seen.
    next: VecDeque<PathBuf>,
}

struct Segment {
    path: PathBuf,
    text: BufReader<File>,
    /// Where the next line begins.
    offset: u64,
    /// Bytes behind it that are no whole line.
    torn: u64,
}

struct Database {
    store: Store,
    path: PathBuf,
    begun: bool,
    after: u64,
    page: VecDeque<(u64, Bytes)>,
}

/// Longer lines are read in pieces. The gateway writes none of them.
const LONGEST: u64 = 1 << 20;

impl AuditReader {
    /// Opens a log: a folder, a file of lines (a segment, or what a collector of stdout kept), or a database.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub fn open(location: &AuditLocation) -> io::Result<Self> {
        let source = match location {
            AuditLocation::Stdout => {
                return Err(io::Error::new(ErrorKind::InvalidInput, "name the file in which the lines were collected"));
            }
            AuditLocation::Sqlite(path) => {
                path.metadata()?;
                let store = Location::Sqlite(path.clone()).open().map_err(io::Error::other)?;
                let page = VecDeque::new();
                Source::Database(Database { store, path: path.clone(), begun: false, after: 0, page })
            }
            AuditLocation::Folder(path) if path.is_dir() => {
                let next = folder::segments(path)?.into();
                Source::Files(Files { folder: Some(path.clone()), current: None, next })
            }
            AuditLocation::Folder(path) => {
                path.metadata()?;
                Source::Files(Files { folder: None, current: None, next: [path.clone()].into() })
            }
        };
        Ok(Self { source })
    }

    /// Passes over what is old: only the last two segments, or the last thousand lines, are read.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn skip_old(&mut self) -> io::Result<()> {
        match &mut self.source {
            Source::Files(files) => drop(files.next.drain(..files.next.len().saturating_sub(2))),
            Source::Database(database) => {
                let last = wait(database.store.log().last(STREAM)).map_err(io::Error::other)?;
                database.after = last.saturating_sub(1000);
            }
        }
        Ok(())
    }

    /// What comes next; `None` when there is nothing yet.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn read(&mut self) -> io::Result<Option<AuditText>> {
        match &mut self.source {
            Source::Files(files) => files.read(),
            Source::Database(database) => database.read(),
        }
    }

    /// Bytes at the end that are no whole line: their writer died, or writes still.
    pub fn torn(&self) -> u64 {
        match &self.source {
            Source::Files(files) => files.current.as_ref().map_or(0, |segment| segment.torn),
            Source::Database(_) => 0,
        }
    }

    /// The newest checkpoint, kept beside the log: `None` where none is kept, `Some(None)` where it is missing.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn kept(&self) -> io::Result<Option<Option<Bytes>>> {
        match &self.source {
            Source::Files(Files { folder: None, .. }) => Ok(None),
            Source::Files(Files { folder: Some(folder), .. }) => {
                Ok(Some(folder::kept(folder)?.map(|line| line.trim_ascii_end().to_vec().into())))
            }
            Source::Database(database) => {
                let kept = wait(database.store.keys().get(KEPT)).map_err(io::Error::other)?;
                Ok(Some(kept.map(|kept| kept.value.trim_ascii_end().to_vec().into())))
            }
        }
    }

    /// The key that the log's checkpoints are checked with: the one in this file, or the one beside the log; `None` where
    /// there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is no key.
    pub fn key(&self, given: Option<&Path>) -> io::Result<Option<PublicKey>> {
        let beside = match &self.source {
            _ if given.is_some() => None,
            Source::Files(Files { folder: None, .. }) => None,
            Source::Files(Files { folder: Some(folder), .. }) => {
                Some(crate::key_file::public(&folder.join("checkpoint.key")))
            }
            Source::Database(database) => Some(crate::key_file::public(&beside(&database.path, ".key"))),
        };
        match (given, beside.filter(|path| path.exists())) {
            (Some(path), _) => crate::key_file::read_public(path).map(Some),
            (None, Some(path)) => crate::key_file::read_public(&path).map(Some),
            (None, None) => Ok(None),
        }
    }
}

impl Files {
    fn read(&mut self) -> io::Result<Option<AuditText>> {
        if let Some(line) = self.current.as_mut().map(Segment::line).transpose()?.flatten() {
            return Ok(Some(AuditText::Line(line)));
        }
        if self.next.is_empty() {
            self.look()?;
        }
        if self.next.is_empty() {
            return Ok(None);
        }
        // What came before the next segment was begun, and after we looked.
        if let Some(segment) = &mut self.current {
            if let Some(line) = segment.line()? {
                return Ok(Some(AuditText::Line(line)));
            }
            if segment.torn > 0 {
                return segment.rest().map(|line| Some(AuditText::Line(line)));
            }
        }
        let Some(path) = self.next.pop_front() else { return Ok(None) };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = BufReader::new(File::open(&path)?);
        self.current = Some(Segment { path, text, offset: 0, torn: 0 });
        Ok(Some(AuditText::Segment(name)))
    }

    /// Looks for new segments.
    fn look(&mut self) -> io::Result<()> {
        if let Some(folder) = &self.folder {
            let newer = |path: &PathBuf| self.current.as_ref().is_none_or(|segment| *path > segment.path);
            self.next = folder::segments(folder)?.into_iter().filter(newer).collect();
        }
        Ok(())
    }
}

impl Segment {
    /// The next whole line.
    fn line(&mut self) -> io::Result<Option<Bytes>> {
        let mut line = Vec::new();
        self.text.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
        let length = line.len() as u64;
        if line.pop_if(|byte| *byte == b'\n').is_none() && length < LONGEST {
            // It may be finished, or taken away.
            self.torn = length;
            self.text.seek(SeekFrom::Start(self.offset))?;
            return Ok(None);
        }
        self.offset += length;
        self.torn = 0;
        Ok(Some(line.into()))
    }

    /// The line that has no end, and will have none.
    fn rest(&mut self) -> io::Result<Bytes> {
        let mut line = Vec::new();
        self.text.by_ref().take(LONGEST).read_to_end(&mut line)?;
        self.offset += line.len() as u64;
        self.torn = 0;
        Ok(line.into())
    }
}

impl Database {
    fn read(&mut self) -> io::Result<Option<AuditText>> {
        if !std::mem::replace(&mut self.begun, true) {
            let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Ok(Some(AuditText::Segment(name)));
        }
        if self.page.is_empty() {
            self.page = wait(self.store.log().read(STREAM, self.after, MAX_PAGE)).map_err(io::Error::other)?.into();
        }
        let Some((number, line)) = self.page.pop_front() else { return Ok(None) };
        self.after = number;
        Ok(Some(AuditText::Line(line)))
    }
}
