//! Where an MCP server is, and what is needed to be let in.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fmt,
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use micro_mcp::{
    client::{Builder, Client, Error},
    transport::{Pipe, child, websocket},
};
use parking_lot::Mutex;
use tokio::process::Command;
use url::Url;

use crate::error::{CommandError, Kind};

/// Of what a server writes to its standard error, this many lines are kept for whoever asks why it failed.
const LAST_WORDS: usize = 8;
/// Largest message taken from a server, in bytes.
pub(crate) const MESSAGE_LIMIT: usize = 16 << 20;

/// A server, and how to speak to it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) place: Place,
    /// Sent with every HTTP request; credentials are among them.
    pub(crate) headers: HeaderMap,
    /// For one answer.
    pub(crate) timeout: Duration,
    last_words: LastWords,
}

/// Where the server is.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// At an address: `http:`, `https:`, `ws:` or `wss:`.
    Address(Url),
    /// At the other end of the standard streams of a program that is started for it.
    Command(Vec<OsString>),
}

/// What a server said last on its standard error.
#[derive(Debug, Clone, Default)]
struct LastWords(Arc<Mutex<VecDeque<String>>>);

impl Place {
    /// Reads an address or a command line. One argument with blanks in it is a line for the shell.
    pub(crate) fn parse(given: &[OsString]) -> Result<Self, CommandError> {
        let [only] = given else { return Ok(Self::Command(given.to_vec())) };
        let Some(text) = only.to_str() else { return Ok(Self::Command(given.to_vec())) };
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("http" | "https" | "ws" | "wss") => match Url::parse(text) {
                Ok(url) => Ok(Self::Address(url)),
                Err(error) => Err(CommandError::usage("this is no address of a server").because(error)),
            },
            Some(_) if !text.contains(char::is_whitespace) => Err(CommandError::usage(format!(
                "servers are reached over http:, https:, ws: and wss:, not over `{}:`",
                scheme.unwrap_or_default()
            ))),
            _ if text.contains(char::is_whitespace) => {
                Ok(Self::Command(["sh".into(), "-c".into(), format!("exec {text}").into()].to_vec()))
            }
            _ => Ok(Self::Command(given.to_vec())),
        }
    }
}

/// For people and reports. What an address holds beside host and path may be secret.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(url) => write!(f, "{}{}", url.origin().ascii_serialization(), url.path()),
            Self::Command(words) => match words.as_slice() {
                [sh, c, line] if sh == "sh" && c == "-c" => {
                    f.write_str(line.to_string_lossy().trim_start_matches("exec "))
                }
                words => f.write_str(&words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")),
            },
        }
    }
}

impl Target {
    pub(crate) fn new(place: Place, headers: HeaderMap, timeout: Duration) -> Self {
        Self { place, headers, timeout, last_words: LastWords::default() }
    }

    /// A client of the server, with everything that this one knows.
    pub(crate) async fn client(&self, builder: Builder) -> Result<Client, Error> {
        let last_words = self.last_words.clone();
        let builder = builder.timeout(self.timeout).on_stderr(move |line| last_words.hear(line));
        match &self.place {
            Place::Address(url) => {
                let add = |builder: Builder, (name, value): (&HeaderName, &HeaderValue)| {
                    builder.header(name.clone(), value.clone())
                };
                self.headers.iter().fold(builder, add).connect(url.as_str()).await
            }
            Place::Command(words) => {
                let words = words.clone();
                builder.spawn(move || command(&words)).await
            }
        }
    }

    /// A new pipe to a server that has one: to a new process, or over a new WebSocket. The messages on it are
    /// the caller's business. `None` for one that is spoken to over HTTP. Aloud, what a program writes to its
    /// standard error goes to ours.
    pub(crate) async fn pipe(&self, aloud: bool) -> Option<io::Result<Pipe>> {
        match &self.place {
            Place::Address(url) if url.scheme().starts_with("ws") => {
                Some(websocket::connect(url.as_str(), self.headers.clone(), MESSAGE_LIMIT).await)
            }
            Place::Address(_) => None,
            Place::Command(words) => {
                let last_words = self.last_words.clone();
                let hear = move |line: &str| {
                    last_words.hear(line);
                    if aloud {
                        let _ = writeln!(io::stderr(), "{line}"); // as if it were not behind a pipe
                    }
                };
                Some(child::spawn(command(words), Some(Arc::new(hear))))
            }
        }
    }

    /// What a failure to speak to the server means for a command.
    pub(crate) fn failure(&self, error: &Error) -> CommandError {
        let kind = match error {
            Error::Unreachable(_) if matches!(self.place, Place::Command(_)) => Kind::NotFound,
            Error::Auth(_) => Kind::Denied,
            Error::Status(status) if matches!(status.as_u16(), 401 | 403) => Kind::Denied,
            Error::Unreachable(_) | Error::Disconnected | Error::Timeout | Error::Closed | Error::Busy { .. } => {
                Kind::Unavailable
            }
            Error::Address(_) => Kind::Usage,
            Error::NoCommonVersion(_) => Kind::Invalid,
            _ => Kind::Internal,
        };
        let failure = CommandError::new(kind, format!("cannot speak to {}", self.place)).because(error);
        self.explained(failure)
    }

    /// Adds what may help: the server's last words, or how credentials are given.
    pub(crate) fn explained(&self, mut failure: CommandError) -> CommandError {
        let words = self.last_words.0.lock();
        if !words.is_empty() {
            let lines: String = words.iter().map(|line| format!("\n    {line}")).collect();
            failure = failure.hint(format!("its last words:{lines}"));
        }
        if failure.kind == Kind::Denied && !self.headers.contains_key(header::AUTHORIZATION) {
            failure = failure.hint("give a token with --token-file or MICRO_MCP_TOKEN");
        }
        failure
    }
}

impl LastWords {
    fn hear(&self, line: &str) {
        let mut words = self.0.lock();
        if words.len() == LAST_WORDS {
            words.pop_front();
        }
        words.push_back(crate::words::plain(line));
    }
}

/// The program to start.
pub(crate) fn command(words: &[OsString]) -> Command {
    let mut command = Command::new(words.first().map(OsString::as_os_str).unwrap_or_default());
    command.args(words.iter().skip(1));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn place(words: &[&str]) -> Place {
        Place::parse(&words.iter().map(OsString::from).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn addresses_commands_and_lines_are_told_apart() {
        for (given, shown) in [
            (&["http://127.0.0.1:1/mcp"][..], "http://127.0.0.1:1/mcp"),
            (&["HTTPS://u:p@example.org/mcp?key=secret"], "https://example.org/mcp"),
            (&["ws://localhost:1/mcp/ws"], "ws://localhost:1/mcp/ws"),
            (&["python", "server.py"], "python server.py"),
            (&["python server.py --url http://x"], "python server.py --url http://x"),
            (&["./server"], "./server"),
        ] {
            assert_eq!(place(given).to_string(), shown);
        }
        assert!(matches!(place(&["./server"]), Place::Command(_)));
        assert!(Place::parse(&["ftp://example.org".into()]).is_err());
        assert!(Place::parse(&["http://".into()]).is_err());
    }
}
