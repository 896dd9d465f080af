//! Where a setting was made.

use std::fmt;

use toml::de::{DeTable, DeValue};

/// Where a setting was made, for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line of a file.
    Line {
        /// The file, as it was named.
        file: String,
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
    },
    /// Somewhere in a file.
    File(String),
    /// An environment variable.
    Variable(String),
    /// A flag, as it was typed.
    Flag(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::File(text) | Self::Variable(text) | Self::Flag(text) => f.write_str(text),
        }
    }
}

/// One step on the way to a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// The way to a setting as people write it: `gateway.auth.tokens[1].scopes`.
pub(super) fn written(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(name) if text.is_empty() => text.push_str(&one_line(name)),
            Step::Key(name) => text.extend([".", &one_line(name)]),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// A text of somebody's, as part of a line that is told.
pub(super) fn one_line(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// A text and its tables with their places.
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) table: &'a DeTable<'a>,
}

impl Source<'_> {
    /// Where the last step of a path stands that is in this file, if the first one is.
    pub(super) fn find(&self, path: &[Step]) -> Option<Place> {
        let [Step::Key(first), rest @ ..] = path else { return None };
        let (key, mut value) = self.table.get_key_value(first.as_str())?;
        let mut at = key.span().start;
        for step in rest {
            let next = match (step, value.get_ref()) {
                (Step::Key(name), DeValue::Table(table)) => {
                    table.get_key_value(name.as_str()).map(|(key, value)| (key.span().start, value))
                }
                (Step::Index(index), DeValue::Array(array)) => {
                    array.get(*index).map(|value| (value.span().start, value))
                }
                _ => None,
            };
            let Some(next) = next else { break };
            (at, value) = next;
        }
        Some(place(self.file, self.text, at))
    }
}

/// The line and column of a byte.
pub(super) fn place(file: &str, text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    Place::Line { file: file.to_owned(), line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
}
