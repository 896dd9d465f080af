//! Output of many services on one screen: whole lines, each with the service's name before it.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anstream::AutoStream;
use owo_colors::{AnsiColors, OwoColorize};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::ui::Color;

/// A longer line is broken, in bytes: a service that prints no line end must not fill the memory.
const LONGEST: usize = 16 * 1024;

/// Colours of services, in turn.
const COLORS: [AnsiColors; 6] = [
    AnsiColors::Cyan,
    AnsiColors::Magenta,
    AnsiColors::Green,
    AnsiColors::Yellow,
    AnsiColors::Blue,
    AnsiColors::BrightRed,
];

/// What we say ourselves stands under this name.
const OURS: &str = "micro";

/// Where the output of a service belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// The terminal while services run. Lines of different writers never mix.
#[derive(Debug)]
pub(super) struct Screen {
    inner: Mutex<Inner>,
    width: usize,
}

#[derive(Debug)]
struct Inner {
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
    /// Whether stderr is a terminal, where a line can be written over.
    live: bool,
    /// The line that is written over, below everything else.
    status: String,
}

/// The name before each line of a service.
#[derive(Debug, Clone)]
pub(super) struct Prefix(Arc<str>);

impl Screen {
    /// A screen for services of these names.
    pub(super) fn new<'a>(color: Color, names: impl Iterator<Item = &'a str>) -> Self {
        let inner = Inner {
            out: AutoStream::new(io::stdout(), color.choice()),
            err: AutoStream::new(io::stderr(), color.choice()),
            live: io::stderr().is_terminal(),
            status: String::new(),
        };
        let width = names.map(|name| name.chars().count()).max().unwrap_or_default().max(OURS.len());
        Self { inner: Mutex::new(inner), width }
    }

    /// The prefix of the service with this number.
    pub(super) fn prefix(&self, at: usize, name: &str) -> Prefix {
        prefix(name, self.width, COLORS[at % COLORS.len()])
    }

    /// Prints a line of a service, on the stream it came from.
    pub(super) fn log(&self, stream: Stream, prefix: &Prefix, line: &str) {
        let mut inner = self.lock();
        inner.clear();
        // A terminal that is gone cannot be told; the services go on.
        let _ = match stream {
            Stream::Out => writeln!(inner.out, "{}{line}", prefix.0),
            Stream::Err => writeln!(inner.err, "{}{line}", prefix.0),
        };
        inner.restore();
    }

    /// Says something of our own.
    pub(super) fn say(&self, text: impl std::fmt::Display) {
        let name = format!("{OURS:width$}", width = self.width);
        self.print(format_args!("{}{text}", format_args!("{} {} ", name.bold(), "│".dimmed())));
    }

    /// Prints a text without a prefix on stderr.
    pub(super) fn print(&self, text: impl std::fmt::Display) {
        let mut inner = self.lock();
        inner.clear();
        let _ = writeln!(inner.err, "{text}");
        inner.restore();
    }

    /// Shows a line that the next one replaces, on a terminal. An empty one takes it away.
    pub(super) fn status(&self, text: &str) {
        let mut inner = self.lock();
        if inner.live {
            inner.clear();
            text.clone_into(&mut inner.status);
            inner.restore();
        }
    }

    /// Whether [`Screen::status`] shows anything.
    pub(super) fn is_live(&self) -> bool {
        self.lock().live
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    // Past the stripping stream: where this is used, it is a terminal, with or without colours.
    fn clear(&self) {
        if !self.status.is_empty() {
            let _ = io::stderr().write_all(b"\r\x1b[2K");
        }
    }

    fn restore(&self) {
        if !self.status.is_empty() {
            let _ = io::stderr().write_all(self.status.as_bytes());
            let _ = io::stderr().flush();
        }
    }
}

fn prefix(name: &str, width: usize, color: AnsiColors) -> Prefix {
    let name = format!("{name:width$}");
    Prefix(format!("{} {} ", name.color(color), "│".dimmed()).into())
}

/// Passes output on to the screen, line by line, until it ends.
pub(super) async fn follow(mut output: impl AsyncRead + Unpin, stream: Stream, prefix: Prefix, screen: Arc<Screen>) {
    let mut lines = Lines::default();
    let mut buffer = vec![0; 8 * 1024];
    // An error is the end too: there is nothing left to read.
    while let Ok(read @ 1..) = output.read(&mut buffer).await {
        lines.push(&buffer[..read], |line| screen.log(stream, &prefix, line));
    }
    lines.end(|line| screen.log(stream, &prefix, line));
}

/// Bytes on their way to becoming lines.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes bytes in and gives whole lines out.
    fn push(&mut self, mut bytes: &[u8], mut line: impl FnMut(&str)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.fill(&bytes[..end], &mut line);
            emit(&self.rest, &mut line);
            self.rest.clear();
            bytes = &bytes[end + 1..];
        }
        self.fill(bytes, &mut line);
    }

    /// Gives out what is left without a line end.
    fn end(&mut self, mut line: impl FnMut(&str)) {
        if !self.rest.is_empty() {
            emit(&self.rest, &mut line);
            self.rest.clear();
        }
    }

    fn fill(&mut self, mut bytes: &[u8], line: &mut impl FnMut(&str)) {
        while self.rest.len() + bytes.len() > LONGEST {
            let (now, later) = bytes.split_at(LONGEST - self.rest.len());
            self.rest.extend_from_slice(now);
            emit(&self.rest, line);
            self.rest.clear();
            bytes = later;
        }
        self.rest.extend_from_slice(bytes);
    }
}

fn emit(bytes: &[u8], line: &mut impl FnMut(&str)) {
    let text = String::from_utf8_lossy(bytes);
    // What a program wrote over on a terminal is left out, as there.
    line(text.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(chunks: &[&str], expect: &[&str]) {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for chunk in chunks {
            lines.push(chunk.as_bytes(), |line| seen.push(line.to_owned()));
        }
        lines.end(|line| seen.push(line.to_owned()));
        assert_eq!(seen, expect);
    }

    #[test]
    fn lines_are_whole_however_they_arrive() {
        check(&["a", "b\nc", "\n\nd"], &["ab", "c", "", "d"]);
        check(&["one\r\n", "10 %\r20 %\rdone\n"], &["one", "done"]);
        check(&[""], &[]);
    }

    #[test]
    fn a_line_without_an_end_is_broken() {
        let long = "x".repeat(LONGEST);
        check(&[&long[1..], "yz\n"], &[&format!("{}y", &long[1..]), "z"]);
        check(&[&long, "\n"], &[&long]);
    }

    #[test]
    fn invalid_text_is_shown_as_far_as_it_goes() {
        let mut seen = String::new();
        Lines::default().push(b"a\xffb\n", |line| seen.push_str(line));
        assert_eq!(seen, "a\u{fffd}b");
    }

    #[test]
    fn prefixes_are_aligned_and_coloured() {
        let text = anstream::adapter::strip_str(&prefix("ab", 5, AnsiColors::Cyan).0).to_string();
        assert_eq!(text, "ab    │ ");
        assert!(prefix("ab", 5, AnsiColors::Cyan).0.starts_with("\x1b[36mab   \x1b["));
    }
}
