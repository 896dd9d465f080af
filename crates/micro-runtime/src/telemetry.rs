//! Logs: to stderr, filtered by `MICRO_LOG`, as text or JSON lines.

use tracing_subscriber::{EnvFilter, fmt};

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
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).with_target(false);
    // A reader of stderr that has gone must not take the program along: the complaint about it would
    // panic on the same pipe.
    let lines = lines.log_internal_errors(false);
    // The only error is "already set", see above.
    let _ = match format {
        Format::Text => lines.try_init(),
        Format::Json => lines.json().flatten_event(true).try_init(),
    };
}
