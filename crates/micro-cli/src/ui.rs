//! What people and scripts see: data on stdout, everything else on stderr, colour only where it shows.

use std::{
    fmt::Display,
    io::{self, ErrorKind, IsTerminal, Write},
};

use anstream::{AutoStream, ColorChoice};
use comfy_table::{ContentArrangement, Table, presets};
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::error::{CommandError, Kind};

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always, into files and pipes too.
    Always,
    /// Never.
    Never,
}

/// The terminal, or what stands in its place.
///
/// Text is written with its styles; the streams strip them where they do not belong. Write errors are
/// kept for [`Ui::finish`], so that commands can print without asking each time whether it worked.
#[derive(Debug)]
pub(crate) struct Ui {
    color: Color,
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
    /// Characters of a line that is only there until the next one.
    passing: usize,
    failed: Option<io::Error>,
}

impl Ui {
    pub(crate) fn new(color: Color) -> Self {
        Self {
            color,
            out: AutoStream::new(io::stdout(), color.choice()),
            err: AutoStream::new(io::stderr(), color.choice()),
            passing: 0,
            failed: None,
        }
    }

    /// When colours are used.
    pub(crate) fn color(&self) -> Color {
        self.color
    }

    /// Prints one line of data.
    pub(crate) fn data(&mut self, text: impl Display) {
        self.wipe();
        let written = writeln!(self.out, "{text}");
        self.keep(written);
    }

    /// Prints one line of data that stands above others.
    pub(crate) fn heading(&mut self, text: impl Display) {
        self.data(format_args!("{}", text.bold()));
    }

    /// Prints a value as JSON, for `--json`.
    pub(crate) fn json(&mut self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.data(text),
            Err(error) => self.keep(Err(error.into())),
        }
    }

    /// Prints rows under headings. Columns fit the terminal; elsewhere nothing is cut or wrapped.
    pub(crate) fn table<const N: usize>(&mut self, headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(headings.map(|heading| heading.to_uppercase()));
        table.add_rows(rows);
        if let Some(width) = width() {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        for (at, line) in table.lines().enumerate() {
            let line = line.trim_end();
            if at == 0 { self.data(line.bold()) } else { self.data(line) }
        }
    }

    /// Tells people something that is no data.
    pub(crate) fn note(&mut self, text: impl Display) {
        self.wipe();
        let written = writeln!(self.err, "{text}");
        self.keep(written);
    }

    /// Tells people who are watching how far it is, on a line that is gone with the next thing said. Logs and
    /// scripts need not know.
    pub(crate) fn progress(&mut self, text: impl Display) {
        if io::stderr().is_terminal() {
            self.wipe();
            let text = text.to_string();
            self.passing = text.chars().count();
            let written = write!(self.err, "{}", text.dimmed()).and_then(|()| self.err.flush());
            self.keep(written);
        }
    }

    /// Wipes what was only there in passing.
    fn wipe(&mut self) {
        let length = std::mem::take(&mut self.passing);
        if length > 0 {
            let written = write!(self.err, "\r{:length$}\r", "").and_then(|()| self.err.flush());
            self.keep(written);
        }
    }

    /// Tells people of something that may be wrong.
    pub(crate) fn warn(&mut self, text: impl Display) {
        self.note(format_args!("{} {text}", "warning:".yellow().bold()));
    }

    /// Tells why the command failed.
    pub(crate) fn error(&mut self, error: &CommandError) {
        self.note(format_args!("{} {error}", "error:".red().bold()));
        for cause in &error.causes {
            self.note(format_args!("  {} {cause}", "caused by:".bold()));
        }
        for hint in &error.hints {
            self.note(format_args!("  {} {hint}", "hint:".cyan().bold()));
        }
    }

    /// Whether what is printed reaches nobody any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.failed.is_some()
    }

    /// Flushes. Fails when something could not be printed, unless the reader has had enough (`| head`).
    pub(crate) fn finish(&mut self) -> Result<(), CommandError> {
        self.wipe();
        let flushed = self.out.flush();
        self.keep(flushed);
        match self.failed.take() {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(CommandError::new(Kind::Internal, "cannot print the result").because(error))
            }
            _ => Ok(()),
        }
    }

    fn keep(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
    }
}

impl Color {
    /// The same in the words of the streams.
    pub(crate) fn choice(self) -> ColorChoice {
        match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        }
    }
}

/// Columns of the terminal that stdout is; none when it is a file or a pipe.
fn width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let columns = rustix::termios::tcgetwinsize(io::stdout()).map(|size| size.ws_col).ok();
    columns.filter(|&columns| columns > 0)
}
