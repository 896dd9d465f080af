//! Logs: to stderr, filtered by `MICRO_LOG`, as text or JSON lines.

use std::fmt::{self, Debug, Write};

use tracing::field::Field;
use tracing_subscriber::{
    EnvFilter,
    field::{MakeExt, delimited::Delimited},
    fmt::format::{FieldFn, Writer, debug_fn},
};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for collectors. Chosen by `MICRO_LOG_FORMAT=json`.
    Json,
}

impl Format {
    /// What `MICRO_LOG_FORMAT` asks for; text when unset.
    pub fn from_env() -> Self {
        match std::env::var("MICRO_LOG_FORMAT").as_deref() {
            Ok("json") => Self::Json,
            _ => Self::Text,
        }
    }
}

/// Starts logging to stderr. `default` is the filter when `MICRO_LOG` is not set, for example `info`.
/// A second call does nothing, so a library user's own subscriber stays in force.
pub fn init(default: &str, format: Format) {
    let filter = EnvFilter::try_from_env("MICRO_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt()
        .fmt_fields(fields())
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_target(false);
    // A reader of stderr that has gone must not take the program along: the complaint about it would
    // panic on the same pipe.
    let lines = lines.log_internal_errors(false);
    // The only error is "already set", see above.
    let _ = match format {
        Format::Text => lines.try_init(),
        Format::Json => lines.json().flatten_event(true).try_init(),
    };
}

type WriteField = fn(&mut Writer<'_>, &Field, &dyn Debug) -> fmt::Result;

/// Fields as text. (In JSON they cannot be more than they are.)
fn fields() -> Delimited<&'static str, FieldFn<WriteField>> {
    debug_fn(write_field as WriteField).delimited(" ")
}

/// On the line it stands on: what comes from outside begins no line of its own, and steers no terminal.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    match field.name() {
        "message" => {}
        name if name.starts_with("log.") => return Ok(()), // where a line of the crate `log` is from
        name => write!(writer, "{}=", name.strip_prefix("r#").unwrap_or(name))?,
    }
    write!(OneLine(writer), "{value:?}")
}

struct OneLine<'a, 'w>(&'a mut Writer<'w>);

impl Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| match c {
            '\u{2028}' | '\u{2029}' => write!(self.0, "{}", c.escape_unicode()),
            c if c.is_control() => write!(self.0, "{}", c.escape_default()),
            c => self.0.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_comes_from_outside_stays_on_its_line() {
        let lines = Lines::default();
        let writer = lines.clone();
        let text = tracing_subscriber::fmt().fmt_fields(fields()).with_target(false).without_time().with_ansi(false);
        let subscriber = text.with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            let forged = "broken\r\n INFO call allowed account=admin\u{1b}[2J\u{2028}";
            tracing::warn!(tool = "a\nb", error = %forged, "call failed: {forged}");
        });
        let written = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let told = r"broken\r\n INFO call allowed account=admin\u{1b}[2J\u{2028}";
        assert_eq!(written, format!(" WARN call failed: {told} tool=\"a\\nb\" error={told}\n"));
    }
}
