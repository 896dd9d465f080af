//! Captures: what passed between a client and a server, one JSON object a line.
//!
//! The first line is a [`Head`], each other an [`Entry`]. A capture is read by people and kept beside tests,
//! so credentials never get into one: of the headers only those of the protocol are kept, and session ids are
//! written as `session-1`, `session-2`, in the order in which they came.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Instant,
};

use http::{HeaderMap, HeaderName, header};
use micro_mcp::proto::headers;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The form that this program writes and reads.
const VERSION: u32 = 1;
/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 256 << 20;
/// Most entries that are read.
const MAX_ENTRIES: usize = 200_000;
/// What stands where a secret stood.
pub(crate) const REDACTED: &str = "(redacted)";

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The form of the file.
    #[serde(rename = "micro-capture")]
    pub(crate) version: u32,
    pub(crate) transport: Transport,
    /// When the recording began (RFC 3339).
    pub(crate) recorded: String,
}

/// What carried the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    /// Streamable HTTP.
    Http,
    /// One message after the other: stdio, WebSocket.
    Pipe,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    Client,
    Server,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Milliseconds since the recording began.
    pub(crate) at: u64,
    pub(crate) from: Side,
    /// Over HTTP: the number of the HTTP request that this belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exchange: Option<u64>,
    /// Over HTTP: the beginning of a request or of a response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) http: Option<Http>,
    /// The message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<Value>,
    /// What came in place of a message and was no JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// Over HTTP: the response is over, or its client went away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) end: bool,
}

/// What HTTP says beside the messages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Http {
    /// Of a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<String>,
    /// Of a request; its query may be secret and is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// Of a response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// Those of the protocol.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) headers: Map<String, Value>,
}

impl Entry {
    /// Nothing yet, said by somebody.
    pub(crate) fn new(from: Side) -> Self {
        Self { at: 0, from, exchange: None, http: None, message: None, text: None, end: false }
    }

    /// What came as bytes: a message, or text that is none.
    pub(crate) fn said(from: Side, bytes: &[u8]) -> Self {
        let entry = Self::new(from);
        match serde_json::from_slice(bytes) {
            Ok(message) => Self { message: Some(message), ..entry },
            Err(_) if bytes.trim_ascii().is_empty() => entry,
            Err(_) => Self { text: Some(String::from_utf8_lossy(bytes).trim_end().to_owned()), ..entry },
        }
    }

    /// The same, as part of an HTTP exchange.
    pub(crate) fn of(mut self, exchange: u64) -> Self {
        self.exchange = Some(exchange);
        self
    }
}

/// A whole capture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Capture {
    pub(crate) head: Head,
    pub(crate) entries: Vec<Entry>,
}

/// Why a file is no capture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("cannot be read")]
    Io(#[from] io::Error),
    #[error("it is larger than {MAX_FILE} bytes")]
    TooLarge,
    #[error("it has more than {MAX_ENTRIES} entries")]
    TooMany,
    #[error("it is no capture: its first line has no `micro-capture`")]
    NoHead,
    #[error("it is a capture of version {0}; this program reads version {VERSION}")]
    Version(u32),
    #[error("line {line}: {reason}")]
    Line { line: usize, reason: String },
}

impl Capture {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Unreadable> {
        let mut text = Vec::new();
        File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut text)?;
        if text.len() as u64 > MAX_FILE {
            return Err(Unreadable::TooLarge);
        }
        Self::parse(&text)
    }

    /// Reads a text. Empty lines are skipped, members that nobody knows are ignored.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Unreadable> {
        let lines = text.split(|byte| *byte == b'\n').enumerate();
        let mut lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
        let (_, first) = lines.next().ok_or(Unreadable::NoHead)?;
        let head: Head = match serde_json::from_slice::<Value>(first) {
            Ok(head) => match head["micro-capture"].as_u64() {
                Some(version) if version == u64::from(VERSION) => {
                    serde_json::from_value(head).map_err(|e| Unreadable::Line { line: 1, reason: e.to_string() })?
                }
                Some(version) => return Err(Unreadable::Version(version.try_into().unwrap_or(u32::MAX))),
                None => return Err(Unreadable::NoHead),
            },
            Err(_) => return Err(Unreadable::NoHead),
        };
        let mut entries = Vec::new();
        for (at, line) in lines {
            if entries.len() == MAX_ENTRIES {
                return Err(Unreadable::TooMany);
            }
            let entry = serde_json::from_slice(line);
            entries.push(entry.map_err(|e| Unreadable::Line { line: at + 1, reason: e.to_string() })?);
        }
        Ok(Self { head, entries })
    }
}

/// Writes a capture as it comes, so that what was said before a crash is there.
pub(crate) struct Recorder {
    began: Instant,
    /// Members whose values are not kept, wherever they are in a message.
    secret: Vec<String>,
    state: Mutex<State>,
}

struct State {
    file: File,
    sessions: Vec<String>,
    entries: usize,
    failed: Option<io::Error>,
}

impl Recorder {
    /// Begins a file, for its owner's eyes; what was in it is gone.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn create(path: &Path, transport: Transport, secret: Vec<String>) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        let recorded = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let head = Head { version: VERSION, transport, recorded };
        writeln!(file, "{}", serde_json::to_string(&head)?)?;
        let state = State { file, sessions: Vec::new(), entries: 0, failed: None };
        Ok(Self { began: Instant::now(), secret, state: Mutex::new(state) })
    }

    /// Notes what was said. What cannot be written is told by [`Recorder::finish`].
    pub(crate) fn note(&self, mut entry: Entry) {
        entry.at = self.began.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        if let Some(message) = &mut entry.message {
            redact(message, &self.secret);
        }
        let mut state = self.state.lock();
        let written = serde_json::to_string(&entry).map_err(io::Error::from);
        let written = written.and_then(|line| writeln!(state.file, "{line}"));
        match written {
            Ok(()) => state.entries += 1,
            Err(error) => drop(state.failed.get_or_insert(error)),
        }
    }

    /// Of these headers, those that are kept, as they are kept.
    pub(crate) fn headers(&self, headers: &HeaderMap) -> Map<String, Value> {
        let mut state = self.state.lock();
        let shown = headers.iter().filter_map(|(name, value)| {
            let shown = match value.to_str() {
                _ if is_secret(name) => REDACTED.to_owned(),
                Ok(id) if name == headers::SESSION_ID => session(&mut state.sessions, id),
                Ok(value) if is_kept(name) => value.to_owned(),
                _ => return None,
            };
            Some((name.as_str().to_owned(), Value::String(shown)))
        });
        shown.collect()
    }

    /// How many entries were written, or why some were not.
    ///
    /// # Errors
    /// When something could not be written.
    pub(crate) fn finish(&self) -> io::Result<usize> {
        let mut state = self.state.lock();
        match state.failed.take() {
            Some(error) => Err(error),
            None => Ok(state.entries),
        }
    }
}

/// The name under which a session is known in a capture.
fn session(known: &mut Vec<String>, id: &str) -> String {
    let at = known.iter().position(|known| known == id).unwrap_or_else(|| {
        known.push(id.to_owned());
        known.len() - 1
    });
    format!("session-{}", at + 1)
}

/// Headers whose presence matters and whose value is nobody's business.
fn is_secret(name: &HeaderName) -> bool {
    [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE, header::SET_COOKIE].contains(name)
        || ["x-api-key", "dpop"].contains(&name.as_str())
}

/// Headers that the protocol speaks of.
fn is_kept(name: &HeaderName) -> bool {
    let known = [header::ACCEPT, header::CONTENT_TYPE, header::ORIGIN, header::WWW_AUTHENTICATE, header::ALLOW];
    known.contains(name)
        || [&headers::PROTOCOL_VERSION, &headers::METHOD, &headers::NAME, &headers::LAST_EVENT_ID].contains(&name)
        || name.as_str().starts_with(headers::PARAM_PREFIX)
}

/// Replaces the values of members of these names. As deep as what was parsed is, which is bounded.
fn redact(value: &mut Value, names: &[String]) {
    match value {
        _ if names.is_empty() => {}
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, names)),
        Value::Object(members) => {
            for (name, value) in members {
                if names.contains(name) { *value = REDACTED.into() } else { redact(value, names) }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
